//! The Public Suffix List, and the registrable domain of a name by it.
//!
//! The list is a tree in text, read from the right end of a name, one top-level domain per line.
//! `uk(co,gov(service))` has the rules `uk`, `co.uk`, `gov.uk` and `service.gov.uk`; in square
//! brackets are rules below a name that is not one itself. `*` and `!` mean what they do in the list.
//! As code, as the `psl` crate has it, it takes seven times the space.

/// Made by `cargo run --example public-suffixes`; a test tells when that has to be done again.
const RULES: &str = include_str!("public_suffixes.txt");

/// The public suffix of a host name in lower case with the label before it; none for a name that is
/// a public suffix itself. A top-level domain that is not in the list is one.
pub fn registrable_domain(name: &str) -> Option<&str> {
    let label_before = |end: usize| name[..end].rfind('.').map_or(0, |dot| dot + 1);
    let mut suffix = label_before(name.len());
    // Of the first level, the one line.
    let is_of_name = |line: &&str| {
        let below = line.strip_prefix(&name[suffix..]);
        below.is_some_and(|below| below.is_empty() || below.starts_with(['(', '[']))
    };
    let (mut rules, mut end) = (RULES.lines().find(is_of_name).unwrap_or_default(), name.len());
    loop {
        let start = label_before(end);
        let (mut below, mut is_rule, mut is_exception) = ("", false, false);
        for (label, is_one, rules_below) in branches(rules) {
            if label == &name[start..end] {
                below = rules_below;
                is_rule |= is_one;
            }
            is_rule |= label == "*";
            is_exception |= label.strip_prefix('!') == Some(&name[start..end]);
        }
        if is_exception {
            // What is left of the rule without its first label.
            suffix = end + 1;
            break;
        }
        if is_rule {
            suffix = start;
        }
        if start == 0 || below.is_empty() {
            break;
        }
        (rules, end) = (below, start - 1);
    }
    let before = suffix.checked_sub(1)?;
    Some(&name[label_before(before)..])
}

/// Each label, whether the name that it completes is a rule, and what is below it.
fn branches(rules: &str) -> impl Iterator<Item = (&str, bool, &str)> {
    let mut depth = 0;
    let is_between = move |c| {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        depth == 0 && c == ','
    };
    rules.split(is_between).map(|branch| match branch.split_once(['(', '[']) {
        None => (branch, true, ""),
        Some((label, below)) => (label, below.ends_with(')'), &below[..below.len() - 1]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every rule is tried in `tests/public_suffixes.rs`.
    #[test]
    fn rules_wildcards_and_exceptions() {
        for (name, domain) in [
            ("a.b.example.com", Some("example.com")),
            ("com", None),
            ("a.example.co.uk", Some("example.co.uk")),
            ("co.uk", None),
            // `*.ck` and `!www.ck`.
            ("a.b.other.ck", Some("b.other.ck")),
            ("other.ck", None),
            ("a.www.ck", Some("www.ck")),
            // `*.kawasaki.jp` and `!city.kawasaki.jp`, below the rule `jp`.
            ("a.b.c.kawasaki.jp", Some("b.c.kawasaki.jp")),
            ("a.city.kawasaki.jp", Some("city.kawasaki.jp")),
            // No rule: the last label counts as one.
            ("a.b.unknown-tld", Some("b.unknown-tld")),
        ] {
            assert_eq!(registrable_domain(name), domain, "{name}");
        }
    }
}
