//! The keys of a test in the kernel keyring, which must not outlive it.

use std::fs;
use std::process::Command;

/// In a session that possesses the user keyring and the persistent one: without that, not even its
/// owner has rights to a key. Unlinking needs none to the key itself, which may be revoked.
const REMOVE: &str = r#"
    keyctl link @u @s
    persistent=$(keyctl get_persistent @s)
    for round in $(seq 100); do
        left=$(grep -E "docker-credential-refresh:$1[:-]" /proc/keys) || exit 0
        echo "$left" | while read -r id rest; do
            keyctl unlink "0x$id" @u
            keyctl unlink "0x$id" "$persistent"
        done 2>/dev/null
        sleep 0.05
    done
    echo "$left"
    exit 1
"#;

/// Removes every key of this profile, and of those named after it with a hyphen, as the user that
/// the wrapper makes of us.
pub fn remove(wrapper: &[&str], profile: &str) {
    let script = ["keyctl", "session", "-", "sh", "-c", REMOVE, "sh", profile];
    let words = [wrapper, &script].concat();
    let output = Command::new(words[0]).args(&words[1..]).output();
    // While a test fails, a second panic would end all of them.
    if !std::thread::panicking() {
        let output = output.expect("keyctl, of keyutils");
        assert!(output.status.success(), "left: {}", String::from_utf8_lossy(&output.stdout));
    }
}

/// The same as this user, if there are any.
pub fn remove_own(profile: &str) {
    let keys = fs::read_to_string("/proc/keys").unwrap_or_default();
    let name = format!("docker-credential-refresh:{profile}");
    // The flags of one that was invalidated end in `i`; the kernel is about to collect it.
    let stays = |line: &str| !line.split_whitespace().nth(1).unwrap_or_default().ends_with('i');
    let is_of =
        |line: &str| line.split_once(&name).is_some_and(|(_, after)| after.starts_with([':', '-']));
    if keys.lines().any(|line| is_of(line) && stays(line)) {
        remove(&[], profile);
    }
}
