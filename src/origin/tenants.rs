//! Suffixes under which each name is another customer's registry, and which the Public Suffix List
//! lacks: one customer must not name another one's host as realm.
//!
//! Left out: hosts that all customers share (`us-docker.pkg.dev`, `registry.digitalocean.com`), where no
//! customer names a realm; private ECR, which has none; and Aliyun, whose realm is on a host beside
//! the customer's (`dockerauth.REGION.aliyuncs.com`).

/// Each with a token server on the customer's own host.
const SUFFIXES: [&str; 6] = [
    // Azure's three clouds (Azure documentation, "Registry endpoints and login server"; the others in
    // "Azure China" and "Azure Government").
    "azurecr.io",
    "azurecr.cn",
    "azurecr.us",
    // JFrog documentation, "Test Docker and Artifactory Cloud": "company.jfrog.io".
    "jfrog.io",
    // Harbor's adapter for Tencent (src/pkg/reg/adapter/tencentcr) has the challenge.
    "tencentcloudcr.com",
    // BinderHub documentation, "Set up the container registry": "HASH.REGION.container-registry.ovh.net".
    "container-registry.ovh.net",
];

/// Whether a name is such a suffix or below one: then it is on the same site as itself alone.
pub(super) fn is_of_its_own(name: &str) -> bool {
    let is_below = |suffix: &&str| {
        let before = name.strip_suffix(*suffix);
        before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    SUFFIXES.iter().any(is_below)
}

#[cfg(test)]
mod tests {
    use crate::origin::same_site;
    use crate::server_url::Host;

    #[test]
    fn each_customer_is_a_site_of_its_own() {
        for suffix in super::SUFFIXES {
            let host = |name: &str| Host::parse(&name.replace("SUFFIX", suffix)).unwrap();
            for (one, other, expected) in [
                ("acme.SUFFIX", "acme.SUFFIX", true),
                ("acme.SUFFIX", "evil.SUFFIX", false),
                ("acme.c1.gra9.SUFFIX", "evil.c1.gra9.SUFFIX", false),
                ("acme.SUFFIX", "x.acme.SUFFIX", false),
                ("acme.SUFFIX", "SUFFIX", false),
                // The suffix as part of another name means nothing.
                ("acme.notSUFFIX", "x.acme.notSUFFIX", true),
                ("acme.SUFFIX.example.com", "example.com", true),
            ] {
                assert_eq!(same_site(&host(one), &host(other)), expected, "{one} {other} {suffix}");
            }
        }
    }
}
