//! How much of a user's key quota is used.

use std::fs;

/// What is used and what is allowed, for the message of EDQUOT.
pub(super) fn of_this_user() -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_quota_names_used_and_allowed() {
        let users = "    0:     9 8/8 3/1000000 40/25000000\n 1000:  9 8/8 12/200 19990/20000\n";
        let text = quota_of(1000, users).unwrap();
        assert!(text.ends_with("12 of 200 keys and 19990 of 20000 bytes are used"), "{text}");
        assert_eq!(quota_of(100, users), None);
    }
}
