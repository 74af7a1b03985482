//! Finding one record is the same as reading them all, whatever became of the file.

use std::fs;

use docker_credential_refresh::keychain::KeychainName;
use docker_credential_refresh::login_record::{Found, LoginRecord, Lookup, RecordStore, Records};
use proptest::prelude::*;

/// Short, so that they share beginnings, and with what JSON writes in another way.
const NAME: &str = "[a-c\"\\\\,:{}\n\u{e9}]{0,4}";

#[derive(Debug, Clone)]
enum Change {
    Nothing,
    /// Bytes at a place, out of 65,536, put in the place of others.
    Splice(u16, usize, Vec<u8>),
    /// A line moved, doubled or removed.
    MoveLine(usize, usize),
    DoubleLine(usize),
    RemoveLine(usize),
    /// The same document by another program.
    Indent,
}

fn changes() -> impl Strategy<Value = Change> {
    let bytes = prop_oneof![
        "[ -~\n]{0,12}".prop_map(String::into_bytes),
        any::<[u8; 2]>().prop_map(Vec::from)
    ];
    prop_oneof![
        3 => Just(Change::Nothing),
        6 => (any::<u16>(), 0..400_usize, bytes).prop_map(|(at, len, new)| Change::Splice(at, len, new)),
        1 => (0..9_usize, 0..9_usize).prop_map(|(from, to)| Change::MoveLine(from, to)),
        1 => (0..9_usize).prop_map(Change::DoubleLine),
        1 => (0..9_usize).prop_map(Change::RemoveLine),
        1 => Just(Change::Indent),
    ]
}

fn change(json: Vec<u8>, change: Change) -> Vec<u8> {
    let lines = |json: &[u8]| -> Vec<Vec<u8>> {
        json.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    };
    match change {
        Change::Nothing => json,
        Change::Splice(at, len, new) => {
            let start = json.len() * usize::from(at) / usize::from(u16::MAX);
            let end = (start + len).min(json.len());
            [&json[..start], &new, &json[end..]].concat()
        }
        Change::MoveLine(from, to) => {
            let mut lines = lines(&json);
            let line = lines.remove(from % lines.len());
            lines.insert(to % (lines.len() + 1), line);
            lines.concat()
        }
        Change::DoubleLine(at) => {
            let mut lines = lines(&json);
            let at = at % lines.len();
            lines.insert(at, lines[at].clone());
            lines.concat()
        }
        Change::RemoveLine(at) => {
            let mut lines = lines(&json);
            let _removed = lines.remove(at % lines.len());
            lines.concat()
        }
        Change::Indent => {
            let document: serde_json::Value = serde_json::from_slice(&json).unwrap();
            serde_json::to_vec_pretty(&document).unwrap()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_login_is_found_as_if_all_records_were_read(
        logins in prop::collection::vec((NAME, NAME, NAME), 0..6),
        rebuilt_for in prop::option::of(NAME),
        what in changes(),
        asked in (NAME, prop::collection::vec(NAME, 1..4)),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let store = RecordStore::new(directory.path().join("state"));
        let mut records = if rebuilt_for.is_some() { Records::rebuilt() } else { Records::default() };
        if let Some(profile) = &rebuilt_for {
            records.set_complete(profile);
        }
        for (profile, key, account) in &logins {
            let record = LoginRecord::new(profile, key, KeychainName::Kernel);
            records.put(LoginRecord { account: account.clone(), ..record });
        }
        store.lock().unwrap().prepare(&records).unwrap().commit().unwrap();
        let written = fs::read(store.file()).unwrap();
        let json = change(written.clone(), what);
        fs::write(store.file(), &json).unwrap();

        let mut questions = vec![asked];
        questions.extend(logins.iter().map(|(profile, key, _)| (profile.clone(), vec![key.clone()])));
        for (profile, keys) in questions {
            let keys = keys.iter().map(String::as_str);
            let expected = match store.read().unwrap() {
                Found::Records(records) => records.look_up(&profile, keys.clone()),
                Found::Damaged(why) => Lookup::Damaged(why),
                Found::Missing => unreachable!("the file is there"),
            };
            let was_there = matches!(records.look_up(&profile, keys.clone()), Lookup::Found(_));
            let found = store.look_up(&profile, keys).unwrap();
            prop_assert!(!was_there || found != Lookup::Absent, "{:?}", String::from_utf8_lossy(&json));
            // A line that is whole is not lost by damage to others.
            let is_whole = matches!((&expected, &found), (Lookup::Damaged(_), Lookup::Found(_)));
            prop_assert!(!is_whole || was_there);
            if !is_whole {
                prop_assert_eq!(found, expected);
            }
        }
    }
}
