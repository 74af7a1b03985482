//! What settings said before `configure` changed them, in our own state directory: `unconfigure`
//! restores them. It holds no secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Document, Previous, Replaced, Setting, Splice, changed_meanwhile, read, replace};
use crate::error::{Error, Kind, Result};
use crate::files::cannot;
use crate::login_record::ConfigureLock;
use crate::protocol::HELPER_NAME;

const FILE_NAME: &str = "configured.json";
const VERSION: u32 = 1;

/// All that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    version: u32,
    /// Docker's files, by path.
    #[serde(default)]
    pub files: BTreeMap<PathBuf, FileUndo>,
    /// `fallback` in our own settings: by registry, or under the empty name the global one.
    #[serde(default)]
    pub fallbacks: BTreeMap<String, Change>,
    /// The same of `personal_tokens`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub personal_tokens: BTreeMap<String, Change>,
    /// The same of `mint`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mint: BTreeMap<String, Change>,
    /// Whether podman, skopeo and buildah are to be left alone by later runs, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_podman: bool,
    /// The age identity that was made for logins that rootless podman can see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<PathBuf>,
    /// Logins that have a new place already, or are about to get one, and must be removed from
    /// these files: if that was cut short, the next run finishes it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taking: Vec<Taking>,
}

/// A login to remove from a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taking {
    /// The file.
    pub file: PathBuf,
    /// The server URL as spelled there.
    pub server_url: String,
}

/// One changed setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What it said.
    #[serde(rename = "former")]
    pub previous: Previous,
    /// What it was set to: if it says something else by now, it is left alone.
    pub set: String,
}

/// What was changed in one file of docker's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileUndo {
    /// There was no file.
    pub created: bool,
    /// `credsStore`
    pub store: Option<Change>,
    /// `credHelpers`, by registry.
    #[serde(default)]
    pub helpers: BTreeMap<String, Change>,
    /// `credHelpers` itself was created.
    #[serde(default)]
    pub made_helpers: bool,
    /// Each change in turn; undone from the last to the first where they still fit, which restores
    /// the exact bytes.
    #[serde(default)]
    pub splices: Vec<Splice>,
}

impl Default for Undo {
    fn default() -> Self {
        Self {
            version: VERSION,
            files: BTreeMap::new(),
            fallbacks: BTreeMap::new(),
            personal_tokens: BTreeMap::new(),
            mint: BTreeMap::new(),
            no_podman: false,
            identity: None,
            taking: Vec::new(),
        }
    }
}

impl Undo {
    /// Where it is kept.
    pub fn file(state: &Path) -> PathBuf {
        state.join(FILE_NAME)
    }

    /// Reads it; a missing one is empty.
    ///
    /// # Errors
    /// It cannot be read, or is damaged.
    pub fn read(state: &Path) -> Result<Self> {
        let path = state.join(FILE_NAME);
        let Some(text) = read::read(&path).map_err(|e| cannot("read", &path, &e))? else {
            return Ok(Self::default());
        };
        let undo: Option<Self> = serde_json::from_str(&text).ok();
        undo.filter(|undo| undo.version == VERSION).ok_or_else(|| {
            Error::new(Kind::Other, format!("cannot understand {}", path.display()))
                .hint("move it away; what configure changed must then be undone by hand")
        })
    }

    /// Writes it, under the lock under which it was read; deletes the file if there is nothing to remember.
    ///
    /// # Errors
    /// It cannot be written, or something that does not ask for the lock has just changed it.
    pub fn write(&self, lock: &ConfigureLock) -> Result<()> {
        let path = Self::file(lock.directory());
        let empty = *self == Self::default();
        let text = serde_json::to_string_pretty(self).map(|json| json + "\n");
        let written = text.map_err(Into::into).and_then(|text| {
            let previous = read::read(&path)?;
            let previous = previous.as_ref().map(|text| text.as_str());
            if previous.is_none() && empty {
                return Ok(Replaced::Yes);
            }
            replace::replace(&path, previous, (!empty).then_some(text.as_str()))
        });
        match written.map_err(|e: std::io::Error| cannot("write", &path, &e))? {
            Replaced::Yes => Ok(()),
            Replaced::ChangedMeanwhile => Err(changed_meanwhile(&path)),
        }
    }
}

