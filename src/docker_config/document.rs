//! The text of a `config.json` or `auth.json`, what it says, and changes to that.

use jsonc_parser::ast::{Object, Value};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::check::{AUTHS, CRED_HELPERS, CREDS_STORE, Wrong, check};
use super::edit::{self, Splice, Step};
use crate::error::{Error, Kind, Result};

/// A setting that names a helper.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// `credsStore`
    Store,
    /// `credHelpers`, for this registry
    Helper(String),
}

/// The value of a setting before it was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Previous {
    /// It was not there.
    Absent,
    /// It was there, and null.
    Null,
    /// This.
    Text(String),
}

/// A whole file in memory. It may hold passwords: no Debug.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    text: Zeroizing<String>,
    shown: String,
    pub(super) legacy: bool,
}

impl Document {
    /// Understands the text of a file; `shown` names it in errors. White space alone is an empty
    /// file, as for docker. A `.dockercfg` (`legacy`) is as a whole what others have under `auths`.
    ///
    /// # Errors
    /// Not the JSON that the clients read, by its line; or a part of the wrong type.
    pub fn parse(text: impl Into<Zeroizing<String>>, shown: &str, legacy: bool) -> Result<Self> {
        let document = Self { text: text.into(), shown: shown.to_owned(), legacy };
        document.check()?;
        Ok(document)
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value of a setting.
    pub fn previous(&self, setting: &Setting) -> Previous {
        self.with_root(|root| {
            let value = root.and_then(|root| match setting {
                Setting::Store => Some(&edit::find(root, CREDS_STORE)?.value),
                Setting::Helper(host) => {
                    let helpers = edit::find(root, CRED_HELPERS)?.value.as_object()?;
                    Some(&helpers.get(host)?.value)
                }
            });
            match value {
                None => Previous::Absent,
                Some(Value::StringLit(text)) => Previous::Text(text.value.to_string()),
                Some(_) => Previous::Null,
            }
        })
    }

    /// The helper that a setting names; an empty name is none, as for docker.
    pub fn helper(&self, setting: &Setting) -> Option<String> {
        match self.previous(setting) {
            Previous::Text(name) if !name.is_empty() => Some(name),
            _ => None,
        }
    }

    /// `credHelpers`: registry to helper, in the file's order; a null is an empty name, as in Go.
    pub fn helpers(&self) -> Vec<(String, String)> {
        self.with_root(|root| {
            let root = root.filter(|_| !self.legacy);
            let helpers = root.and_then(|root| edit::find(root, CRED_HELPERS)?.value.as_object());
            let pairs = helpers.into_iter().flat_map(|helpers| &helpers.properties);
            let pair = |property: &jsonc_parser::ast::ObjectProp<'_>| {
                let helper = property.value.as_string_lit();
                let helper = helper.map(|name| name.value.to_string()).unwrap_or_default();
                (property.name.as_str().to_owned(), helper)
            };
            pairs.map(pair).collect()
        })
    }

    /// Names a helper in a setting, and returns the changes, which are undone from the last to the
    /// first.
    ///
    /// # Errors
    /// None in a document that was checked.
    pub fn set(&mut self, setting: &Setting, helper: &str) -> Result<Vec<Splice>> {
        let mut splices = Vec::new();
        if self.root_is_missing() {
            let was = self.text.to_string();
            self.text = Zeroizing::new("{}\n".into());
            splices.push(Splice { at: 0, was, is: "{}\n".into() });
        }
        let json = edit::quoted(helper);
        let splice = match setting {
            Setting::Store => self.put(&[], Step::Field(CREDS_STORE), &json)?,
            Setting::Helper(host) => {
                if self.helpers_are_missing() {
                    splices.push(self.put(&[], Step::Field(CRED_HELPERS), "{}")?);
                }
                self.put(&[Step::Field(CRED_HELPERS)], Step::Registry(host), &json)?
            }
        };
        splices.push(splice);
        Ok(splices)
    }

