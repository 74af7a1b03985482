//! What a helper says when it fails, without the secret that it was sent.

use zeroize::Zeroizing;

use crate::protocol;
use crate::secret::disguise;
use crate::text::{SERVER_TEXT_CHARS, printable};

/// What stands for a word that may be a secret.
const LEFT_OUT: &str = "...";
/// What secrets are called where one follows.
const LABELS: [&str; 6] = ["password", "passwd", "passphrase", "secret", "token", "auth"];
const WORD_CHARS: usize = 20;
const SHORT_CHARS: usize = 3;
const NUMBER_DIGITS: usize = 5;

/// What a helper said to a verb, fit to be shown; `payload` is what it was sent.
pub(super) fn said(verb: &str, line: &str, payload: &[u8]) -> String {
    let shown: String = line.chars().take(SERVER_TEXT_CHARS).collect();
    let secret = protocol::parse_credentials::<Zeroizing<String>>(payload).map(|sent| sent.secret);
    let escaped = secret_in(payload).and_then(|escaped| std::str::from_utf8(escaped).ok());
    let sent = [secret.as_ref().map(|secret| secret.as_str()), escaped];
    let quotes = |secret: &str| !secret.is_empty() && disguise::quotes(shown.as_bytes(), secret);
    if sent.into_iter().flatten().any(quotes) {
        return "its error quotes the secret and is not shown".to_owned();
    }
    // The answer to a `get`, whose secret is not known here.
    if shown.trim_start().starts_with('{') || shown.to_ascii_lowercase().contains("\"secret\"") {
        return "its error looks like a login and is not shown".to_owned();
    }
    let shown = match verb {
        // It has the secret at hand.
        "get" => plain_words(&shown, String::from_utf8_lossy(payload).trim()),
        _ => shown,
    };
    match shown.as_str() {
        "" => "it failed and wrote nothing to stdout".to_owned(),
        shown => printable(shown, SERVER_TEXT_CHARS),
    }
}

/// The words that are no password or token as programs make them, and what we sent.
fn plain_words(line: &str, sent: &str) -> String {
    let (line, is_cut) = before_a_label(line);
    let is_plain = |part: &str| {
        let length = part.chars().count();
        let is_number = length <= NUMBER_DIGITS && part.chars().all(|c| c.is_ascii_digit());
        let is_title = !part.chars().skip(1).any(char::is_uppercase);
        let is_one_case = is_title || !part.contains(char::is_lowercase);
        // `v2`, `x64`
        let is_short = length <= SHORT_CHARS && part.chars().all(char::is_alphanumeric);
        is_number
            || is_short
            || length <= WORD_CHARS && part.chars().all(char::is_alphabetic) && is_one_case
    };
    let word = |word: &str| {
        let rest = if sent.is_empty() { word.to_owned() } else { word.replace(sent, "") };
        let mut parts = rest.split(|c: char| !c.is_alphanumeric());
        if parts.all(is_plain) { word.to_owned() } else { LEFT_OUT.to_owned() }
    };
    let mut words: Vec<String> = line.split(' ').map(word).collect();
    words.extend(is_cut.then(|| LEFT_OUT.to_owned()));
    words.join(" ")
}

/// The text up to the first label that a value follows, and whether there is one.
fn before_a_label(line: &str) -> (&str, bool) {
    let lower = line.to_ascii_lowercase();
    let end = |label: &&str| {
        let mut ends = lower.match_indices(*label).map(|(at, _)| at + label.len());
        ends.find(|&end| lower[end..].trim_start_matches(['"', '\'', ' ']).starts_with([':', '=']))
    };
    match LABELS.iter().filter_map(end).min() {
        Some(end) => (&line[..end], true),
        None => (line, false),
    }
}

