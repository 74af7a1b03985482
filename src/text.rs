//! Text for a terminal: from elsewhere, or to be copied.

pub mod span;
pub mod table;

/// Text from elsewhere, made safe for a terminal: control characters, bidi overrides and whatever
/// else is invisible become `?`, and at most `limit` characters are shown.
pub fn printable(text: &str, limit: usize) -> String {
    let shown = |c| match c {
        '`' => '\'',
        c if is_seen(c) => c,
        _ => '?',
    };
    text.chars().take(limit).map(shown).collect()
}

/// Letters of any language, and nothing that is invisible or means something to a terminal.
fn is_seen(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    // Default-ignorable code points that are letters or marks (DerivedCoreProperties.txt), and the
    // blank Braille pattern.
    let invisible = matches!(
        c,
        '\u{34f}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{e0100}'..='\u{e01ef}'
    );
    // The standard library escapes the general categories C and Z, and a mark only at the start:
    // macOS writes an umlaut as a letter and a mark.
    !invisible && format!("a{c}").escape_debug().count() == 2
}

/// A word as shown in a command to copy: quoted where a shell would interpret it.
pub fn shell_word(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:/[]@".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How much of a text that a server wrote is shown.
pub const SERVER_TEXT_CHARS: usize = 200;

/// What went wrong, in words: "(os error 13)" says nothing to a user.
pub fn reason(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

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
    fn names_in_any_language_are_shown_and_what_is_invisible_is_not() {
        for name in ["/home/größe", "gro\u{308}ße", "/home/日本語", "Ελλάδα", "привет", "🐋"]
        {
            assert_eq!(printable(name, 200), name);
        }
        for c in [
            '\u{7f}',
            '\u{85}',
            '\u{9b}',
            '\u{a0}',
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{180e}',
            '\u{200b}',
            '\u{200d}',
            '\u{200f}',
            '\u{2028}',
            '\u{2029}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{2800}',
            '\u{3000}',
            '\u{3164}',
            '\u{e000}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{ffff}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e0100}',
            '\u{10fffd}',
        ] {
            assert_eq!(printable(&format!("a{c}b"), 200), "a?b", "{:x}", u32::from(c));
        }
    }

    #[test]
    fn a_command_to_copy_runs_nothing_of_a_servers_name() {
        assert_eq!(shell_word("h:5000/a"), "h:5000/a");
        assert_eq!(shell_word("h/$(id);x"), "'h/$(id);x'");
        assert_eq!(shell_word("h/a'b"), r"'h/a'\''b'");
    }
}
