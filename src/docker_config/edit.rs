//! Single changes to JSON text that leave every other byte as it is.
//!
//! Each is one splice at a place that the parser names. (The parser's own tree editor would spread
//! a one-line object over several lines.)

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Replaces `was` at `at` with `is`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Splice {
    /// The place, in bytes.
    pub at: usize,
    /// What was there.
    pub was: String,
    /// What is there now.
    pub is: String,
}

impl Splice {
    /// The text without this change; none if it is not there.
    pub fn undone(&self, text: &str) -> Option<Zeroizing<String>> {
        let (before, rest) = text.split_at_checked(self.at)?;
        let after = rest.strip_prefix(self.is.as_str())?;
        Some(Zeroizing::new([before, &self.was, after].concat()))
    }
}

/// Parses strict JSON, as the clients do; or names the line that is not. Nothing is quoted, since
/// it could be a password. White space alone is nothing.
pub(super) fn parse(text: &str) -> Result<Option<Value<'_>>, usize> {
    let strict = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    // The parser of the tree takes control characters in strings, which the clients refuse.
    if !text.trim_matches([' ', '\t', '\r', '\n']).is_empty() {
        serde_json::from_str::<IgnoredAny>(text).map_err(|error| error.line())?;
    }
    parse_to_ast(text, &CollectOptions::default(), &strict)
        .map(|parsed| parsed.value)
        .map_err(|error| error.line_display())
}

/// Whether Go's `encoding/json` takes a property for this field: whatever its case, and with the long s
/// and the Kelvin sign as the letters they fold to.
pub(super) fn is_field(property: &ObjectProp<'_>, field: &str) -> bool {
    let written = property.name.as_str().chars().map(|c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    });
    written.eq(field.chars().map(|c| c.to_ascii_lowercase()))
}

/// Finds a field.
pub(super) fn find<'o, 't>(object: &'o Object<'t>, field: &str) -> Option<&'o ObjectProp<'t>> {
    object.properties.iter().find(|property| is_field(property, field))
}

/// A step into a document.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'a> {
    /// A field, as [`is_field`] compares it.
    Field(&'a str),
    /// A registry's name, to the byte.
    Registry(&'a str),
}

impl<'a> Step<'a> {
    /// The name.
    pub(super) fn name(self) -> &'a str {
        match self {
            Self::Field(name) | Self::Registry(name) => name,
        }
    }

    /// Where it leads, as an index.
    pub(super) fn find_in(self, object: &Object<'_>) -> Option<usize> {
        object.properties.iter().position(|property| match self {
            Self::Field(name) => is_field(property, name),
            Self::Registry(name) => property.name.as_str() == name,
        })
    }
}

/// Replaces a value.
pub(super) fn replace(text: &mut Zeroizing<String>, place: Range, json: &str) -> Splice {
    let was = text[place.start..place.end].to_owned();
    let changed = [&text[..place.start], json, &text[place.end..]].concat();
    *text = Zeroizing::new(changed);
    Splice { at: place.start, was, is: json.to_owned() }
}

/// Adds a property at the end of an object, in the style of the one before it.
pub(super) fn append(
    text: &mut Zeroizing<String>,
    object: &Object<'_>,
    name: &str,
    json: &str,
) -> Splice {
    let name = quoted(name);
    let Some(last) = object.properties.last() else {
        let inside = Range::new(object.start() + 1, object.end() - 1);
        let (end, outer, unit) = style(text, object.start());
        let filled = format!("{end}{outer}{unit}{name}: {json}{end}{outer}");
        return replace(text, inside, &filled);
    };
    let gap = match object.properties.len() {
        // `{ "a": 1}`: what comes before the only property is the style too.
        1 => &text[object.start() + 1..last.start()],
        n => {
            let between = &text[object.properties[n - 2].end()..last.start()];
            between.split_once(',').map_or("", |(_, after)| after)
        }
    };
    let colon = &text[last.name.end()..last.value.start()];
    let added = format!(",{gap}{name}{colon}{json}");
    replace(text, Range::from_byte_index(last.end()), &added)
}

