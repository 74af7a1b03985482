//! What `store` reads and what `get` and `list` write, beside a JSON reader that keeps members in
//! order and twice.
#![no_main]

use std::collections::BTreeMap;

use docker_credential_refresh::protocol::{
    NO_SERVER_URL, NO_USERNAME, read_credentials, read_server_url, write_credentials, write_list,
};
use docker_credential_refresh_fuzz::json::Json;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let read = read_credentials(&mut &data[..]);
    if let Some(json) = Json::parse(data) {
        let expected = expected(&json);
        let read = match &read {
            Ok(found) => Ok([&found.server_url, &found.username, found.secret.expose()]),
            Err(error) => Err(error.fact.as_str()),
        };
        match &expected {
            Ok(fields) => assert_eq!(read, Ok(fields.each_ref().map(String::as_str))),
            Err(Some(fixed)) => assert_eq!(read, Err(*fixed)),
            Err(None) => assert!(read.is_err()),
        }
    }
    match &read {
        Ok(found) => {
            let (url, user, secret) = (&*found.server_url, &*found.username, found.secret.expose());
            let mut answer = Vec::new();
            write_credentials(&mut answer, url, user, secret).unwrap();
            is_one_line_as_go_writes(&answer);
            let again = read_credentials(&mut &answer[..]).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!((&*again.server_url, &*again.username), (url, user));
            assert_eq!(again.secret.expose(), secret);

            let ours = BTreeMap::from([(url.to_owned(), user.to_owned())]);
            let others = BTreeMap::from([url, secret].map(|key| (key.to_owned(), "x".to_owned())));
            let mut list = Vec::new();
            write_list(&mut list, &ours, &others).unwrap();
            is_one_line_as_go_writes(&list);
            let mut union = others;
            union.extend(ours);
            assert_eq!(serde_json::from_slice::<BTreeMap<_, _>>(&list).ok(), Some(union));
        }
        // One line, and nothing of the input in it.
        Err(error) => assert!(error.fact.lines().count() == 1 && error.fact.len() < 80),
    }
    if let Ok(url) = read_server_url(&mut &data[..]) {
        assert!(!url.trim().is_empty() && url.as_bytes() == data);
    }
});

/// The fields, or the fixed text that is answered; or none, for another error.
fn expected(json: &Json) -> Result<[String; 3], Option<&'static str>> {
    let Json::Map(members) = json else { return Err(None) };
    let field = |wanted: &str| {
        let mut all = members.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        match (all.next().map(|(_, value)| value), all.next()) {
            (_, Some(_)) => Err(None),
            (None | Some(Json::Null), None) => Ok(String::new()),
            (Some(Json::Text(text)), None) => Ok(text.clone()),
            _ => Err(None),
        }
    };
    let fields = [field("ServerURL")?, field("Username")?, field("Secret")?];
    match &fields {
        [url, ..] if url.trim().is_empty() => Err(Some(NO_SERVER_URL)),
        [_, user, _] if user.is_empty() => Err(Some(NO_USERNAME)),
        _ => Ok(fields),
    }
}

fn is_one_line_as_go_writes(answer: &[u8]) {
    let text = std::str::from_utf8(answer).expect("UTF-8");
    let line = text.strip_suffix('\n').expect("a line");
    assert!(!line.contains(['\n', '<', '>', '&', '\u{2028}', '\u{2029}']), "{line}");
    assert!(!line.bytes().any(|b| b < b' '), "{line}");
}
