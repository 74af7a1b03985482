//! `import`: plaintext passwords become refresh tokens, and nothing is ever lost on the way.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{PASSWORD, server};
use crate::mock_token_server::{Profile, TokenServer};
use crate::support::strace::{CALLS, has_strace, strace};
use crate::support::user::{Outcome, User};

mod killed;
mod meanwhile;
mod sources;

/// `base64(alice:correct horse battery)`, and with another password.
pub(super) const GOOD: &str = "YWxpY2U6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5";
const WRONG: &str = "YWxpY2U6d3JvbmcgaG9yc2UgYmF0dGVyeQ==";

/// Keeps each login in a file, as plain as can be.
pub(super) const PLAIN: &str = r#"#!/bin/sh
PATH=/usr/bin:/bin; store=$HOME/plain; mkdir -p "$store"; input=$(cat)
file() { printf %s "$1" | tr '/:' '__'; }
case $1 in
store) url=$(printf %s "$input" | sed 's/.*"ServerURL":"\([^"]*\)".*/\1/'); printf %s "$input" >"$store/$(file "$url")" ;;
get) cat "$store/$(file "$input")" 2>/dev/null || { echo 'credentials not found in native keychain'; exit 1; } ;;
erase) rm -f "$store/$(file "$input")" ;;
list) printf '{'; sep=; for f in "$store"/*; do [ -e "$f" ] || continue; printf '%s' "$sep"; sed 's/.*"ServerURL":"\([^"]*\)","Username":"\([^"]*\)".*/"\1":"\2"/' "$f"; sep=,; done; echo '}' ;;
esac
"#;

struct Servers {
    good: TokenServer,
    gitlab: TokenServer,
    wrong: TokenServer,
}

impl Servers {
    fn start() -> Self {
        let with = |profile| TokenServer::builder().profile(profile).user("alice", PASSWORD);
        Self {
            good: server().start(),
            gitlab: with(Profile::Gitlab).start(),
            wrong: server().start(),
        }
    }

    fn hosts(&self) -> [String; 3] {
        [&self.good, &self.gitlab, &self.wrong].map(TokenServer::registry_host)
    }

    /// One exchangeable, one without refresh tokens, one wrong password.
    fn config(&self) -> String {
        let [good, gitlab, wrong] = self.hosts();
        format!(
            "{{\n\t\"credsStore\": \"refresh\",\n\t\"auths\": {{\n\t\t\"{good}\": {{\n\t\t\t\"auth\": \"{GOOD}\"\n\t\t}},\n\t\t\"{gitlab}\": {{\n\t\t\t\"auth\": \"{GOOD}\"\n\t\t}},\n\t\t\"{wrong}\": {{\n\t\t\t\"auth\": \"{WRONG}\"\n\t\t}}\n\t}},\n\t\"detachKeys\": \"ctrl-e,e\"\n}}"
        )
    }

    fn user(&self) -> User {
        let user = alone();
        for server in [&self.good, &self.gitlab, &self.wrong] {
            user.trust(&server.registry_host(), server);
        }
        write(&user, &self.config());
        user
    }
}

/// A user with nothing of the machine's on PATH: podman would be a client as well.
fn alone() -> User {
    let user = User::new();
    user.set("PATH", user.home().join("bin").to_str().unwrap());
    user
}

fn config_file(user: &User) -> PathBuf {
    user.home().join(".docker/config.json")
}

fn write(user: &User, text: &str) {
    fs::create_dir_all(user.home().join(".docker")).unwrap();
    fs::write(config_file(user), text).unwrap();
}

fn config(user: &User) -> String {
    fs::read_to_string(config_file(user)).unwrap()
}

fn auths(user: &User) -> Value {
    serde_json::from_str::<Value>(&config(user)).unwrap()["auths"].clone()
}

/// No password is shown, whatever is done.
fn import(user: &User, arguments: &[&str]) -> Outcome {
    let outcome = user.does(&[&["import"], arguments].concat(), "");
    for secret in [PASSWORD, GOOD, WRONG, "wrong horse"] {
        assert!(!outcome.stdout.contains(secret) && !outcome.stderr.contains(secret));
    }
    outcome
}

#[test]
fn a_dry_run_shows_and_touches_nothing() {
    let servers = Servers::start();
    let user = servers.user();
    let [good, gitlab, wrong] = servers.hosts();
    let width = good.len();
    let shown = format!(
        "{:width$}  ACCOUNT  OUTCOME\n{good}  alice    would be tried\n{gitlab}  alice    would be tried\n{wrong}  alice    would be tried\n",
        "SERVER"
    );
    let outcome = import(&user, &[]);
    outcome.is(0, &shown, "docker-credential-refresh: nothing was changed; add --yes to do it\n");
    assert_eq!(config(&user), servers.config());
    assert!(servers.good.journal().requests().is_empty() && !user.state().exists());
}

