//! The fenced blocks of a page.

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
    /// `console`: commands after `$ `, each with lines that it prints.
    Transcript,
    /// `sh PATH` and others: a file of this repository, which other tests run.
    Recipe(String),
}

/// All of them, in order.
pub fn of(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in page.lines() {
        let fence = line.strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(info)) => open = Some(begun(info)),
            (Some(_), Some(_)) => {
                // A picture has nothing to run.
                blocks.extend(open.take().filter(|block| block.language != "mermaid"));
            }
            (Some(block), None) => block.text.extend([line, "\n"]),
            (None, None) => {
                assert!(!line.contains("```"), "a fence inside a line: {line}");
                assert!(!line.starts_with("    "), "a block that nothing checks: {line}");
            }
        }
    }
    assert!(open.is_none(), "the last block does not end");
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
        ("console", None) => Kind::Transcript,
        ("text" | "json" | "mermaid", None) if path.is_empty() => Kind::Output,
        _ => panic!("a block that nothing checks: {info}"),
    };
    Block { kind, language: language.to_owned(), text: String::new() }
}

impl Block {
    /// The commands of a transcript, each with the lines that are shown of what it prints.
    pub fn steps(&self) -> impl Iterator<Item = (Self, Self)> {
        let block =
            |kind, text: &str| Self { kind, language: String::new(), text: text.to_owned() };
        let steps = self.text.split("$ ").filter(|step| !step.is_empty());
        steps.map(move |step| {
            let (command, shown) = step.split_once('\n').unwrap();
            (block(Kind::Commands, command), block(Kind::Output, shown))
        })
    }
}

/// A line without what differs from run to run: numbers, tokens, the keychain chosen, and how wide
/// the columns of a table are.
pub fn generalized(line: &str) -> String {
    let mut text = line.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(at) = text.find(" stored in the ") {
        text.truncate(at);
        text.push_str(" stored");
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