    /// Restores the previous value of a setting.
    ///
    /// # Errors
    /// As [`Document::set`].
    pub fn restore(&mut self, setting: &Setting, previous: &Previous) -> Result<()> {
        let (path, name): (&[Step<'_>], Step<'_>) = match setting {
            Setting::Store => (&[], Step::Field(CREDS_STORE)),
            Setting::Helper(host) => (&[Step::Field(CRED_HELPERS)], Step::Registry(host)),
        };
        match previous {
            Previous::Absent => self.cut(path, name),
            Previous::Null => self.put(path, name, "null").map(drop),
            Previous::Text(text) => self.put(path, name, &edit::quoted(text)).map(drop),
        }
    }

    /// Removes `credHelpers`, if nothing is in it.
    ///
    /// # Errors
    /// As [`Document::set`].
    pub fn drop_empty_helpers(&mut self) -> Result<()> {
        let empty = |root: &Object<'_>| {
            edit::find(root, CRED_HELPERS)
                .and_then(|property| property.value.as_object())
                .is_some_and(|helpers| helpers.properties.is_empty())
        };
        if self.with_root(|root| root.is_some_and(empty)) {
            self.cut(&[], Step::Field(CRED_HELPERS))?;
        }
        Ok(())
    }

    /// Whether there is no `credHelpers` to put a registry in.
    pub(super) fn helpers_are_missing(&self) -> bool {
        self.with_root(|root| root.is_none_or(|root| !has_object(root, CRED_HELPERS)))
    }

    /// Whether nothing else is in it than what podman, skopeo and buildah know: the rest is lost when they
    /// write it (podman 4.3, skopeo 1.9).
    pub fn is_podmans(&self) -> bool {
        let known = |name: &str| [AUTHS, CRED_HELPERS].contains(&name);
        !self.legacy
            && self.with_root(|root| {
                let mut names = root.into_iter().flat_map(|root| &root.properties);
                names.all(|property| known(property.name.as_str()))
            })
    }