/// Removes a property with the comma and the white space that were there for it. No [`Splice`]
/// records it, since it may be a password.
pub(super) fn remove(text: &mut Zeroizing<String>, object: &Object<'_>, at: usize) {
    let properties = &object.properties;
    let place = match (at.checked_sub(1), properties.get(at + 1)) {
        (Some(before), _) => Range::new(properties[before].end(), properties[at].end()),
        (None, Some(next)) => Range::new(properties[at].start(), next.start()),
        (None, None) => Range::new(object.start() + 1, object.end() - 1),
    };
    *text = Zeroizing::new([&text[..place.start], &text[place.end..]].concat());
}

/// A string as JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Line end, indentation of the line at `place`, and one step of it, as the file has them.
fn style(text: &str, place: usize) -> (&'static str, String, String) {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let blank =
        |line: &str| -> String { line.chars().take_while(|c| matches!(c, ' ' | '\t')).collect() };
    let line_start = text[..place].rfind('\n').map_or(0, |at| at + 1);
    let step = text.lines().map(blank).find(|indent| !indent.is_empty());
    // Docker's own step.
    (end, blank(&text[line_start..place]), step.unwrap_or_else(|| "\t".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object<'a>(value: &'a Option<Value<'_>>) -> &'a Object<'a> {
        value.as_ref().and_then(Value::as_object).unwrap()
    }

    fn appended(text: &str) -> String {
        let value = parse(text).unwrap();
        let mut changed = Zeroizing::new(text.to_owned());
        let splice = append(&mut changed, object(&value), "k", "\"v\"");
        assert_eq!(*splice.undone(&changed).unwrap(), text);
        changed.to_string()
    }

    fn without(text: &str, at: usize) -> String {
        let value = parse(text).unwrap();
        let mut changed = Zeroizing::new(text.to_owned());
        remove(&mut changed, object(&value), at);
        parse(&changed).unwrap();
        changed.to_string()
    }

    #[test]
    fn a_property_is_added_in_the_style_of_the_file() {
        for (before, after) in [
            ("{}", "{\n\t\"k\": \"v\"\n}"),
            ("{\r\n}\r\n", "{\r\n\t\"k\": \"v\"\r\n}\r\n"),
            (r#"{"a":1}"#, r#"{"a":1,"k":"v"}"#),
            (r#"{"a":1, "b":2}"#, r#"{"a":1, "b":2, "k":"v"}"#),
            ("{\n    \"a\": 1\n}", "{\n    \"a\": 1,\n    \"k\": \"v\"\n}"),
            ("{\r\n\t\"a\" : {}\r\n}", "{\r\n\t\"a\" : {},\r\n\t\"k\" : \"v\"\r\n}"),
            ("{ \"a\": 1\n, \"b\": 2 }", "{ \"a\": 1\n, \"b\": 2, \"k\": \"v\" }"),
        ] {
            assert_eq!(appended(before), after);
        }
    }

    #[test]
    fn a_property_goes_with_its_comma_and_line() {
        assert_eq!(without("{\n\t\"a\": 1,\n\t\"b\": 2\n}", 0), "{\n\t\"b\": 2\n}");
        assert_eq!(without("{\n\t\"a\": 1,\n\t\"b\": 2\n}", 1), "{\n\t\"a\": 1\n}");
        assert_eq!(without("{\"a\":1,\"b\":2,\"c\":3}", 1), "{\"a\":1,\"c\":3}");
        assert_eq!(without("{\n \"a\": 1\n}\n", 0), "{}\n");
    }

    #[test]
    fn what_the_clients_cannot_read_is_refused_by_line() {
        for (text, line) in [
            ("{\n// x\n}", 2),
            ("{\"a\":1,}", 1),
            ("{\n'a':1}", 2),
            ("\u{feff}{}", 1),
            ("{\"a\":1} x", 1),
            ("{a:1}", 1),
            ("{\"a\":0x1}", 1),
            ("{\"a\"\n", 2),
            ("{\n\"a\":\"\u{1}\"}", 2),
            ("{\"a\":\"\t\"}", 1),
        ] {
            assert_eq!(parse(text).map(|_| ()), Err(line), "{text:?}");
        }
        assert!(parse("").unwrap().is_none() && parse(" \n").unwrap().is_none());
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
