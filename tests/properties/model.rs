//! `store`, `get`, `erase` and `list` of the built helper against a map.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::user::{NOT_FOUND, User};

/// Spellings, each with its key and the keys a `get` falls back to.
const SPELLINGS: &[(&str, &[&str])] = &[
    ("registry.example.com", &["r"]),
    ("https://REGISTRY.example.com/v2/", &["r"]),
    ("http://registry.example.com:80", &["r"]),
    ("registry.example.com:443\n", &["r"]),
    ("registry.example.com:80", &["r80"]),
    ("http://registry.example.com:443", &["r443"]),
    ("registry.example.com/team/app", &["r/team/app", "r/team", "r"]),
    ("https://registry.example.com/team/", &["r/team", "r"]),
    ("registry.example.com:80/team", &["r80/team", "r80"]),
    ("docker.io", &["hub"]),
    ("https://index.docker.io/v1/", &["hub"]),
    ("index.docker.io/library/alpine", &["hub/alpine", "hub/library", "hub"]),
    ("https://index.docker.io/v1/access-token", &["oauth"]),
];

#[derive(Debug, Clone)]
enum Step {
    Store(usize, String),
    Get(usize),
    Erase(usize),
    List,
    /// The records are gone or damaged: no login is lost by that.
    Damage(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let which = 0..SPELLINGS.len();
    let step = prop_oneof![
        4 => (which.clone(), "[!-~]{1,30}").prop_map(|(at, token)| Step::Store(at, token)),
        4 => which.clone().prop_map(Step::Get),
        3 => which.prop_map(Step::Erase),
        1 => Just(Step::List),
        1 => any::<bool>().prop_map(Step::Damage),
    ];
    prop::collection::vec(step, 1..14)
}

/// What was stored: by key, the spelling and the token.
type Model = BTreeMap<&'static str, (&'static str, String)>;

fn take(user: &User, model: &mut Model, step: &Step) {
    let (url, keys) = match step {
        Step::Store(at, _) | Step::Get(at) | Step::Erase(at) => SPELLINGS[*at],
        _ => ("", &[][..]),
    };
    match step {
        Step::Store(_, token) => {
            user.store(url, "<token>", token).succeeded();
            model.insert(keys[0], (url, token.clone()));
        }
        Step::Get(_) => {
            let outcome = user.get(url);
            let found = keys.iter().find_map(|key| model.get(key));
            let Some((_, token)) = found else {
                assert_eq!((outcome.code, outcome.stdout.as_str()), (1, NOT_FOUND));
                return;
            };
            let answer: Value = serde_json::from_str(&outcome.succeeded().stdout).unwrap();
            let asked = url.trim_end();
            let expected = json!({"ServerURL": asked, "Username": "<token>", "Secret": token});
            assert_eq!(answer, expected);
        }
        Step::Erase(_) => {
            user.erase(url).succeeded();
            model.remove(keys[0]);
        }
        Step::List => {
            let listed = user.list();
            assert_eq!(listed.as_object().unwrap().len(), model.len(), "{listed}");
        }
        Step::Damage(gone) => {
            let file = user.records_file();
            if file.exists() && *gone {
                std::fs::remove_file(file).unwrap();
            } else if file.exists() {
                std::fs::write(file, "{\"version\":1,\"logins\":[{").unwrap();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_sequence_of_verbs_does_what_a_map_would(steps in steps()) {
        let user = User::new();
        let mut model = Model::new();
        for step in &steps {
            take(&user, &mut model, step);
        }
        // In the end every spelling answers as it should.
        for at in 0..SPELLINGS.len() {
            take(&user, &mut model, &Step::Get(at));
        }
        take(&user, &mut model, &Step::List);
        prop_assert_eq!(user.keychain().list().unwrap().logins.len(), model.len());
    }
}
