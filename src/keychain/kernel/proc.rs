//! What `/proc` tells about keys: names, quotas, the kernel's age.
//!
//! linux-keyutils could list a keyring too, but it panics at a key with a description over 490
//! bytes, whoever made it.

use std::fs;

use super::super::{Error, KeychainName};

/// The descriptions of live keys of type `user` that begin with `prefix`.
pub(super) fn descriptions(prefix: &str) -> Result<Vec<String>, Error> {
    let keys = fs::read_to_string("/proc/keys").map_err(|error| {
        let why = format!("/proc/keys cannot be read: {error}");
        Error::unavailable(&KeychainName::Kernel, &why, super::OTHER)
    })?;
    // Then the file shows none of our keys, and that is not the same as having none.
    if fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| map.trim().is_empty()) {
        let why = "this user namespace has no users: its keys cannot be listed";
        return Err(Error::unavailable(&KeychainName::Kernel, why, super::OTHER));
    }
    let found = keys.lines().filter_map(description);
    let mut found: Vec<_> = found.filter(|d| d.starts_with(prefix)).map(str::to_owned).collect();
    found.sort();
    found.dedup();
    Ok(found)
}

/// Of a line such as `009a2028 I--Q---  1 perm 3f010000  1000  1000 user  some:name: 12`.
fn description(line: &str) -> Option<&str> {
    let mut rest = line;
    let mut columns = [""; 8];
    for column in &mut columns {
        (*column, rest) = rest.trim_start().split_once(' ')?;
    }
    let [_, flags, _, timeout, _, _, _, kind] = columns;
    // R revoked, D dead, i invalidated, N negative.
    if kind != "user" || flags.contains(['R', 'D', 'i', 'N']) || timeout == "expd" {
        return None;
    }
    rest.trim_start().rsplit_once(": ").map(|(description, _)| description)
}

/// What is used and what is allowed, for the message of EDQUOT.
pub(super) fn quota() -> String {
    let full = "its quota is full".to_owned();
    let Ok(users) = fs::read_to_string("/proc/key-users") else { return full };
    quota_of(rustix::process::getuid().as_raw(), &users).unwrap_or(full)
}

/// From a line such as ` 1000:     9 8/8 3/200 40/20000`.
fn quota_of(uid: u32, users: &str) -> Option<String> {
    let owner = format!("{uid}:");
    let line = users.lines().find(|line| line.split_whitespace().next() == Some(&owner))?;
    let mut columns = line.split_whitespace().skip(3);
    let (keys, max_keys) = columns.next()?.split_once('/')?;
    let (bytes, max_bytes) = columns.next()?.split_once('/')?;
    Some(format!(
        "its quota is full: {keys} of {max_keys} keys and {bytes} of {max_bytes} bytes are used"
    ))
}

/// Whether this process is outside of the namespace that the machine booted with, whose number
/// never changes (PROC_USER_INIT_INO in include/linux/proc_ns.h).
pub(super) fn in_user_namespace() -> bool {
    fs::read_link("/proc/self/ns/user").is_ok_and(|link| link.as_os_str() != "user:[4026531837]")
}

/// Since 5.3 a user keyring stays without a process of its user.
pub(super) fn keeps_user_keyrings(release: &str) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= (5, 3),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_the_rest_of_the_line() {
        let line = |text| description(text);
        assert_eq!(
            line("009a2028 I--Q---     1 perm 3f010000  1000  1000 user      some:name: with: 12"),
            Some("some:name: with")
        );
        assert_eq!(line("009a2028 IR-Q---     1 perm 3f010000     0     0 user      a: 12"), None);
        assert_eq!(line("009a2028 I--Q---     1 expd 3f010000     0     0 user      a: 12"), None);
        assert_eq!(line("009a2028 I--Q---     1 perm 3f010000     0     0 logon     a: 12"), None);
        assert_eq!(
            line("009a2028 I------     1 perm 1f3f0000     0 65534 keyring   _uid: 1"),
            None
        );
        assert_eq!(line(""), None);
    }

    #[test]
    fn a_full_quota_names_used_and_allowed() {
        let users = "    0:     9 8/8 3/1000000 40/25000000\n 1000:  9 8/8 12/200 19990/20000\n";
        let text = quota_of(1000, users).unwrap();
        assert!(text.ends_with("12 of 200 keys and 19990 of 20000 bytes are used"), "{text}");
        assert_eq!(quota_of(100, users), None);
    }

    #[test]
    fn user_keyrings_stay_since_5_3() {
        for (release, stays) in
            [("5.3.0-1", true), ("6.1.0-13-amd64", true), ("5.2.9", false), ("4.19", false)]
        {
            assert_eq!(keeps_user_keyrings(release), stays, "{release}");
        }
    }
}
