//! What a helper says when it fails, without the secret that it was sent.

use zeroize::Zeroizing;

use crate::protocol;
use crate::text::{SERVER_TEXT_CHARS, printable};

/// An error that contains this much of a secret in a row quotes it, perhaps cut or escaped.
const QUOTED_BYTES: usize = 8;

/// What a helper said, fit to be shown; `payload` is what it was sent.
pub(super) fn said(line: &str, payload: &[u8]) -> String {
    let shown: String = line.chars().take(SERVER_TEXT_CHARS).collect();
    let quotes = |part: &[u8]| shown.as_bytes().windows(part.len()).any(|window| window == part);
    let sent = secret_in(payload).unwrap_or_default();
    let secret = protocol::parse_credentials::<Zeroizing<String>>(payload).map(|sent| sent.secret);
    let plain = secret.as_ref().map(|secret| secret.as_bytes()).unwrap_or_default();
    let parts = |text: &[u8]| text.windows(text.len().clamp(1, QUOTED_BYTES)).any(quotes);
    if parts(plain) || parts(sent) {
        return "its error quotes the secret and is not shown".to_owned();
    }
    // The answer to a `get`, whose secret is not known here.
    if shown.trim_start().starts_with('{') || shown.to_ascii_lowercase().contains("\"secret\"") {
        return "its error looks like a login and is not shown".to_owned();
    }
    match shown.as_str() {
        "" => "it failed and wrote nothing to stdout".to_owned(),
        shown => printable(shown, SERVER_TEXT_CHARS),
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
            said("the `vault`\u{1b} of h.example is sealed", &sent),
            "the 'vault'? of h.example is sealed"
        );
        assert_eq!(said("", &sent), "it failed and wrote nothing to stdout");
        for line in
            ["got hunter2\"correct<horse", "got hunter2\"cor", &String::from_utf8_lossy(&sent)]
        {
            assert_eq!(said(line, &sent), hidden, "{line}");
        }
        let long = format!("{} hunter2\"corr", "x".repeat(190));
        assert_eq!(said(&long, &sent), hidden, "cut in the middle of the secret");
        let escaped = payload("a\"b\"c\"d\"e\"f\"g");
        assert_eq!(said(&String::from_utf8_lossy(&escaped), &escaped), hidden);
        assert_eq!(said("bad: pw", &payload("pw")), hidden);
        for line in ["{\"Username\":\"a\"", "got \"Secret\": \"of-somebody\""] {
            assert_eq!(said(line, b"h.example"), "its error looks like a login and is not shown");
        }
        assert_eq!(said("nothing was sent", &payload("")), "nothing was sent");
        assert_eq!(said("nothing was sent", b"h.example"), "nothing was sent");
    }
}
