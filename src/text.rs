//! Text for a terminal: from elsewhere, and to be copied from there.

pub mod table;

/// Text from elsewhere, made safe for a terminal: control sequences, bidi overrides and anything
/// else that is not printable ASCII become `?`, and at most `limit` characters are shown.
pub fn printable(text: &str, limit: usize) -> String {
    text.chars()
        .take(limit)
        .map(|c| match c {
            '`' => '\'',
            ' '..='~' => c,
            _ => '?',
        })
        .collect()
}

/// A word as a hint may show it in a command to copy: quoted where a shell would read more in it.
pub fn shell_word(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:/[]@".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// How much of a text that a server wrote is shown.
pub const SERVER_TEXT_CHARS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_control_sequences_and_bidi_overrides_are_not_shown() {
        let shown = printable("\x1b[2Jevil\u{202e}\u{0}\nx`y", 200);
        assert_eq!(shown, "?[2Jevil???x'y");
        assert_eq!(printable(&"a".repeat(999), SERVER_TEXT_CHARS).len(), 200);
    }

    #[test]
    fn a_command_to_copy_runs_nothing_of_a_servers_name() {
        assert_eq!(shell_word("h:5000/a"), "h:5000/a");
        assert_eq!(shell_word("h/$(id);x"), "'h/$(id);x'");
        assert_eq!(shell_word("h/a'b"), r"'h/a'\''b'");
    }
}
