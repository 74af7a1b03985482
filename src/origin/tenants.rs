//! Suffixes under which each name is another customer's registry, and which the Public Suffix List
//! lacks: one customer must not name another one's host as realm.

/// Azure's three clouds: "REGISTRY.azurecr.io" (Azure documentation, "Registry endpoints and login
/// server"; azurecr.cn and azurecr.us in "Azure China" and "Azure Government").
const SUFFIXES: [&str; 3] = ["azurecr.io", "azurecr.cn", "azurecr.us"];

/// Of a name below such a suffix, the customer's own domain; `Err` for other names.
pub(super) fn domain(name: &str) -> Result<Option<&str>, &str> {
    let below = |suffix: &&str| Some((name.strip_suffix(*suffix)?, name.len()));
    let Some((before, _)) = SUFFIXES.iter().find_map(below) else { return Err(name) };
    match before.strip_suffix('.') {
        Some(labels) => Ok(Some(&name[labels.rfind('.').map_or(0, |dot| dot + 1)..])),
        // The suffix itself is nobody's.
        None if before.is_empty() => Ok(None),
        None => Err(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_customer_is_a_site_of_its_own() {
        for (name, expected) in [
            ("acme.azurecr.io", Ok(Some("acme.azurecr.io"))),
            ("x.acme.azurecr.us", Ok(Some("acme.azurecr.us"))),
            ("azurecr.cn", Ok(None)),
            ("notazurecr.io", Err("notazurecr.io")),
            ("acme.azurecr.io.example", Err("acme.azurecr.io.example")),
            ("example.com", Err("example.com")),
        ] {
            assert_eq!(domain(name), expected, "{name}");
        }
    }
}
