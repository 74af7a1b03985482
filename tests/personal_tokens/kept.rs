//! What can be done with a personal token that is kept.

use super::*;
use crate::support::canary::Canary;
use crate::support::keychains::vault::Vault;

#[test]
fn status_tells_what_it_is_and_the_check_asks_the_registry() {
    for profile in [Profile::Gitlab, Profile::Gitea, Profile::BasicOnly] {
        let server = with_token(profile, GITLAB).start();
        let host = server.registry_host();
        let user = logged_in(&server);
        let table = user.does(&["status"], "").succeeded();
        assert!(table.stdout.trim_end().ends_with("personal token"), "{table:?}");
        let details = user.does(&["status", &host], "").succeeded();
        assert!(details.stdout.contains("Kind:        personal token\n"), "{details:?}");
        let json = || -> Value {
            let outcome = user.does(&["status", "--check", "--json"], "");
            serde_json::from_str::<Value>(&outcome.stdout).unwrap()["logins"][0].clone()
        };
        assert_eq!(json()["credential"], "personal-token");
        assert_eq!(json()["check"]["result"], "valid");
        if profile != Profile::BasicOnly {
            // An answer without a token is none, and trouble there is no reason to ask elsewhere.
            server.set_fault(At::ExchangeGet, Fault::Body("{}".into()));
            assert_eq!(json()["check"]["result"], "rejected");
            for trouble in [Fault::status(503), Fault::oauth(401, "server_error")] {
                server.set_fault(At::ExchangeGet, trouble);
                server.clear_journal();
                assert_eq!(json()["check"]["result"], "unreachable");
                assert_eq!(server.journal().passwords_sent(), 1);
            }
            server.clear_faults();
        }
        server.remove_api_tokens("alice");
        assert_eq!(json()["check"]["result"], "rejected");
        user.does(&["status", "--check"], "").code_is(4);
    }
}

#[test]
fn it_gives_access_tokens_to_scripts() {
    let server = with_token(Profile::Gitlab, GITLAB).start();
    let host = server.registry_host();
    let user = logged_in(&server);
    server.clear_journal();
    let token = user.does(&["token", &host, "--push", "alice/app", "--pull", "b/c"], "");
    assert_eq!(token.succeeded().stdout.matches('.').count(), 2, "a JWT");
    let journal = server.journal();
    let request = &journal.requests()[0];
    assert_eq!(request.method, "GET");
    assert!(request.has("account", "alice"));
    let beyond = user.does(&["token", &host, "--push", "b/c"], "");
    beyond.is(1, "", "did not grant repository:b/c:push");
    let basic = with_token(Profile::BasicOnly, GITLAB).start();
    let user = logged_in(&basic);
    let token = user.does(&["token", &basic.registry_host(), "--pull", "a/b"], "");
    token.is(5, "", "offers Basic authentication only");
}

#[test]
fn logging_out_says_where_it_is_revoked() {
    let server = with_token(Profile::Gitlab, GITLAB).start();
    let host = server.registry_host();
    let user = logged_in(&server);
    let removed = format!("Removed the login for {host}\n");
    user.does(&["logout", &host], "").is(0, &removed, "revoke it where it was made");
    let user = logged_in(&server);
    user.does(&["logout", "--revoke", &host], "").is(9, "", "cannot be revoked from here");
    assert!(user.records().is_empty());
    // Docker's logout.
    let user = logged_in(&server);
    user.set("DOCKER_CREDENTIAL_REFRESH_REVOKE_ON_ERASE", "true");
    server.clear_journal();
    user.erase(&host).succeeded().noted("was removed here, but may still be valid at the server");
    assert!(server.journal().is_empty(), "there is nobody to ask");
    let leaked = user.does(&["revoke", "--token-stdin", &host], GITLAB);
    leaked.is(9, "", "a GitLab access token cannot be revoked from here: it stays valid");
    assert!(server.journal().is_empty());
}

/// The keychain tells the account, and the form of the secret what it is.
#[test]
fn without_records_it_is_still_handed_out_as_it_is() {
    let server = with_token(Profile::Gitlab, GITLAB).start();
    let host = server.registry_host();
    let user = logged_in(&server);
    fs::write(user.records_file(), "garbage").unwrap();
    handed_out(&user, &host, "alice", GITLAB);
    fs::remove_file(user.records_file()).unwrap();
    handed_out(&user, &host, "alice", GITLAB);
    // The records are made again by the next login.
    user.store("h.example", "<token>", "a-token").succeeded();
    let record = user.records().into_iter().find(|r| r["key"] == host.as_str()).unwrap();
    assert_eq!(record["credential"], "unknown");
    handed_out(&user, &host, "alice", GITLAB);
    assert_eq!(user.token("h.example"), "a-token");
    user.does(&["status", "--check", &host], "").succeeded();
    user.does(&["revoke", &host], "").is(9, "", "cannot be revoked from here");
}

#[test]
fn it_moves_to_other_keychains_with_its_account() {
    let server = with_token(Profile::Gitlab, GITLAB).start();
    let host = server.registry_host();
    let user = logged_in(&server);
    let vault = Vault::new();
    vault.install(&user, "vault", "cat");
    for (keychain, entries) in [("helper:vault", 1), ("kernel", 0)] {
        user.does(&["migrate", "--to", keychain, &host], "").succeeded();
        handed_out(&user, &host, "alice", GITLAB);
        assert_eq!(user.records()[0]["credential"], "personal-token");
        assert_eq!(vault.entries(), entries);
    }
}