impl FileUndo {
    /// Changes a setting and remembers it. One that is ours already keeps its older undo.
    ///
    /// # Errors
    /// As [`Document::set`].
    pub fn set(&mut self, document: &mut Document, setting: &Setting, helper: &str) -> Result<()> {
        let previous = document.previous(setting);
        let made = document.helpers_are_missing();
        self.splices.extend(document.set(setting, helper)?);
        let set = helper.to_owned();
        match setting {
            Setting::Store => {
                let ours =
                    self.store.as_ref().filter(|c| previous == Previous::Text(c.set.clone()));
                let previous = ours.map_or(previous, |change| change.previous.clone());
                self.store = Some(Change { previous, set });
            }
            Setting::Helper(host) => {
                self.made_helpers |= made;
                let known = self.helpers.get(host);
                let ours = known.filter(|c| previous == Previous::Text(c.set.clone()));
                let previous = ours.map_or(previous, |change| change.previous.clone());
                self.helpers.insert(host.clone(), Change { previous, set });
            }
        }
        Ok(())
    }

    /// Removes everything of ours from a file about which nothing is remembered; names each setting as
    /// [`FileUndo::undo`] does.
    ///
    /// # Errors
    /// As [`Document::set`].
    pub fn take_out(document: &mut Document) -> Result<Vec<(Setting, String, Previous)>> {
        let change = || Change { previous: Previous::Absent, set: HELPER_NAME.to_owned() };
        let helpers = document.helpers().into_iter().map(|(host, _)| (host, change()));
        let all = Self { store: Some(change()), helpers: helpers.collect(), ..Self::default() };
        all.undo(document)
    }

    /// Restores each setting that still says what it was set to, and names it, with the value now and
    /// before. What named this helper before our first change still does.
    ///
    /// # Errors
    /// As [`Document::set`].
    pub fn undo(&self, document: &mut Document) -> Result<Vec<(Setting, String, Previous)>> {
        let before = document.clone();
        let mut undone = Vec::new();
        let store = self.store.iter().map(|change| (Setting::Store, change));
        let helpers =
            self.helpers.iter().map(|(host, change)| (Setting::Helper(host.clone()), change));
        for (setting, change) in store.chain(helpers) {
            let Previous::Text(says) = document.previous(&setting) else { continue };
            if change.set == says {
                let previous = change.previous.clone();
                document.restore(&setting, &previous)?;
                undone.push((setting, says, previous));
            }
        }
        if self.made_helpers && !undone.is_empty() {
            document.drop_empty_helpers()?;
        }
        if let Some(exact) = self.undone_to_the_byte(&before, document) {
            *document = exact;
        }
        if self.created {
            document.empty_if_nothing_is_said();
        }
        Ok(undone)
    }

