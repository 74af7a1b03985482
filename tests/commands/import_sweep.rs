//! Faults at every call by which `import` changes files and keys: each fails once, and is once the last thing
//! that happens. No login is lost, exit 0 leaves no password, and the same command again ends what was begun.

use std::fs;

use docker_credential_refresh::keychain::new_identity;
use serde_json::{Value, json};

use super::{PASSWORD, server};
use crate::mock_token_server::{TokenServer, hash};
use crate::support::injection::{Run, faults_at, print_row};
use crate::support::user::{Outcome, User};

/// `base64(alice:correct horse battery)`
const GOOD: &str = "YWxpY2U6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5";
/// It is moved as it is.
const TOKEN: &str = "an-identity-token";
const OTHER: &str = "moved.example";
const IMPORT: [&str; 2] = ["import", "--yes"];
/// What changes files and keys.
const WRITING: [&str; 7] =
    ["fsync", "rename", "renameat", "renameat2", "unlink", "unlinkat", "add_key"];

struct Sweep {
    server: TokenServer,
    user: User,
    host: String,
}

impl Sweep {
    fn new(keychain: &str) -> Self {
        let server = server().start();
        let user = User::trusting(&server);
        user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", keychain);
        user.set("DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY", new_identity().0.expose());
        user.secret(PASSWORD);
        fs::create_dir(user.home().join(".docker")).unwrap();
        Self { host: server.registry_host(), server, user }
    }

    fn run(&self) -> Run<'_> {
        Run { user: &self.user, arguments: &IMPORT, stdin: "" }
    }

    /// A password and an identity token in Docker's file, and nothing anywhere else.
    fn reset(&self) {
        for key in [self.host.as_str(), OTHER] {
            self.user.erase(key).succeeded();
        }
        let auths = json!({self.host.as_str(): {"auth": GOOD}, OTHER: {"auth": "YTo=", "identitytoken": TOKEN}});
        let config = json!({"auths": auths, "credsStore": "refresh"}).to_string();
        fs::write(self.user.home().join(".docker/config.json"), config).unwrap();
    }

    /// The entries of Docker's file, which is whole.
    fn entries(&self, what: &str) -> Value {
        let text = fs::read(self.user.home().join(".docker/config.json")).expect(what);
        serde_json::from_slice::<Value>(&text).expect(what)["auths"].take()
    }

    /// How often a login is in Docker's folder, in its file or beside it.
    fn left(&self) -> usize {
        let files = fs::read_dir(self.user.home().join(".docker")).unwrap();
        let texts = files.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
        texts.map(|text| text.matches(GOOD).count() + text.matches(TOKEN).count()).sum()
    }

    /// The token here, if there is one; "could not look" would be another error.
    fn token(&self, key: &str) -> Option<String> {
        let got = self.user.get(key);
        if got.code != 0 {
            got.not_found();
            return None;
        }
        let answer: Value = serde_json::from_str(&got.stdout).unwrap();
        Some(answer["Secret"].as_str().unwrap().to_owned())
    }

    /// Each login is where it was, or works here.
    fn check(&self, outcome: Option<&Outcome>, what: &str) {
        let entries = self.entries(what);
        let live = |token: &String| {
            self.server.live_refresh_tokens().iter().any(|live| live.hash == hash(token))
        };
        if entries.get(&self.host).is_none() {
            assert!(self.token(&self.host).is_some_and(|token| live(&token)), "{what}: lost");
        } else {
            assert_eq!(entries[&self.host]["auth"], GOOD, "{what}");
        }
        if entries.get(OTHER).is_none() {
            assert_eq!(self.token(OTHER).as_deref(), Some(TOKEN), "{what}: lost");
        }
        if outcome.is_some_and(|outcome| outcome.code == 0) {
            assert_eq!((entries, self.left()), (json!({}), 0), "{what}: exit 0 left a login");
        }
    }

    /// The next run ends it.
    fn finish(&self, what: &str) {
        let again = self.user.does(&IMPORT, "");
        assert_eq!(again.code, 0, "{what}, and again: {again:?}");
        self.check(Some(&again), what);
        let beside = fs::read_dir(self.user.home().join(".docker")).unwrap().count();
        assert_eq!(beside, 1, "{what} left a file beside Docker's");
    }
}

fn sweep(keychain: &str) {
    let sweep = Sweep::new(keychain);
    // The first run makes folders, which no later one does.
    sweep.reset();
    sweep.finish("at first");
    sweep.reset();
    let calls = sweep.run().calls_for_size(&WRITING);
    let (mut failed, mut faults) = (0, 0);
    for (index, call) in calls.iter().enumerate() {
        let (fails, is_killed) = faults_at(index);
        for error in call.errors().iter().filter(|_| fails) {
            sweep.reset();
            let outcome = sweep.run().with_error(call, error);
            let what = format!("{error} at {call:?}: {outcome:?}");
            failed += usize::from(outcome.code != 0);
            faults += 1;
            sweep.check(Some(&outcome), &what);
            sweep.finish(&what);
        }
        if !is_killed {
            continue;
        }
        sweep.reset();
        sweep.run().killed_at(call);
        faults += 1;
        let what = format!("killed at {call:?}");
        sweep.check(None, &what);
        sweep.finish(&what);
    }
    print_row("import", keychain, calls.len(), faults, failed);
    // Otherwise nothing was injected.
    assert!(calls.len() > 10 && failed > faults / 4, "{failed}: {calls:?}");
}

#[test]
fn a_fault_in_import_to_a_file_loses_no_login() {
    sweep("file");
}

#[test]
fn a_fault_in_import_to_the_kernel_keyring_loses_no_login() {
    sweep("kernel");
}