#[test]
fn each_password_is_exchanged_and_only_then_removed() {
    let servers = Servers::start();
    let user = servers.user();
    let [good, gitlab, wrong] = servers.hosts();
    let file = config_file(&user).display().to_string();
    let outcome = import(&user, &["--yes"]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    let rows: Vec<_> =
        outcome.stdout.lines().map(|l| l.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!(
        rows,
        [
            ["SERVER", "ACCOUNT", "OUTCOME"],
            [&good, "alice", "exchanged"],
            [&gitlab, "alice", "stays"],
            [&wrong, "alice", "failed"],
        ]
    );
    let outcome =
        outcome.noted(&format!("{good} was exchanged, and its password removed from {file}"));
    let outcome = outcome.noted(&format!("{gitlab} stays in {file}: "));
    let outcome = outcome.noted(&format!("{wrong} in {file} failed: "));
    outcome.noted("1 of 3 logins could not be imported");
    let left = json!({gitlab.as_str(): {"auth": GOOD}, wrong.as_str(): {"auth": WRONG}});
    assert_eq!(auths(&user), left);
    assert!(config(&user).ends_with("\t\"detachKeys\": \"ctrl-e,e\"\n}"), "all else stays");
    assert_eq!(user.token(&good), user.kept(&good).unwrap());
    assert_eq!(user.records()[0]["proven"], true);

    // Where only what cannot be exchanged stays, that is no failure.
    import(&user, &["--yes", "--registry", &gitlab]).is(
        0,
        &format!("{:1$}  ACCOUNT  OUTCOME\n{gitlab}  alice    stays\n", "SERVER", gitlab.len()),
        "stays in",
    );
    let again = import(&user, &["--yes", "--registry", &gitlab]);
    let last = again.stderr.lines().last().unwrap_or_default();
    assert!(last.ends_with(": nothing was imported: the login stays where it is"), "{again:?}");
    servers.wrong.set_password("alice", "wrong horse battery");
    let again = import(&user, &["--yes", "--json"]).succeeded();
    let report: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(report["dry_run"], false);
    assert_eq!(report["logins"][0]["outcome"], "stays");
    assert_eq!(report["logins"][1]["outcome"], "exchanged");
    assert_eq!(report["logins"][1]["from"], file);
    assert_eq!(auths(&user), json!({gitlab.as_str(): {"auth": GOOD}}));
}

#[test]
fn the_fallback_does_not_take_what_cannot_be_exchanged() {
    let servers = Servers::start();
    let user = servers.user();
    user.program("docker-credential-plain", PLAIN);
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "plain");
    import(&user, &["--yes", "--registry", &servers.hosts()[1]]).succeeded().noted("stays in");
    assert_eq!(config(&user), servers.config());
    assert!(!user.home().join("plain").exists(), "it was not even asked");
}

#[test]
fn identity_tokens_are_moved_and_what_no_helper_can_give_stays() {
    let user = alone();
    write(
        &user,
        r#"{"credsStore": "refresh", "credHelpers": {"x.example": "ecr-login"}, "auths": {"h.example": {"auth": "YWxpY2U6", "identitytoken": "a-token", "email": "e"}, "b.example": {"registrytoken": "r"}, "h.example/team": {"auth": "YTpi"}, "bad host": {"auth": "YTpi"}, "d.example": {"auth": "?"}, "e.example": {}}}"#,
    );
    let outcome = import(&user, &["--yes"]).succeeded();
    for part in [
        "h.example was moved",
        "b.example stays in",
        "no helper can give to a client",
        "h.example/team stays in",
        "bad host stays in",
        "d.example stays in",
        "its auth is not base64",
    ] {
        assert!(outcome.stderr.contains(part), "no {part:?} in {outcome:?}");
    }
    assert_eq!(user.token("h.example"), "a-token");
    assert_eq!(
        config(&user),
        r#"{"credsStore": "refresh", "credHelpers": {"x.example": "ecr-login"}, "auths": {"h.example": {"email": "e"}, "b.example": {"registrytoken": "r"}, "h.example/team": {"auth": "YTpi"}, "bad host": {"auth": "YTpi"}, "d.example": {"auth": "?"}, "e.example": {}}}"#
    );
}

/// Docker would not ask this helper, and go on anonymously.
#[test]
fn what_the_client_would_not_ask_for_stays() {
    let user = alone();
    for (text, stays) in [
        (r#"{"auths":{"h.example":{"auth":"YTo=","identitytoken":"t"}}}"#, true),
        (r#"{"credsStore":"pass","auths":{"h.example":{"identitytoken":"t"}}}"#, true),
        (
            r#"{"credHelpers":{"h.example:443":"refresh"},"auths":{"h.example":{"identitytoken":"t"}}}"#,
            true,
        ),
        (
            r#"{"credsStore":"refresh","credHelpers":{"h.example":null},"auths":{"h.example":{"identitytoken":"t"}}}"#,
            true,
        ),
        (
            r#"{"credHelpers":{"h.example":"refresh"},"auths":{"https://h.example/v1/":{"identitytoken":"t"}}}"#,
            false,
        ),
    ] {
        write(&user, text);
        let dry = import(&user, &[]).succeeded();
        assert_eq!(!dry.stderr.contains("; add --yes to do it"), stays, "{dry:?}");
        let outcome = import(&user, &["--yes"]).succeeded();
        assert_eq!(config(&user) == text, stays, "{text}: {outcome:?}");
        assert_eq!(
            outcome.stderr.contains("first, run: docker-credential-refresh configure"),
            stays,
            "{outcome:?}"
        );
    }
}

/// Go takes the last of two, and nobody knows what another program takes.
#[test]
fn a_field_that_is_there_twice_is_left_alone() {
    let user = alone();
    for second in ["auth", "Auth", "AUTH"] {
        let text = format!(
            r#"{{"credsStore":"refresh","auths":{{"h.example":{{"auth":"YTpi","{second}":"YTpj"}}}}}}"#
        );
        write(&user, &text);
        import(&user, &["--yes"]).succeeded().noted("one of its fields appears twice");
        assert_eq!(config(&user), text);
    }
}