    /// The text from before, if the changed parts are untouched.
    fn undone_to_the_byte(&self, now: &Document, wanted: &Document) -> Option<Document> {
        let mut text = zeroize::Zeroizing::new(now.text().to_owned());
        for splice in self.splices.iter().rev() {
            text = splice.undone(&text)?;
        }
        let document = Document::parse(text.to_string(), "", false).ok()?;
        document.says_the_same(wanted).then(|| document.shown_as(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPES: [&str; 20] = [
        "",
        " \n",
        "{}",
        "{}\n",
        "{ }",
        "{\n}\n",
        "{\r\n}\r\n",
        "{\"auths\":{}}",
        "{\"auths\":{\"h\":{\"auth\":\"YTpi\"}},\"x\":[1,{\"y\":null}]}",
        "{\n\t\"auths\": {\n\t\t\"h\": {}\n\t},\n\t\"credsStore\": \"desktop\"\n}",
        "{\r\n  \"credsStore\" : \"pass\",\r\n  \"psFormat\": \"{{.ID}}\\t\"\r\n}\r\n",
        "{\n    \"CredsStore\": \"\",\n    \"credHelpers\": {\n        \"h\": \"ecr-login\"\n    }\n}\n",
        "{\"credHelpers\": {}, \"credsStore\": null}",
        "{\"credHelpers\": null}",
        "{\n\n  \"a\": 1\n\n}",
        "{\"a\":1,\n \"b\":2}",
        "{ \"a\": 1\n , \"b\": 2 }",
        "\n\n  {\"experimental\":\"enabled\"}  \n",
        "{\"credHelpers\":{\"a\":\"b\",\"h\":\"\"},\"credsStore\":\"osxkeychain\"}",
        "{\n\t\"HttpHeaders\": {\"k\": \"caf\u{e9} \\u00e9\"},\n\t\"credHelpers\": {\n\t}\n}\n",
    ];

    fn configured(text: &str, settings: &[(Setting, &str)]) -> (FileUndo, Document) {
        let mut document = Document::parse(text.to_owned(), "f", false).unwrap();
        let mut undo = FileUndo::default();
        for (setting, helper) in settings {
            undo.set(&mut document, setting, helper).unwrap();
            assert_eq!(document.previous(setting), Previous::Text((*helper).to_owned()));
        }
        let json = serde_json::to_string(&undo).unwrap();
        assert!(!json.contains("YTpi"), "a login in our own file: {json}");
        assert_eq!(serde_json::from_str::<FileUndo>(&json).unwrap(), undo);
        (undo, document)
    }

    fn ways() -> Vec<Vec<(Setting, &'static str)>> {
        let helper = |host: &str| Setting::Helper(host.to_owned());
        vec![
            vec![(Setting::Store, "refresh")],
            vec![(helper("h"), "refresh"), (helper("https://index.docker.io/v1/"), "refresh")],
            vec![(Setting::Store, "refresh"), (helper("plain.example:5000"), "")],
            vec![(helper("h"), "refresh"), (Setting::Store, "refresh"), (helper("h"), "refresh")],
        ]
    }

    /// Where the bytes have changed since, what is remembered of the setting counts.
    #[test]
    fn what_was_set_twice_goes_back_to_what_was_there_before_the_first() {
        let text = r#"{"credsStore": "pass", "credHelpers": {"h": "ecr-login"}}"#;
        let twice = |setting: Setting| [(setting.clone(), "refresh"), (setting, "refresh")];
        let settings = [twice(Setting::Store), twice(Setting::Helper("h".to_owned()))].concat();
        let (undo, document) = configured(text, &settings);
        let changed = document.text().replacen('{', "{\"experimental\": \"enabled\", ", 1);
        let mut changed = Document::parse(changed, "f", false).unwrap();
        undo.undo(&mut changed).unwrap();
        let pass = Previous::Text("pass".to_owned());
        assert_eq!(changed.previous(&Setting::Store), pass, "{}", changed.text());
        let helper = changed.previous(&Setting::Helper("h".to_owned()));
        assert_eq!(helper, Previous::Text("ecr-login".to_owned()), "{}", changed.text());
    }

    #[test]
    fn the_very_bytes_come_back() {
        for text in SHAPES {
            for settings in ways() {
                let (undo, mut document) = configured(text, &settings);
                let undone = undo.undo(&mut document).unwrap();
                assert_eq!(document.text(), text, "{settings:?}");
                assert!(!undone.is_empty());
            }
        }
    }

    #[test]
    fn after_docker_wrote_the_file_anew_the_same_is_said() {
        for text in SHAPES {
            for settings in ways() {
                let (undo, document) = configured(text, &settings);
                let value: serde_json::Value = serde_json::from_str(document.text()).unwrap();
                let anew = serde_json::to_string_pretty(&value).unwrap();
                let mut document = Document::parse(anew, "f", false).unwrap();
                undo.undo(&mut document).unwrap();
                let previous = Document::parse(text.to_owned(), "f", false).unwrap();
                assert!(document.says_the_same(&previous), "{text:?} {}", document.text());
            }
        }
    }

    #[test]
    fn what_was_changed_by_hand_since_is_left_alone() {
        let (undo, _) = configured("{\"credsStore\":\"a\"}", &ways()[2]);
        let text = "{\"credsStore\":\"b\",\"credHelpers\":{\"plain.example:5000\":\"c\"}}";
        let mut document = Document::parse(text.to_owned(), "f", false).unwrap();
        assert_eq!(undo.undo(&mut document).unwrap(), []);
        assert_eq!(document.text(), text);
    }

    #[test]
    fn without_a_memory_ours_is_taken_out() {
        let text = "{\"credsStore\":\"refresh\",\"credHelpers\":{\"a\":\"refresh\",\"b\":\"\"}}";
        let mut document = Document::parse(text.to_owned(), "f", false).unwrap();
        assert_eq!(FileUndo::take_out(&mut document).unwrap().len(), 2);
        assert_eq!(document.text(), "{\"credHelpers\":{\"b\":\"\"}}");
    }

    #[test]
    fn what_named_this_helper_before_goes_on_doing_so() {
        let text = "{\"credHelpers\":{\"a\":\"refresh\"}}";
        let (undo, mut document) = configured(text, &ways()[0]);
        undo.undo(&mut document).unwrap();
        assert_eq!(document.text(), text);
        assert_eq!(FileUndo::default().undo(&mut document).unwrap(), []);
    }
}
