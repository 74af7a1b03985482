//! Several logins of one registry at once, or under several spellings in one command: none deletes the token
//! of another, and one is left.

use std::fs::File;
use std::io::Write;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::*;

/// A `store` that goes on meanwhile.
pub fn start(place: &Place) -> Child {
    let mut command = place.user.command();
    command.arg("store").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let payload = json!({"ServerURL": place.host, "Username": "alice", "Secret": PASSWORD});
    child.stdin.take().unwrap().write_all(payload.to_string().as_bytes()).unwrap();
    child
}

#[test]
fn logins_at_once_take_turns_and_the_last_one_is_kept() {
    for place in everywhere() {
        for _ in 0..3 {
            let all: Vec<Child> = (0..4).map(|_| start(&place)).collect();
            for child in all {
                let output = child.wait_with_output().unwrap();
                assert!(output.status.success(), "{}: {output:?}", place.name);
                let said = String::from_utf8(output.stderr).unwrap();
                assert!(!said.contains("stays valid"), "{}: {said}", place.name);
            }
            place.only_one();
        }
    }
}

#[test]
fn a_login_waits_for_the_one_that_has_a_token_made() {
    let place = of_gitea();
    place.log_in();
    let lock = File::options().write(true).open(place.user.state().join("mint.lock")).unwrap();
    lock.lock().unwrap();
    let before = place.only_one();
    let mut waiting = start(&place);
    let end = Instant::now() + Duration::from_secs(2);
    while Instant::now() < end {
        assert!(waiting.try_wait().unwrap().is_none(), "it did not wait");
        assert_eq!(place.server.minted_tokens().len(), 1);
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(lock);
    assert!(waiting.wait().unwrap().success());
    assert_ne!(place.only_one(), before);
}

/// Nothing is deleted before all are there: what one spelling was given is what the other one found.
#[test]
fn two_spellings_in_one_command_spare_each_others_tokens() {
    use base64::Engine;
    for place in everywhere() {
        place.log_in();
        let user = &place.user;
        let auth = base64::engine::general_purpose::STANDARD.encode(format!("alice:{PASSWORD}"));
        let spellings = match place.host.strip_prefix("https://") {
            Some(_) => [place.host.clone(), "index.docker.io".to_owned()],
            None => [place.host.clone(), format!("https://{}", place.host)],
        };
        let auths: serde_json::Map<_, _> =
            spellings.into_iter().map(|name| (name, json!({"auth": auth}))).collect();
        let docker = user.home().join(".docker/config.json");
        fs::create_dir_all(docker.parent().unwrap()).unwrap();
        fs::write(&docker, json!({"auths": auths}).to_string()).unwrap();
        on_path(user);
        place.server.clear_journal();
        let configured = user.does(&["configure", "--fallback", "none"], "").succeeded();
        assert!(!configured.stderr.contains("stays valid"), "{}: {configured:?}", place.name);
        let lines = place.server.journal().lines();
        let at = |what: &str| -> Vec<usize> {
            let lines = lines.iter().enumerate().filter(|(_, line)| line.starts_with(what));
            lines.filter(|(_, line)| line.contains("tokens")).map(|(at, _)| at).collect()
        };
        let made: Vec<usize> =
            at("POST ").into_iter().filter(|at| lines[*at].contains(" 20")).collect();
        let deleted = at("DELETE ");
        assert!(made.len() == 2 && deleted.len() >= 2, "{}: {lines:?}", place.name);
        assert!(made[1] < deleted[0], "{}: {lines:?}", place.name);
        place.only_one();
    }
}
