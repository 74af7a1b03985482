//! What `/proc` tells about keys: their names, the user namespace, the kernel's age.
//!
//! linux-keyutils could list a keyring too, but it panics at a key with a description over 490
//! bytes, whoever made it.

use std::fs;

use memchr::memmem::Finder;

use super::fault::unavailable;
use crate::keychain::error::Error;

/// The descriptions of live keys of type `user` that begin with `prefix`.
pub(super) fn descriptions(prefix: &str) -> Result<Vec<String>, Error> {
    let keys = fs::read_to_string("/proc/keys").map_err(|error| {
        unavailable(&format!("/proc/keys cannot be read: {error}")).because(error)
    })?;
    // Then the file shows none of our keys, and that is not the same as having none.
    if fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| map.trim().is_empty()) {
        let why = "this user namespace maps no user IDs, so its keys cannot be listed";
        return Err(unavailable(why));
    }
    // The lines of others, however many, are passed over before they are taken apart.
    let is_ours = Finder::new(prefix);
    let ours = keys.lines().filter(|line| is_ours.find(line.as_bytes()).is_some());
    let ours = ours.filter_map(description);
    let mut found: Vec<_> = ours.filter(|d| d.starts_with(prefix)).map(str::to_owned).collect();
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

/// Whether this process is outside of the namespace that the machine booted with, whose number
/// never changes (PROC_USER_INIT_INO in include/linux/proc_ns.h).
pub(super) fn in_user_namespace() -> bool {
    fs::read_link("/proc/self/ns/user").is_ok_and(|link| link.as_os_str() != "user:[4026531837]")
}

/// Since 5.3 a user keyring outlives the processes of its user.
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
    fn user_keyrings_stay_since_5_3() {
        for (release, stays) in
            [("5.3.0-1", true), ("6.1.0-13-amd64", true), ("5.2.9", false), ("4.19", false)]
        {
            assert_eq!(keeps_user_keyrings(release), stays, "{release}");
        }
    }
}
