//! The fallback helper: it takes what cannot be exchanged, and nothing is ever in two places.

use std::fs;

use serde_json::json;

use crate::mock_token_server::{Profile, TokenServer};
use crate::support::keychains::fake_service::{FakeService, Manners};
use crate::support::tested_program;
use crate::support::user::User;

const PASSWORD: &str = "correct horse battery";

/// A helper that keeps each login in a file, as plain as can be, and logs what it was asked.
pub const PLAIN: &str = r#"#!/bin/sh
store=$HOME/plain; mkdir -p "$store"; input=$(cat)
echo "$1 $(printf %s "$input" | grep -o 'ServerURL":"[^"]*' || printf %s "$input")" >> "$HOME/asked"
file() { printf %s "$1" | tr '/:' '__'; }
case $1 in
store) url=$(printf %s "$input" | sed 's/.*"ServerURL":"\([^"]*\)".*/\1/'); printf %s "$input" > "$store/$(file "$url")"; printf '%s\n' "$url" > "$store/$(file "$url").url" ;;
get) cat "$store/$(file "$input")" 2>/dev/null || { echo 'credentials not found in native keychain'; exit 1; } ;;
erase) rm -f "$store/$(file "$input")" "$store/$(file "$input").url" ;;
list) printf '{'; sep=; for f in "$store"/*.url; do [ -e "$f" ] || continue; printf '%s"%s":"someone"' "$sep" "$(cat "$f")"; sep=,; done; echo '}' ;;
esac
"#;

fn with_fallback(profile: Profile) -> (TokenServer, User) {
    let server = TokenServer::builder().profile(profile).user("alice", PASSWORD).start();
    let user = User::trusting(&server);
    user.program("docker-credential-plain", PLAIN);
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "plain");
    (server, user)
}

/// Takes the password out of the stand-in again, so that the search of the home is for real.
fn forget(user: &User) {
    fs::remove_dir_all(user.home().join("plain")).ok();
}

#[test]
fn a_login_that_cannot_be_exchanged_goes_to_it_and_comes_back() {
    for profile in [
        Profile::Gitlab,
        Profile::BasicOnly,
        Profile::NoLogin,
        Profile::RotatingSingleUse,
        Profile::DeadRefreshTokens,
        Profile::HarborRefusesOfflineToken,
    ] {
        let (server, user) = with_fallback(profile);
        let host = server.registry_host();
        let stored = user.store(&host, "alice", PASSWORD).succeeded();
        stored.noted("the login was handed to docker-credential-plain");
        assert!(user.records().is_empty() && user.kept(&host).is_none());
        let answer = user.get(&host).succeeded().stdout;
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer, json!({"ServerURL": host, "Username": "alice", "Secret": PASSWORD}));
        assert_eq!(user.list(), json!({host.as_str(): "someone"}));
        user.erase(&format!("https://{host}")).succeeded();
        user.get(&host).not_found();
    }
}

#[test]
fn one_owner_per_key_in_all_its_spellings() {
    let (server, user) = with_fallback(Profile::Gitlab);
    let host = server.registry_host();
    user.store(&host, "alice", PASSWORD).succeeded();
    user.store(&format!("https://{host}/v2/"), "alice", PASSWORD).succeeded();
    assert_eq!(user.list().as_object().unwrap().len(), 2);
    // The registry learns to issue refresh tokens: the passwords leave the fallback.
    server.set_profile(Profile::Gitlab);
    user.store(&format!("http://{host}"), "<token>", "a-token").succeeded();
    assert_eq!(user.list(), json!({format!("http://{host}"): "<token>"}));
    assert_eq!(fs::read_dir(user.home().join("plain")).unwrap().count(), 0);
    assert_eq!(user.token(&host), "a-token");
    // And back: the token leaves the keychain.
    user.store(&host, "alice", PASSWORD).succeeded();
    assert!(user.records().is_empty() && user.kept(&host).is_none());
    forget(&user);
}

#[test]
fn never_for_wrong_credentials_network_or_tls() {
    let (server, user) = with_fallback(Profile::Gitlab);
    let host = server.registry_host();
    user.store(&host, "alice", "wrong horse battery").failed_with(&["refused the username"]);
    // Certificates that cannot be read: whom to trust there is unknown.
    server.set_realm("https://127.0.0.1:1/token");
    fs::create_dir_all(user.certs_d("127.0.0.1:1").join("ca.crt")).unwrap();
    user.store(&host, "alice", PASSWORD).failed_with(&["ca.crt"]);
    drop(server);
    user.store(&host, "alice", PASSWORD).failed_with(&["cannot reach"]);
    let untrusted = TokenServer::builder().user("alice", PASSWORD).start();
    user.store(&untrusted.registry_host(), "alice", PASSWORD).failed_with(&["TLS failed"]);
    assert!(!user.home().join("plain").exists());
}

#[test]
fn a_realm_that_a_trust_rule_refused_counts_as_not_exchangeable() {
    let (server, user) = with_fallback(Profile::Specification);
    server.set_realm("https://auth.other.example/token");
    let host = server.registry_host();
    user.store(&host, "alice", PASSWORD).succeeded().noted("is on another site");
    assert_eq!(server.journal().passwords_sent(), 0);
    assert!(user.get(&host).succeeded().stdout.contains("alice"));
    forget(&user);
}

#[test]
fn its_error_is_passed_on_in_one_line_and_the_previous_login_stays() {
    let (server, user) = with_fallback(Profile::Gitlab);
    let host = server.registry_host();
    user.store(&host, "<token>", "a-token").succeeded();
    user.program(
        "docker-credential-plain",
        "#!/bin/sh\necho 'the `vault` is sealed'\necho more\nexit 1\n",
    );
    let failed = user.store(&host, "alice", PASSWORD);
    failed.failed_with(&[
        "issues no refresh tokens; docker-credential-plain store failed: the 'vault' is sealed",
    ]);
    assert_eq!(user.token(&host), "a-token");
    let elsewhere = user.get("elsewhere.example").failed_with(&["the 'vault' is sealed"]);
    assert!(elsewhere.stderr.contains("sealed"), "{elsewhere:?}");
    let listed = user.run("list", b"").succeeded().noted("not listed");
    assert_eq!(listed.stdout, format!("{{\"{host}\":\"\\u003ctoken\\u003e\"}}\n"));
}

#[test]
fn the_words_for_absent_are_an_empty_list_and_no_answer_to_a_store() {
    let (server, user) = with_fallback(Profile::Gitlab);
    let absent = "#!/bin/sh\necho 'credentials not found in native keychain'\nexit 1\n";
    user.program("docker-credential-plain", absent);
    let listed = user.run("list", b"").succeeded();
    assert_eq!((listed.stdout.as_str(), listed.stderr.as_str()), ("{}\n", ""));
    user.get("h.example").not_found();
    user.erase("h.example").succeeded();
    let failed = user.store(&server.registry_host(), "alice", PASSWORD);
    failed.failed_with(&["docker-credential-plain store failed: credentials not found"]);
}

#[test]
fn one_that_says_it_erased_and_did_not_is_an_error() {
    let (_server, user) = with_fallback(Profile::Gitlab);
    let locked = "#!/bin/sh\n[ $1 = list ] && echo '{\"https://h.example\":\"alice\"}'\nexit 0\n";
    user.program("docker-credential-plain", locked);
    user.erase("h.example").failed_with(&[
        "docker-credential-plain erase failed: the entry is still there after deleting",
    ]);
    user.erase("elsewhere.example").succeeded();
    let noted = user.store("h.example", "<token>", "a-token").succeeded();
    noted.noted("a previous login may be left in the fallback helper");
}

#[test]
fn an_error_that_quotes_the_password_is_not_passed_on() {
    let (server, user) = with_fallback(Profile::Gitlab);
    user.program("docker-credential-plain", "#!/bin/sh\necho \"bad: $(cat)\"\nexit 1\n");
    user.store(&server.registry_host(), "alice", PASSWORD).failed_with(&["is not shown"]);
}

#[test]
fn a_hanging_one_is_left_out_of_the_list() {
    let (_server, user) = with_fallback(Profile::Gitlab);
    user.program("docker-credential-plain", "#!/bin/sh\nexec sleep 30\n");
    let listed = user.run("list", b"").succeeded().noted("no answer within 5 s");
    assert_eq!(listed.stdout, "{}\n");
}

#[test]
fn empty_username_and_secret_mean_absent() {
    let user = User::new();
    user.program("docker-credential-plain", "#!/bin/sh\ncat >/dev/null\necho '{\"ServerURL\":\"\",\"Username\":\"\",\"Secret\":\"\"}'\n");
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "plain");
    user.get("h.example").not_found();
}

#[test]
fn this_helper_as_its_own_fallback_is_refused() {
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "refresh");
    user.get("h.example").failed_with(&["names this helper itself"]);

    let user = User::new();
    user.program("docker-credential-other", "");
    let link = user.home().join("bin/docker-credential-other");
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(tested_program(), link).unwrap();
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "other");
    user.get("h.example").failed_with(&["is this helper itself"]);

    let user = User::new();
    let script = format!("#!/bin/sh\nexec {} \"$@\"\n", tested_program().display());
    user.program("docker-credential-other", &script);
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "other");
    user.get("h.example").failed_with(&["started by its own fallback"]);
}

#[test]
fn one_that_is_not_installed_is_named() {
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "nowhere");
    user.get("h.example").failed_with(&["docker-credential-nowhere is not on PATH", "install it"]);
    user.store("h.example", "<token>", "a-token").succeeded().noted("not on PATH");
    assert_eq!(user.token("h.example"), "a-token");
}

#[test]
fn a_registry_can_have_its_own_or_none() {
    let server = TokenServer::builder().profile(Profile::Gitlab).user("alice", PASSWORD).start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    user.program("docker-credential-plain", PLAIN);
    user.settings(&format!("fallback = 'plain'\n[registry.'{host}']\nfallback = 'none'\n"));
    user.store(&host, "alice", PASSWORD).failed_with(&["issues no refresh tokens"]);
    user.settings(&format!("[registry.'{host}']\nfallback = 'plain'\n"));
    user.store(&host, "alice", PASSWORD).succeeded();
    assert_eq!(user.list(), json!({host.as_str(): "someone"}));
    user.get("other.example").not_found();
    forget(&user);
}

/// What `docker login` and `podman login` do when they are started at the same time: the one that is
/// kept here comes while the fallback is busy with the other.
#[test]
fn a_login_that_is_kept_while_another_is_handed_over_stays() {
    for has_previous in [false, true] {
        let (server, user) = with_fallback(Profile::Gitlab);
        let host = server.registry_host();
        if has_previous {
            user.store(&host, "<token>", "a-previous-token").succeeded();
        }
        let newer = json!({"ServerURL": host, "Username": "<token>", "Secret": "a-newer-token"});
        let meanwhile = format!(
            "#!/bin/sh\ndocker-credential-stash \"$1\" || exit\n[ $1 = store ] || exit 0\n\
             env -u DOCKER_CREDENTIAL_REFRESH_CALLS_A_HELPER {} store <<'END'\n{newer}\nEND\n",
            tested_program().display()
        );
        user.program("docker-credential-stash", PLAIN);
        user.program("docker-credential-plain", &meanwhile);
        let stored = user.store(&host, "alice", PASSWORD).succeeded();
        stored.noted(&format!("another login for {host} was stored here in the meantime"));
        assert_eq!(user.token(&host), "a-newer-token");
        assert_eq!(fs::read_dir(user.home().join("plain")).unwrap().count(), 0);
    }
}

/// The other way round: the one that is kept is about to remove what the fallback has.
#[test]
fn a_login_that_is_handed_over_while_another_is_kept_stays() {
    let (server, user) = with_fallback(Profile::Gitlab);
    let host = server.registry_host();
    user.program("docker-credential-stash", PLAIN);
    let login = json!({"ServerURL": host, "Username": "alice", "Secret": PASSWORD});
    let meanwhile = format!(
        "#!/bin/sh\nif [ $1 = erase ] && mkdir \"$HOME/once\" 2>/dev/null; then\n\
         env -u DOCKER_CREDENTIAL_REFRESH_CALLS_A_HELPER {} store > \"$HOME/said\" 2>&1 <<'END' &\n\
         {login}\nEND\nsleep 2\nfi\nexec docker-credential-stash \"$1\"\n",
        tested_program().display()
    );
    user.store(&host, "alice", PASSWORD).succeeded();
    user.program("docker-credential-plain", &meanwhile);
    user.store(&host, "<token>", "a-token").succeeded();
    let said = user.home().join("said");
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !fs::read_to_string(&said).unwrap_or_default().contains("handed to") {
        assert!(std::time::Instant::now() < end, "{:?}", fs::read_to_string(&said));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(user.get(&host).succeeded().stdout.contains("alice"));
    assert!(user.records().is_empty());
    user.program("docker-credential-plain", PLAIN);
    forget(&user);
}

#[test]
fn one_that_is_not_installed_is_told_before_the_password_is_sent() {
    let server = TokenServer::builder()
        .profile(Profile::HarborRefusesOfflineToken)
        .user("alice", PASSWORD)
        .start();
    let (host, user) = (server.registry_host(), User::trusting(&server));
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "nowhere");
    user.store(&host, "alice", PASSWORD).failed_with(&["docker-credential-nowhere is not on PATH"]);
    let login = ["login", &host, "-u", "alice", "--password-stdin"];
    user.does(&login, PASSWORD).is(2, "", "docker-credential-nowhere is not on PATH");
    assert_eq!(server.journal().passwords_sent(), 0);
}

/// Whose an entry is can only be seen in it, where the fallback is another profile's keychain.
#[test]
fn what_may_be_another_profiles_login_is_not_passed_over_without_a_word() {
    const PROGRAM: &str = r#"#!/bin/sh
PATH=/usr/bin:/bin
input=$(cat)
sealed() { [ ! -e sealed ] || { echo the vault is sealed; exit 1; }; }
has() { [ "$input" = h.example ] || { echo credentials not found in native keychain; exit 1; }; }
cd FOLDER
case $1 in
store) printf %s "$input" > kept ;;
get) sealed; has; [ -e kept ] || input= has; cat kept ;;
list) sealed; echo '{"h.example":"<token>"}' ;;
erase) has; rm kept ;;
esac
"#;
    let (user, vault) = (User::new(), tempfile::tempdir().unwrap());
    let vault = vault.path();
    let program = PROGRAM.replace("FOLDER", vault.to_str().unwrap());
    user.program("docker-credential-plain", &program);
    let own = user.profile().to_owned();
    user.set("DOCKER_CREDENTIAL_REFRESH_PROFILE", "default");
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "helper:plain");
    user.store("h.example", "<token>", "a-token").succeeded();
    user.set("DOCKER_CREDENTIAL_REFRESH_PROFILE", &own);
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "kernel");
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "plain");
    fs::write(vault.join("sealed"), "").unwrap();
    user.erase("h.example").failed_with(&["the vault is sealed"]);
    assert!(vault.join("kept").exists());
}

#[test]
fn a_previous_login_that_could_not_be_removed_is_told_with_where_the_new_one_is() {
    let service = FakeService::start(Manners::default(), Vec::new());
    let (server, user) = with_fallback(Profile::Gitlab);
    let host = server.registry_host();
    user.on_bus(service.bus.environment());
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "secret-service");
    user.store(&host, "<token>", "a-token").succeeded();
    service.behave(Manners { fails_at: Some("Delete"), ..Manners::default() });
    let stored = user.store(&host, "alice", PASSWORD);
    let handed =
        "the login was handed to docker-credential-plain, but the previous one is still here: ";
    stored.failed_with(&[handed, "and log in again"]);
    forget(&user);
}