/// A helper keeps no account: without the record, nobody knows it.
#[test]
fn without_account_it_is_not_handed_out_as_something_else() {
    let server = with_token(Profile::Gitlab, GITLAB).start();
    let host = server.registry_host();
    let user = logged_in(&server);
    let vault = Vault::new();
    vault.install(&user, "vault", "cat");
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "helper:vault");
    user.does(&["migrate", "--to", "helper:vault", &host], "").succeeded();
    fs::remove_file(user.records_file()).unwrap();
    user.get(&host).not_found().noted("the account of the login for");
    user.erase(&host).succeeded();
}

#[test]
fn configure_sets_it_takes_the_tokens_over_and_puts_all_back() {
    use base64::Engine;
    let server = with_token(Profile::Gitlab, GITLAB).start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    user.secret(GITLAB);
    let docker = user.home().join(".docker/config.json");
    let auth = base64::engine::general_purpose::STANDARD.encode(format!("alice:{GITLAB}"));
    let text = json!({"auths": {(host.clone()): {"auth": auth}}}).to_string();
    fs::create_dir_all(docker.parent().unwrap()).unwrap();
    fs::write(&docker, &text).unwrap();
    let program = crate::support::tested_program();
    fs::create_dir_all(user.home().join("bin")).unwrap();
    std::os::unix::fs::symlink(program, user.home().join("bin/docker-credential-refresh")).unwrap();
    user.set("PATH", user.home().join("bin").to_str().unwrap());

    let asked = user.does(&["configure"], "").is(2, "", "with --keep-tokens, personal tokens");
    assert!(asked.stderr.contains("--fallback none"), "{asked:?}");
    let refused = user.does(&["configure", "--fallback", "none"], "");
    refused.code_is(5).noted("set personal_tokens = \"keep\" in");
    assert_eq!(fs::read_to_string(&docker).unwrap(), text);
    let configured = user.does(&["configure", "--keep-tokens", "--fallback", "none"], "");
    assert!(configured.succeeded().stdout.contains("+ personal_tokens = \"keep\"\n"));
    handed_out(&user, &host, "alice", GITLAB);
    assert!(!fs::read_to_string(&docker).unwrap().contains(&auth));
    let settings = fs::read_to_string(user.settings_file()).unwrap();
    assert!(settings.contains("personal_tokens = \"keep\"\n"), "{settings}");
    user.does(&["configure", "--keep-tokens", "--fallback", "none"], "").is(
        0,
        "Nothing to change\n",
        "",
    );
    let undone = user.does(&["unconfigure"], "").succeeded();
    assert!(undone.stdout.contains("- personal_tokens = \"keep\"\n"), "{undone:?}");
    assert!(!user.settings_file().exists());
    let one = ["configure", "--keep-tokens", "--fallback", "none", "--registry", &host];
    user.does(&one, "").succeeded();
    let settings = fs::read_to_string(user.settings_file()).unwrap();
    assert!(settings.contains(&format!("[registry.\"{host}\"]\npersonal_tokens")), "{settings}");
    user.does(&["unconfigure"], "").succeeded();
    assert!(!user.settings_file().exists());
}

#[test]
fn import_moves_a_personal_token_and_leaves_a_password() {
    use base64::Engine;
    let server = with_token(Profile::Gitlab, GITLAB).start();
    let host = server.registry_host();
    for (secret, outcome) in [(GITLAB, "moved"), (PASSWORD, "stays")] {
        let user = keeping(&server);
        let auth = base64::engine::general_purpose::STANDARD.encode(format!("alice:{secret}"));
        let docker = user.home().join(".docker/config.json");
        fs::create_dir_all(docker.parent().unwrap()).unwrap();
        let text = json!({"credsStore": "refresh", "auths": {(host.clone()): {"auth": auth}}});
        fs::write(&docker, text.to_string()).unwrap();
        let imported = user.does(&["import", "--yes", "--json"], "").succeeded();
        let report: Value = serde_json::from_str(&imported.stdout).unwrap();
        assert_eq!(report["logins"][0]["outcome"], outcome);
        assert_eq!(fs::read_to_string(&docker).unwrap().contains(&auth), secret == PASSWORD);
    }
}

#[test]
fn it_rests_in_the_keychain_alone() {
    let server = with_token(Profile::Gitlab, GITLAB).start();
    let user = keeping(&server);
    let host = server.registry_host();
    let trace = user.home().join("trace");
    user.set("DOCKER_CREDENTIAL_REFRESH_TRACE", trace.to_str().unwrap());
    let (token, password) = (Canary::new(GITLAB), Canary::new(PASSWORD));
    let watch = [token.watch(), password.watch()];
    let mut said = String::new();
    for (secret, code) in [(GITLAB, 0), (PASSWORD, 1)] {
        let stored = user.store(&host, "alice", secret);
        assert_eq!(stored.code, code);
        said += &(stored.stdout + &stored.stderr);
    }
    for arguments in
        [&["status", "--check"][..], &["token", &host, "--pull", "a/b"], &["revoke", &host]]
    {
        let outcome = user.does(arguments, "");
        said += &(outcome.stdout + &outcome.stderr);
    }
    for (canary, watch) in [token, password].iter().zip(watch) {
        canary
            .scan()
            .processes(watch)
            .root(user.home())
            .text("what was said", &said)
            .assert_clean();
    }
}