    /// Whether both mean the same, whatever their white space; an empty file is an empty object,
    /// and a null is nothing.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let value = |document: &Self| -> Option<serde_json::Map<_, _>> {
            let text = document.text.trim();
            let text = if text.is_empty() { "{}" } else { text };
            let mut map: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(text).ok()?;
            map.retain(|_, value| !value.is_null());
            Some(map)
        };
        let (mine, others) = (value(self), value(other));
        mine.is_some() && mine == others
    }

    /// Removes the whole text, where nothing is left in it.
    pub(super) fn empty_if_nothing_is_said(&mut self) {
        if self.with_root(|root| root.is_none_or(|root| root.properties.is_empty())) {
            self.text = Zeroizing::default();
        }
    }

    /// The same text as part of another's file.
    pub(super) fn shown_as(self, other: &Self) -> Self {
        Self { shown: other.shown.clone(), ..self }
    }

    fn put(&mut self, path: &[Step<'_>], name: Step<'_>, json: &str) -> Result<Splice> {
        self.change(path, |text, object| match name.find_in(object) {
            Some(at) => {
                let place = jsonc_parser::common::Ranged::range(&object.properties[at].value);
                edit::replace(text, place, json)
            }
            None => edit::append(text, object, name.name(), json),
        })
    }

    pub(super) fn cut(&mut self, path: &[Step<'_>], name: Step<'_>) -> Result<()> {
        self.change(path, |text, object| {
            if let Some(at) = name.find_in(object) {
                edit::remove(text, object, at);
            }
        })
    }

    fn change<T>(
        &mut self,
        path: &[Step<'_>],
        change: impl FnOnce(&mut Zeroizing<String>, &Object<'_>) -> T,
    ) -> Result<T> {
        let mut changed = self.text.clone();
        let outcome = self.with_object(path, |object| change(&mut changed, object))?;
        self.text = changed;
        self.check()?;
        Ok(outcome)
    }

    pub(super) fn with_object<T>(
        &self,
        path: &[Step<'_>],
        then: impl FnOnce(&Object<'_>) -> T,
    ) -> Result<T> {
        self.with_root(|root| {
            let mut object = root?;
            for step in path {
                let at = step.find_in(object)?;
                object = object.properties[at].value.as_object()?;
            }
            Some(then(object))
        })
        .ok_or_else(|| self.wrong("no longer has that part"))
    }

    pub(super) fn with_root<T>(&self, then: impl FnOnce(Option<&Object<'_>>) -> T) -> T {
        // It was checked.
        let value = edit::parse(&self.text).ok().flatten();
        then(value.as_ref().and_then(Value::as_object))
    }

    fn root_is_missing(&self) -> bool {
        self.with_root(|root| root.is_none())
    }

    fn check(&self) -> Result<()> {
        check(&self.text, self.legacy).map_err(|wrong| match wrong {
            Wrong::Syntax(line) => {
                let message = format!("cannot understand {}, line {line}", self.shown);
                Error::new(Kind::Other, message).hint(
                    "correct that line, or move the file away; the clients cannot read it either",
                )
            }
            Wrong::Part(why) => self.wrong(&why),
        })
    }

    fn wrong(&self, why: &str) -> Error {
        Error::new(Kind::Other, format!("{} {why}", self.shown))
            .hint("correct it, or move the file away")
    }
}

fn has_object(root: &Object<'_>, name: &str) -> bool {
    edit::find(root, name).is_some_and(|property| property.value.as_object().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::parse(text.to_owned(), "config.json", false)
            .unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn settings_are_set_and_given_back() {
        let text = "{\n\t\"auths\": {},\n\t\"CredsStore\": \"desktop\"\n}";
        let mut changed = document(text);
        assert_eq!(changed.previous(&Setting::Store), Previous::Text("desktop".into()));
        changed.set(&Setting::Store, "refresh").unwrap();
        let hub = Setting::Helper("h:5000".into());
        changed.set(&hub, "").unwrap();
        assert_eq!(changed.helpers(), [("h:5000".to_owned(), String::new())]);
        assert_eq!(changed.helper(&hub), None);
        assert!(
            changed.text().contains(
                "\"CredsStore\": \"refresh\",\n\t\"credHelpers\": {\n\t\t\"h:5000\": \"\"\n\t}"
            ),
            "{}",
            changed.text()
        );
        changed.restore(&hub, &Previous::Absent).unwrap();
        changed.drop_empty_helpers().unwrap();
        changed.restore(&Setting::Store, &Previous::Text("desktop".into())).unwrap();
        assert_eq!(changed.text(), text);
    }

    #[test]
    fn a_setting_goes_into_an_empty_file_and_beside_others() {
        for empty in ["", " \n"] {
            let mut changed = document(empty);
            let splices = changed.set(&Setting::Helper("h".into()), "refresh").unwrap();
            assert_eq!(changed.helpers(), [("h".to_owned(), "refresh".to_owned())]);
            let undone = splices.iter().rev().try_fold(changed.text, |text, s| s.undone(&text));
            assert_eq!(undone.unwrap().as_str(), empty);
        }
        let mut changed = document(r#"{"credHelpers": {"a": "x"}}"#);
        changed.set(&Setting::Helper("b".into()), "refresh").unwrap();
        assert_eq!(changed.text(), r#"{"credHelpers": {"a": "x","b": "refresh"}}"#);
    }

    #[test]
    fn podman_writes_a_file_anew_and_loses_what_it_does_not_know() {
        for (text, is_podmans) in [
            ("", true),
            (r#"{"auths":{},"credHelpers":{}}"#, true),
            (r#"{"auths":{},"credsStore":"x"}"#, false),
            (r#"{"HttpHeaders":{}}"#, false),
        ] {
            assert_eq!(document(text).is_podmans(), is_podmans, "{text}");
        }
        assert!(!Document::parse("{}".to_owned(), ".dockercfg", true).unwrap().is_podmans());
    }

    #[test]
    fn files_are_compared_by_what_they_say() {
        let same = |one: &str, other: &str| document(one).says_the_same(&document(other));
        assert!(same("", "{}\n") && same(r#"{"a":1, "b":null}"#, "{\n\"a\": 1\n}"));
        assert!(!same("", r#"{"a":1}"#) && !same(r#"{"a":1}"#, r#"{"a":2}"#));
        // What this parser cannot hold is not taken for the same.
        assert!(!same(r#"{"a":1e999}"#, r#"{"a":1e999}"#));
        for (text, left) in [("{ }\n", ""), (" \n", ""), (r#"{"a":1}"#, r#"{"a":1}"#)] {
            let mut document = document(text);
            document.empty_if_nothing_is_said();
            assert_eq!(document.text(), left);
        }
        let other = Document::parse("{}".to_owned(), "auth.json", false).unwrap();
        let wrong = document(r#"{"a":1}"#).shown_as(&other).wrong("x");
        assert!(wrong.to_string().starts_with("auth.json x"), "{wrong}");
    }

    #[test]
    fn a_login_is_taken_out_and_nothing_else() {
        let mut changed = document(
            r#"{"auths": {"a": {"auth": "YTpi", "email": "e"}, "b": {"auth": "YTpi"}, "c": {}}}"#,
        );
        let entries = changed.entries();
        assert_eq!(entries.len(), 2);
        for entry in &entries {
            assert!(changed.remove(entry).unwrap());
            assert!(!changed.remove(entry).unwrap());
        }
        assert_eq!(changed.text(), r#"{"auths": {"a": {"email": "e"}, "c": {}}}"#);
        let mut other = document(r#"{"auths":{"a":{"auth":"YTpj","email":"e"}}}"#);
        assert!(!other.remove(&entries[0]).unwrap(), "another password came meanwhile");
    }

    #[test]
    fn a_secret_is_read_again_and_only_the_one_that_was_seen() {
        let seen = document(r#"{"auths":{"a":{"auth":"YTpi"}}}"#);
        let entry = &seen.entries()[0];
        let secret = |text| document(text).secret_of(entry).map(|s| s.expose().to_owned());
        assert_eq!(secret(seen.text()).as_deref(), Some("b"));
        assert_eq!(
            secret(r#"{"auths":{"a":{"username":"a","password":"b"}}}"#).as_deref(),
            Some("b")
        );
        for other in [
            r#"{"auths":{"a":{"auth":"YTpj"}}}"#,
            r#"{"auths":{"a":{"auth":"YTpi","identitytoken":"b"}}}"#,
            r#"{"auths":{"b":{"auth":"YTpi"}}}"#,
            "{}",
        ] {
            assert_eq!(secret(other), None, "{other}");
        }
        let settings = r#"{"credsStore":"x"}"#;
        let whole = r#"{"auths":{"a":{"auth":"YTpi"}},"credsStore":"x"}"#;
        let left = document(whole).without_logins().unwrap();
        assert!(left.entries().is_empty() && left.helpers() == document(settings).helpers());
        assert_eq!(left.helper(&Setting::Store).as_deref(), Some("x"));
    }

    #[test]
    fn a_dockercfg_is_read_and_emptied_as_well() {
        let text = r#"{"credHelpers": {"auth": "YTpi"}, "h": {"auth": "YTpi", "email": "e"}}"#;
        let mut changed = Document::parse(text.to_owned(), ".dockercfg", true).unwrap();
        assert!(changed.helpers().is_empty());
        for entry in changed.entries() {
            assert!(changed.remove(&entry).unwrap());
        }
        assert_eq!(changed.text(), r#"{"h": {"email": "e"}}"#);
    }

    #[test]
    fn an_entry_with_a_field_twice_is_left_alone() {
        let text = r#"{"auths":{"h":{"auth":"YTpi","AUTH":"YTpj"}}}"#;
        let entries = document(text).entries();
        assert!(matches!(entries[0].kind, crate::docker_config::EntryKind::Damaged(_)));
    }

    #[test]
    fn what_is_of_another_kind_is_refused_without_quoting_it() {
        for text in [
            "[]",
            "\"hunter2\"",
            r#"{"credsStore":1}"#,
            r#"{"credsStore":{}}"#,
            r#"{"credHelpers":"hunter2"}"#,
            r#"{"auths":"hunter2"}"#,
            r#"{"credsStore":"a","credsstore":"b"}"#,
            r#"{"credsStore":"a","cred\u017fStore":"b"}"#,
            r#"{"credHelpers":{"h":1}}"#,
            r#"{"credHelpers":{"h":"a","h":"b"}}"#,
            r#"{"auths":{"hunter2":"hunter2"}}"#,
            r#"{"auths":["hunter2"]}"#,
            "{\"auths\":{\n\"h\":{\"auth\":\"hunter2}}}",
        ] {
            let error = Document::parse(text.to_owned(), "config.json", false).err().unwrap();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        for text in ["[]", r#"{"hunter2":"hunter2"}"#, r#"{"h":{"auth":""},"h":null}"#] {
            assert!(Document::parse(text.to_owned(), ".dockercfg", true).is_err(), "{text}");
        }
    }

    #[test]
    fn null_is_nothing_as_in_go() {
        for (text, legacy) in [
            (r#"{"auths":null,"credsStore":null,"credHelpers":null}"#, false),
            (r#"{"auths":{"h":null},"credHelpers":{"h":null}}"#, false),
            (r#"{"h":null}"#, true),
        ] {
            let document = Document::parse(text.to_owned(), "config.json", legacy).unwrap();
            assert!(document.entries().is_empty(), "{text}");
            assert!(document.helpers().iter().all(|(_, helper)| helper.is_empty()), "{text}");
        }
    }
}
