//! Each profile answers as its transcript says, to the letter; `transcripts.txt` says how each was recorded.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Client, PASSWORD, Reply, alice, get, login, refresh};
use crate::mock_token_server::{Profile, TokenServer};

const TRANSCRIPTS: &str = include_str!("transcripts.txt");
const SCOPE: &str = "repository:alice/a:pull,push";

/// What is asked of each, and what it answers.
fn exchanges(server: &TokenServer) -> Vec<(String, String)> {
    let ping = Client::new(server).get(&format!("{}/v2/", server.registry_url()), &[]).unwrap();
    let token = server.issue_refresh_token("alice", "docker");
    let offline = "service=mock-registry&offline_token=true";
    let scoped = format!("{offline}&scope={SCOPE}");
    let asked = [
        ("GET /v2/".to_owned(), ping),
        (
            "GET REALM?service=SERVICE as alice:PASSWORD".into(),
            get(server, "service=mock-registry", PASSWORD),
        ),
        (
            "GET REALM?service=SERVICE&offline_token=true as alice:PASSWORD".into(),
            get(server, offline, PASSWORD),
        ),
        (
            format!("GET REALM?service=SERVICE&offline_token=true&scope={SCOPE} as alice:PASSWORD"),
            get(server, &scoped, PASSWORD),
        ),
        (
            "GET REALM?service=SERVICE&offline_token=true as alice:WRONG".into(),
            get(server, offline, "wrong"),
        ),
        (
            "POST REALM grant_type=password username=alice password=PASSWORD".into(),
            login(server, PASSWORD),
        ),
        (
            "POST REALM grant_type=password username=alice password=WRONG".into(),
            login(server, "wrong"),
        ),
        (
            "POST REALM grant_type=refresh_token refresh_token=TOKEN".into(),
            refresh(server, &token, &[]),
        ),
        (
            "POST REALM grant_type=refresh_token refresh_token=TOKEN, again".into(),
            refresh(server, &token, &[]),
        ),
    ];
    asked.map(|(request, reply)| (request, shown(&reply, server, &token))).to_vec()
}

/// Status, headers that count, and the body with secrets and times replaced.
fn shown(reply: &Reply, server: &TokenServer, token: &str) -> String {
    let mut text = reply.status.to_string();
    for name in ["www-authenticate", "content-type"] {
        for value in reply.all(name) {
            let value = value
                .replace(&server.token_endpoint(), "REALM")
                .replace("mock-registry", "SERVICE");
            write!(text, "\n{name}: {value}").unwrap();
        }
    }
    match serde_json::from_slice::<Value>(&reply.body) {
        Ok(mut body) => {
            hide(&mut body, token);
            let body = body.to_string().replace(&server.token_endpoint(), "REALM");
            write!(text, "\n{body}").unwrap();
        }
        Err(_) if reply.body.is_empty() => {}
        Err(_) => write!(text, "\n{}", String::from_utf8_lossy(&reply.body).trim_end()).unwrap(),
    }
    text
}

fn hide(body: &mut Value, token: &str) {
    let Some(members) = body.as_object_mut() else { return };
    for (name, value) in members {
        let replaced = match (name.as_str(), value.as_str()) {
            ("refresh_token", Some(same)) if same == token => "TOKEN",
            ("refresh_token", _) => "NEW TOKEN",
            ("token" | "access_token", Some("")) => continue,
            ("token" | "access_token", _) => "ACCESS TOKEN",
            ("issued_at", _) => "TIME",
            // Whoever runs the server sets it.
            ("expires_in", None) => "SECONDS",
            _ => continue,
        };
        *value = replaced.into();
    }
}

/// A profile's section, without the marks of what is not known.
fn recorded(profile: Profile) -> String {
    let heading = format!("== {}\n", profile.name());
    let (_, section) = TRANSCRIPTS.split_once(&heading).unwrap_or_else(|| panic!("no {heading}"));
    let section = section.split("\n== ").next().unwrap_or_default();
    let lines = section.lines().skip_while(|line| !line.starts_with("> "));
    let lines = lines.filter(|line| !line.is_empty());
    lines.map(|line| format!("{}\n", line.strip_prefix("? ").unwrap_or(line))).collect()
}

#[test]
fn each_profile_answers_as_its_transcript_says() {
    let mut wrong = String::new();
    for &profile in Profile::ALL {
        let server = alice().profile(profile).start();
        let mut now = String::new();
        for (request, answer) in exchanges(&server) {
            writeln!(now, "> {request}").unwrap();
            answer.lines().for_each(|line| writeln!(now, "< {line}").unwrap());
        }
        if now != recorded(profile) {
            write!(wrong, "== {}\n{now}\n", profile.name()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "these answer otherwise than transcripts.txt says:\n{wrong}");
}

/// What is not known is marked so, and what is known says where from.
#[test]
fn each_transcript_says_where_it_is_from() {
    for section in TRANSCRIPTS.split("\n== ").skip(1) {
        let (name, rest) = section.split_once('\n').unwrap();
        assert!(Profile::from_name(name).is_some(), "{name}");
        let source = rest.lines().next().unwrap_or_default();
        let is_known = source.starts_with("recorded in: ");
        assert!(is_known || source == "made up for tests", "{name}: {source}");
        let unknown = rest.lines().filter(|line| line.starts_with("? < ")).count();
        assert!(is_known || unknown == 0, "{name}: nothing of what is made up is unknown");
    }
}
