//! `renew`: a command of the user's that renews a login once it has expired.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};

use crate::mock_token_server::{NULL_GUID, Profile, TokenServer};
use crate::support::user::{Outcome, User};

mod failures;
mod shown;
mod sweep;

const LONG: Duration = Duration::from_secs(3 * 3600);

/// An Azure registry, somebody whose login there expires at once, and a command that renews it.
struct Setting {
    server: TokenServer,
    user: User,
    host: String,
}

impl Setting {
    /// Logged in, until now; `script` is what the command does, in a folder of its own that has the new
    /// token in the file `token`.
    fn expired(script: &str) -> Self {
        let setting = Self::for_a_while(script);
        thread::sleep(Duration::from_millis(2100));
        setting
    }

    /// Logged in for two seconds.
    fn for_a_while(script: &str) -> Self {
        let builder = TokenServer::builder().profile(Profile::Acr).user("alice", "unused-password");
        let entra = entra_token();
        let server = builder.entra_token("contoso", &entra).start();
        let (user, host) = (User::trusting(&server), server.registry_host());
        server.set_refresh_token_lifetime(Duration::from_secs(2));
        let token = server.issue_refresh_token("alice", "docker");
        user.store(&host, NULL_GUID, &token).succeeded().noted("refresh token for");
        server.set_refresh_token_lifetime(LONG);
        let setting = Self { server, user, host };
        let new = setting.server.issue_refresh_token("alice", "docker");
        setting.command(script);
        fs::write(setting.file("token"), new).unwrap();
        setting.set("[\"new-token\", \"acr\", \"login\"]");
        setting
    }

    fn command(&self, script: &str) {
        let folder = self.server.directory().display();
        self.user
            .program("new-token", &format!("#!/bin/sh\ncd {folder}\necho run >> runs\n{script}\n"));
    }

    fn set(&self, renew: &str) {
        self.user.settings(&format!("[registry.\"{}\"]\nrenew = {renew}\n", self.host));
    }

    /// In the command's folder, which is not in the user's home: secrets may be in it.
    fn file(&self, name: &str) -> PathBuf {
        self.server.directory().join(name)
    }

    fn new_token(&self) -> String {
        fs::read_to_string(self.file("token")).unwrap()
    }

    fn runs(&self) -> usize {
        fs::read_to_string(self.file("runs")).map_or(0, |runs| runs.lines().count())
    }

    /// What `get` answers, without the new token on stderr.
    fn gets(&self) -> Outcome {
        let outcome = self.user.get(&self.host);
        assert!(!outcome.stderr.contains(&self.new_token()), "{outcome:?}");
        outcome
    }

    /// The login is not renewed, for that reason, and stays as it was.
    #[track_caller]
    fn fails(&self, parts: &[&str]) {
        let before = (self.user.records(), self.user.kept(&self.host));
        let mut all = vec!["could not be renewed: "];
        all.extend(parts);
        let log_in = format!("docker-credential-refresh --profile {} login ", self.user.profile());
        all.push(&log_in);
        let outcome = self.gets().failed_with(&all);
        assert!(!outcome.stdout.contains(&self.new_token()), "{outcome:?}");
        assert_eq!((self.user.records(), self.user.kept(&self.host)), before);
    }

    /// A `get` that goes on meanwhile.
    fn start_get(&self) -> Child {
        let mut command = self.user.command();
        command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        use std::io::Write;
        child.stdin.take().unwrap().write_all(self.host.as_bytes()).unwrap();
        child
    }
}

/// One that says whose it is.
fn entra_token() -> String {
    let claims =
        r#"{"iss":"https://sts.windows.net/contoso/","aud":"https://management.azure.com"}"#;
    let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
    format!("eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.{encoded}.signature")
}

fn secret(child: Child) -> Value {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice::<Value>(&output.stdout).unwrap()["Secret"].clone()
}

#[test]
fn a_login_that_has_expired_is_renewed_and_the_new_token_proven_and_kept() {
    let setting = Setting::expired("cat token");
    let before = setting.user.records();
    setting.server.clear_journal();
    let answer: Value = serde_json::from_str(&setting.gets().succeeded().stdout).unwrap();
    let new = setting.new_token();
    assert_eq!(answer, json!({"ServerURL": setting.host, "Username": "<token>", "Secret": new}));
    let journal = setting.server.journal();
    let asked: Vec<_> = journal.requests().iter().map(|r| r.parameter("grant_type")).collect();
    assert_eq!(asked, [Some("refresh_token")], "the proof alone");
    let after = setting.user.records();
    let mut expected = before[0].clone();
    expected["expires"] = after[0]["expires"].clone();
    assert_eq!(after, [expected]);
    assert_ne!(after[0]["expires"], before[0]["expires"]);
    // It is good for hours now, and says nothing at each pull.
    let second = setting.gets().succeeded();
    assert_eq!((setting.runs(), second.stderr.as_str()), (1, ""));
    assert_eq!(setting.server.journal().requests().len(), 1, "and nobody is asked");
    setting.user.does(&["status", &setting.host, "--check"], "").succeeded();
}

