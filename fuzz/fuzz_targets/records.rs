//! The records' file, in any layout: finding one login without parsing all is the same as parsing all,
//! and what is written is read as it was.
#![no_main]

use docker_credential_refresh::login_record::fuzzing::{look_up, parse, to_json};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(records) = parse(data) else {
        let _no_panic = look_up(data, "default", &["h"]);
        return;
    };
    let json = to_json(&records);
    let again = parse(&json).expect("what was written is read");
    assert_eq!(again, records, "{}", String::from_utf8_lossy(&json));
    assert_eq!(to_json(&again), json);
    let mut asked: Vec<(&str, Vec<&str>)> = vec![("default", vec!["h"]), ("", vec![""])];
    for login in records.all() {
        let (profile, key) = (login.profile.as_str(), login.key.as_str());
        let parent = key.rsplit_once('/').map_or(key, |(parent, _)| parent);
        asked.extend([(profile, vec![key]), (profile, vec![parent]), (profile, vec!["x", key])]);
        asked.push((key, vec![profile]));
    }
    for (profile, keys) in asked {
        let expected = records.look_up(profile, keys.iter().copied());
        assert_eq!(look_up(&json, profile, &keys), Some(expected), "{profile} {keys:?}");
        let _no_panic = look_up(data, profile, &keys);
    }
    // One byte that another hand changed: no login is taken for absent.
    let at = data.iter().fold(7_usize, |sum, byte| sum.wrapping_mul(31) + usize::from(*byte));
    let mut changed = json.clone();
    changed[at % json.len()] ^= 1 << (at % 8);
    let found = look_up(&changed, "default", &["nowhere.example"]);
    assert_eq!(found, None, "{}", String::from_utf8_lossy(&changed));
});
