//! What a login is called in another helper.
//!
//! | login | entry |
//! |---|---|
//! | key `h/team`, profile `default` | `h/team`, as every client calls it |
//! | the same, where that entry is another program's | `h/team/[default]` |
//! | key `h/team`, profile `app` | `h/team/[app]` |
//! | Docker Hub's key, profile `app` | `https://index.docker.io/v1/[app]` |
//!
//! No key of a server URL has brackets in its path ([`ServerUrl`]), so no two logins collide: the
//! key `h/team/app` is an entry of its own. Whatever in a profile is not a letter, digit, dot, dash
//! or underscore is percent-encoded, because some helpers parse server URLs.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::keychain::store::DEFAULT_PROFILE;
use crate::server_url::ServerUrl;

/// The names that a login may have; the first free one is taken.
pub(crate) fn names(key: &str, profile: &str) -> Vec<String> {
    let slash = if key.ends_with('/') { "" } else { "/" };
    let marked = format!("{key}{slash}{}", mark(profile));
    if profile == DEFAULT_PROFILE { vec![key.to_owned(), marked] } else { vec![marked] }
}

/// The key of an entry that is called like one of the profile's.
pub(super) fn key_of<'e>(entry: &'e str, profile: &str) -> Option<&'e str> {
    let marked = entry.strip_suffix(&mark(profile)).and_then(before_mark);
    marked.or_else(|| (profile == DEFAULT_PROFILE && is_key(entry)).then_some(entry))
}

/// Whether an entry has a name that only this program gives.
pub(crate) fn is_marked(entry: &str) -> bool {
    let mark = entry.strip_suffix(']').and_then(|rest| rest.rfind('['));
    mark.and_then(|at| before_mark(&entry[..at])).is_some()
}

fn before_mark(text: &str) -> Option<&str> {
    // Docker Hub's key ends with a slash of its own.
    let parent = text.strip_suffix('/')?;
    [text, parent].into_iter().find(|key| is_key(key))
}

fn is_key(text: &str) -> bool {
    ServerUrl::parse(text).is_ok_and(|url| url.key() == text)
}

fn mark(profile: &str) -> String {
    format!("[{}]", utf8_percent_encode(profile, ESCAPED))
}

const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::server_url::DOCKER_HUB;

    #[test]
    fn no_two_logins_share_an_entry_and_each_is_found_again() {
        let keys = [
            "h",
            "h/team",
            "h/team/app",
            "h/app",
            "h:80",
            "http://h:443",
            "http://[::1]:443",
            "[::1]",
            "[::1]:5000",
            DOCKER_HUB,
            "docker.io/library",
            "https://index.docker.io/v1/access-token",
        ];
        let profiles = ["default", "app", "team", "App", "a:b", "a/b", "a%2Fb", "]", "[x]", "é"];
        let mut seen = BTreeMap::new();
        for key in keys {
            for profile in profiles {
                for name in names(key, profile) {
                    assert_eq!(key_of(&name, profile), Some(key), "{name}");
                    assert_eq!(is_marked(&name), name != key, "{name}");
                    for other in profiles.iter().filter(|other| **other != profile) {
                        assert_eq!(key_of(&name, other), None, "{name} in {other}");
                    }
                    let previous = seen.insert(name.clone(), (key, profile));
                    assert_eq!(previous, None, "{name}");
                }
            }
        }
        assert_eq!(names("h/team", "app"), ["h/team/[app]"]);
        assert_eq!(names(DOCKER_HUB, "app"), ["https://index.docker.io/v1/[app]"]);
    }

    #[test]
    fn what_a_client_or_another_program_calls_an_entry_is_no_login_of_ours() {
        for entry in
            ["", "[app]", "/[app]", "h//[app]", "https://h", "h/", "H/[app]", "h[app]", "h/[]x"]
        {
            assert_eq!(key_of(entry, "app"), None, "{entry}");
            assert_eq!(key_of(entry, "default"), None, "{entry}");
            assert!(!is_marked(entry), "{entry}");
        }
    }
}