#[test]
fn one_that_has_not_expired_is_left_alone() {
    let setting = Setting::for_a_while("cat token");
    setting.server.clear_journal();
    setting.gets().succeeded();
    assert_eq!(setting.runs(), 0);
    assert!(setting.server.journal().connections().is_empty());
    // Nor is one without a date.
    let server = crate::commands::server().start();
    let user = crate::commands::logged_in(&server);
    let host = server.registry_host();
    user.settings(&format!("[registry.\"{host}\"]\nrenew = [\"/nowhere/new-token\"]\n"));
    user.get(&host).succeeded();
    // Without the setting, the answer and the note are as ever.
    let setting = Setting::expired("cat token");
    setting.user.settings("");
    setting.gets().succeeded().noted("log in again with: docker login");
    assert_eq!(setting.runs(), 0);
}

#[test]
fn json_of_the_azure_cli_and_entra_tokens_are_understood() {
    for json in [
        r#"{"accessToken":"TOKEN","loginServer":"HOST"}"#,
        r#"{"accessToken":"x","loginServer":"HOST","refreshToken":"TOKEN","username":"u"}"#,
    ] {
        let setting = Setting::expired("cat printed");
        let printed = json.replace("TOKEN", &setting.new_token()).replace("HOST", &setting.host);
        fs::write(setting.file("printed"), printed).unwrap();
        setting.gets().succeeded();
        assert_eq!(setting.user.token(&setting.host), setting.new_token());
    }
    for json in ["TOKEN\n", r#"{"accessToken":"TOKEN","tenant":"contoso","tokenType":"Bearer"}"#] {
        let setting = Setting::expired("cat printed");
        let entra = entra_token();
        fs::write(setting.file("printed"), json.replace("TOKEN", &entra)).unwrap();
        setting.user.secret(&entra);
        setting.gets().succeeded();
        let exchanged = setting.server.journal();
        assert!(exchanged.requests().iter().any(|r| r.path == "/oauth2/exchange"));
        assert_ne!(setting.user.token(&setting.host), entra);
    }
}

/// The threat: a token of Entra that goes to a registry that is not Azure's.
#[test]
fn nobody_but_azure_is_shown_an_entra_token_that_a_command_prints() {
    let setting = Setting::expired("cat printed");
    fs::write(setting.file("printed"), entra_token()).unwrap();
    setting.server.set_profile(Profile::Specification);
    let records = setting.user.records_file();
    let text = fs::read_to_string(&records).unwrap().replace("/oauth2/token", "/token");
    fs::write(&records, text).unwrap();
    setting.server.clear_journal();
    setting.fails(&["does not exchange Microsoft Entra tokens"]);
    assert!(setting.server.journal().requests().is_empty());
}

#[test]
fn of_two_gets_at_once_one_renews_and_the_other_takes_what_came_of_it() {
    let setting = Setting::expired("sleep 1; cat token");
    let both = [setting.start_get(), setting.start_get()];
    let new = json!(setting.new_token());
    assert_eq!(both.map(secret), [new.clone(), new]);
    assert_eq!(setting.runs(), 1);
    let setting = Setting::expired("sleep 1; exit 1");
    let both = [setting.start_get(), setting.start_get()];
    let mut said = both.map(|child| {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).unwrap()
    });
    said.sort();
    assert!(said[0].contains("another process has just tried and failed"), "{said:?}");
    assert!(said[1].contains("new-token: it failed with exit status: 1"), "{said:?}");
    assert_eq!(setting.runs(), 1);
    // Whoever asks later tries again.
    setting.command("cat token");
    setting.gets().succeeded();
    assert_eq!(setting.runs(), 2);
}

#[test]
fn one_that_is_killed_in_the_middle_leaves_the_login_to_the_next() {
    let setting = Setting::expired("echo $$ > pid; sleep 20; cat token");
    let before = (setting.user.records(), setting.user.kept(&setting.host));
    let mut child = setting.start_get();
    let end = Instant::now() + Duration::from_secs(10);
    while !setting.file("pid").exists() {
        assert!(Instant::now() < end);
        thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((setting.user.records(), setting.user.kept(&setting.host)), before);
    setting.command("cat token");
    setting.gets().succeeded();
    assert_eq!(setting.user.token(&setting.host), setting.new_token());
}
