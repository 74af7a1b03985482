//! What clients call a registry. They compare names byte by byte, and each builds them in its own
//! way: our key, which all spellings share, is not such a name.

use crate::server_url::{DOCKER_HUB, DOCKER_HUB_HOSTS, ServerUrl};

/// The name under which Docker looks up the login that an entry of `auths` holds: what `docker login`
/// and `docker pull` make of a registry (docker/cli `credentials.ConvertToHostname`).
pub fn docker_name(written: &str) -> String {
    if written == DOCKER_HUB {
        return written.to_owned();
    }
    let Some((_, rest)) = written.split_once("://") else {
        return before_slash(written).to_owned();
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    match host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
        // Go's url.Hostname() has no brackets, and without a port nothing puts them back.
        Some(inner) => inner.to_owned(),
        None if host.is_empty() => before_slash(written).to_owned(),
        None => host.to_owned(),
    }
}

/// The registry, or the path of one, that podman, skopeo and buildah use an entry of `auths` for
/// (containers/image `normalizeAuthFileKey`); a `.dockercfg` has no paths.
pub fn podman_name(written: &str, legacy: bool) -> String {
    let stripped = written.strip_prefix("http://").unwrap_or(written);
    let stripped = stripped.strip_prefix("https://").unwrap_or(stripped);
    let name = if legacy || stripped != written { before_slash(stripped) } else { stripped };
    if DOCKER_HUB_HOSTS.contains(&name) { "docker.io".to_owned() } else { name.to_owned() }
}

/// The key that all spellings of a registry share; none if that is not a registry's name.
pub fn registry_key(written: &str) -> Option<String> {
    let url = ServerUrl::parse(written).or_else(|_| ServerUrl::parse(&docker_name(written)));
    url.ok().map(|url| url.registry_key().to_owned())
}

/// Every name under which clients look this registry up, as far as it can be told: as it was written,
/// as we write it, and with the port that is implied. Other ways to type it are not listed.
///
/// `others` are the names in the client's files.
pub fn spellings<'n>(written: &str, others: impl Iterator<Item = &'n str>) -> Vec<String> {
    let Some(key) = registry_key(written) else { return Vec::new() };
    let mut names = Vec::new();
    if key == DOCKER_HUB {
        names.push(DOCKER_HUB.to_owned());
        names.extend(DOCKER_HUB_HOSTS.map(str::to_owned));
    } else {
        let bare = key.strip_prefix("http://").unwrap_or(&key);
        names.push(bare.to_owned());
        let has_port = bare.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
        if !has_port {
            names.push(format!("{bare}:443"));
        }
    }
    let same = others.filter(|other| registry_key(other).as_ref() == Some(&key));
    names.push(docker_name(written));
    // Docker 20.10 looks up what was typed at `docker login`, with scheme and path.
    if docker_name(written) != written && key != DOCKER_HUB {
        names.push(written.to_owned());
    }
    names.extend(same.map(docker_name));
    let mut seen = Vec::new();
    names.retain(|name| {
        let is_new = !seen.contains(name);
        seen.push(name.clone());
        is_new
    });
    names
}

fn before_slash(text: &str) -> &str {
    text.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `docker login` of Docker CLI 28 wrote them, and as it found what was there.
    #[test]
    fn docker_names_a_registry_by_the_bytes_of_its_host() {
        for (written, name) in [
            ("localhost", "localhost"),
            ("LOCALHOST:5000", "LOCALHOST:5000"),
            ("https://HOST.example/v1/", "HOST.example"),
            ("https://localhost:443/", "localhost:443"),
            ("http://localhost:80", "localhost:80"),
            ("localhost/v2/", "localhost"),
            ("h.example/team/app", "h.example"),
            ("[::1]:5000", "[::1]:5000"),
            ("https://[::1]:5000/", "[::1]:5000"),
            ("https://[::1]", "::1"),
            ("[0:0::1]:5000", "[0:0::1]:5000"),
            ("HTTPS://u@h.example/", "h.example"),
            ("ftp://h.example", "h.example"),
            ("https://index.docker.io/v1/", "https://index.docker.io/v1/"),
            ("index.docker.io/v1/", "index.docker.io"),
            ("https:///x", "https:"),
            ("", ""),
        ] {
            assert_eq!(docker_name(written), name, "{written}");
        }
    }

    #[test]
    fn podman_keeps_paths_and_strips_schemes() {
        for (written, legacy, name) in [
            ("h.example", false, "h.example"),
            ("h.example/team", false, "h.example/team"),
            ("h.example/team", true, "h.example"),
            ("h.example/", false, "h.example/"),
            ("https://h.example/v1/", false, "h.example"),
            ("HTTPS://h.example", false, "HTTPS://h.example"),
            ("https://index.docker.io/v1/", false, "docker.io"),
            ("registry-1.docker.io", false, "docker.io"),
            ("docker.io/library", false, "docker.io/library"),
        ] {
            assert_eq!(podman_name(written, legacy), name, "{written}");
        }
    }

    #[test]
    fn all_spellings_of_one_registry_are_named() {
        let named = |written: &str, others: &[&str]| spellings(written, others.iter().copied());
        assert_eq!(named("h.example", &[]), ["h.example", "h.example:443"]);
        assert_eq!(named("H.example:443", &[]), ["h.example", "h.example:443", "H.example:443"]);
        let typed = ["h.example", "h.example:443", "h.example:80", "http://h.example:80"];
        assert_eq!(named("http://h.example:80", &[]), typed);
        assert_eq!(named("h:5000", &["https://H:5000/v1/", "i:5000"]), ["h:5000", "H:5000"]);
        assert_eq!(named("[::1]", &[]), ["[::1]", "[::1]:443"]);
        assert_eq!(named("[0:0::1]:5000", &[]), ["[::1]:5000", "[0:0::1]:5000"]);
        let hub = [DOCKER_HUB, "docker.io", "index.docker.io", "registry-1.docker.io"];
        assert_eq!(named("index.docker.io", &[]), hub);
        assert_eq!(named("https://docker.io/", &["h"]), hub);
        assert!(named("*.example", &[]).is_empty() && named("", &[]).is_empty());
    }
}
