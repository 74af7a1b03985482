//! A secret with the account before it, for keychains that have no place for the account.
//!
//! A line feed is between them: no token has one.

use zeroize::Zeroizing;

pub(super) fn join(account: &str, token: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut payload = Zeroizing::new(Vec::with_capacity(account.len() + 1 + token.len()));
    payload.extend_from_slice(account.as_bytes());
    payload.push(b'\n');
    payload.extend_from_slice(token);
    payload
}

/// The account and the token, or what is wrong.
pub(super) fn split(payload: &[u8]) -> Result<(&str, &[u8]), &'static str> {
    let parts = payload.iter().rposition(|b| *b == b'\n').map(|at| payload.split_at(at));
    match parts.map(|(account, token)| (str::from_utf8(account), &token[1..])) {
        Some((Ok(account), token)) => Ok((account, token)),
        _ => Err("it has no account before the token"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_what_is_before_the_last_line_feed() {
        for account in ["", "alice", "a\nb", "ä"] {
            assert_eq!(split(&join(account, b"token")), Ok((account, &b"token"[..])));
        }
        assert!(split(b"token").is_err());
        assert!(split(b"\xff\ntoken").is_err());
    }
}