/// The secret of a payload of ours, escaped as it is there.
fn secret_in(payload: &[u8]) -> Option<&[u8]> {
    const BEFORE: &[u8] = b"\"Secret\":\"";
    let at = payload.windows(BEFORE.len()).position(|window| window == BEFORE)?;
    payload[at + BEFORE.len()..].strip_suffix(b"\"}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_helper_says_is_shown_unless_it_quotes_the_secret() {
        let payload = |secret: &str| {
            let mut payload = Vec::new();
            protocol::write_credentials(&mut payload, "h.example", "\"Secret\":\"", secret)
                .unwrap();
            payload
        };
        let sent = payload("hunter2\"correct<horse");
        let hidden = "its error quotes the secret and is not shown";
        assert_eq!(
            said("store", "the `vault`\u{1b} of h.example is sealed", &sent),
            "the 'vault'? of h.example is sealed"
        );
        assert_eq!(said("store", "", &sent), "it failed and wrote nothing to stdout");
        for line in
            ["got hunter2\"correct<horse", "got hunter2\"cor", &String::from_utf8_lossy(&sent)]
        {
            assert_eq!(said("store", line, &sent), hidden, "{line}");
        }
        let long = format!("{} hunter2\"corr", "x".repeat(190));
        assert_eq!(said("store", &long, &sent), hidden, "cut in the middle of the secret");
        let escaped = payload("a\"b\"c\"d\"e\"f\"g");
        assert_eq!(said("store", &String::from_utf8_lossy(&escaped), &escaped), hidden);
        assert_eq!(said("store", "bad: pw", &payload("pw")), hidden);
        for line in ["{\"Username\":\"a\"", "got \"Secret\": \"of-somebody\""] {
            assert_eq!(
                said("get", line, b"h.example"),
                "its error looks like a login and is not shown"
            );
        }
        assert_eq!(said("store", "nothing was sent", &payload("")), "nothing was sent");
        assert_eq!(said("store", "nothing was sent", b"h.example"), "nothing was sent");
    }

    /// The threat: a helper that repeats what it was given in another form.
    #[test]
    fn a_secret_in_any_common_encoding_is_not_shown() {
        use base64::Engine;
        use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
        for secret in ["correct horse battery", "dckr_pat_a1B2c3D4e5F6g7H8i9J0", "hunter2/+?"] {
            let mut payload = Vec::new();
            protocol::write_credentials(&mut payload, "h.example", "alice", secret).unwrap();
            let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let cut = &STANDARD.encode(secret)[..12];
            for form in [
                STANDARD.encode(secret),
                URL_SAFE_NO_PAD.encode(secret),
                STANDARD.encode(STANDARD.encode(secret)),
                STANDARD.encode(format!("alice:{secret}")),
                secret.chars().rev().collect(),
                hex,
                percent,
                cut.to_owned(),
            ] {
                let line = format!("cannot keep {form}: disk full");
                let told = said("store", &line, &payload);
                assert_eq!(told, "its error quotes the secret and is not shown", "{line}");
            }
            let harmless = "exit status 1: gpg: no default secret key, in /home/alice/.gnupg";
            assert_eq!(said("store", harmless, &payload), harmless);
        }
    }

    /// The threat: a helper that has the secret, and prints it in an error of its own.
    #[test]
    fn what_may_be_a_secret_of_the_helpers_own_is_left_out() {
        let told = |line| said("get", line, b"h.example:5000");
        for line in [
            "the vault of h.example:5000 is sealed",
            "exit status 1: gpg: decryption failed: No secret key",
            "cannot open /home/alice/.password-store/docker-credential-helpers (errno 13)",
            "GPG agent: connection refused",
        ] {
            assert_eq!(told(line), line);
        }
        for (line, shown) in [
            ("found dckr_pat_a1B2c3D4e5F6g7H8i9J0 and no user", "found ... and no user"),
            ("decoded Y29ycmVjdCBob3JzZQ== wrongly", "decoded ... wrongly"),
            ("got 636f7272656374 as hex", "got ... as hex"),
            ("password: correct horse", "password ..."),
            ("bad login, token=plainwords for h.example:5000", "bad login, token ..."),
        ] {
            assert_eq!(told(line), shown, "{line}");
        }
    }
}
