//! Keys and files that are easily mistaken for an age identity.

/// How a file begins that age has encrypted without armor.
pub(super) const ENCRYPTED: &str = "age-encryption.org/v1";

/// What to do about a key of another kind.
pub(super) enum Mistaken {
    Replace,
    Or(&'static str),
    Only(&'static str),
}

/// What is easily mistaken for an identity, and what to do then other than to replace it.
pub(super) fn other_key(text: &str) -> Option<(&'static str, Mistaken)> {
    let first =
        text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| first.starts_with(prefix));
    if starts(&["-----BEGIN AGE ENCRYPTED FILE-----", ENCRYPTED]) {
        return Some((
            "an age identity that is itself encrypted, and nobody can be asked for its passphrase",
            Mistaken::Or("decrypt it with age -d"),
        ));
    }
    if starts(&["-----BEGIN OPENSSH", "-----BEGIN RSA", "ssh-", "ecdsa-", "sk-ssh", "sk-ecdsa"]) {
        return Some(("an SSH key, not an age identity", Mistaken::Replace));
    }
    if starts(&["-----BEGIN "]) {
        return Some(("a key or file of another kind, not an age identity", Mistaken::Replace));
    }
    if starts(&["AGE-PLUGIN-"]) {
        return Some((
            "the identity of an age plugin, and plugins are not started",
            Mistaken::Replace,
        ));
    }
    if starts(&["age1"]) {
        return Some((
            "a public key (age1...), not the identity",
            Mistaken::Only("use the line that begins with AGE-SECRET-KEY-1"),
        ));
    }
    None
}
