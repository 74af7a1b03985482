//! The fenced blocks of the README.

/// One fenced block.
pub struct Block {
    pub kind: Kind,
    pub language: String,
    pub text: String,
}

/// What its first line says it is.
pub enum Kind {
    /// `sh`: one command a line.
    Commands,
    /// `json PATH`, `toml PATH`: the content of a file.
    File(String),
    /// `text`, `json`: what the commands before it print.
    Output,
    /// `sh PATH` and others: a file of this repository, which other tests run.
    Recipe(String),
}

/// All of them, in order.
pub fn of(readme: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in readme.lines() {
        let fence = line.strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(info)) => open = Some(begun(info)),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => block.text.extend([line, "\n"]),
            (None, None) => assert!(!line.contains("```"), "a fence inside a line: {line}"),
        }
    }
    assert!(open.is_none(), "the last block does not end");
    assert!(blocks.len() > 10, "{} blocks: are they still found?", blocks.len());
    blocks
}

fn begun(info: &str) -> Block {
    let (language, path) = info.split_once(' ').unwrap_or((info, ""));
    let kind = match (language, path.strip_prefix("~/")) {
        ("json" | "toml", Some(path)) => Kind::File(path.to_owned()),
        ("yaml" | "sh" | "ini" | "crontab", None) if !path.is_empty() => {
            Kind::Recipe(path.to_owned())
        }
        ("sh", None) => Kind::Commands,
        ("text" | "json", None) if path.is_empty() => Kind::Output,
        _ => panic!("a block that nothing checks: {info}"),
    };
    Block { kind, language: language.to_owned(), text: String::new() }
}

/// A line without what differs from run to run: numbers, tokens, the keychain chosen, and how wide
/// the columns of a table are.
pub fn generalized(line: &str) -> String {
    let mut text = line.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(at) = text.find(" kept in keychain ") {
        text.truncate(at);
        text.push_str(" kept");
    }
    // A shortened token: `"o2h1b2... (43 characters)`.
    if let Some(end) = text.find("... (") {
        let start = text[..end].rfind('"').map_or(0, |quote| quote + 1);
        text.replace_range(start..end, "");
    }
    let mut general = String::new();
    for c in text.chars() {
        let c = if c.is_ascii_digit() { '0' } else { c };
        if !(c == '0' && general.ends_with('0')) {
            general.push(c);
        }
    }
    general
}
