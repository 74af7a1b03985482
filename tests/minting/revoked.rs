//! What is known of a minted token, and how it ends.

use super::*;
use crate::support::canary::Canary;
use crate::support::terminal::Terminal;

#[test]
fn status_tells_where_it_was_made_and_the_check_asks_the_registry() {
    let server = with_user(Profile::Gitea).start();
    let host = server.registry_host();
    let user = minting(&server);
    let (_, token) = log_in(&user, &server);
    let table = user.does(&["status"], "").succeeded();
    assert!(table.stdout.trim_end().ends_with("minted token"), "{table:?}");
    let details = user.does(&["status", &host], "").succeeded().stdout;
    let expected = format!(
        "Minted by:   the API of gitea at https://{host}/, as {:?} (id {})\n",
        token.name, token.id
    );
    assert!(
        details.contains("Kind:        minted token\n") && details.contains(&expected),
        "{details}"
    );
    let json = || -> Value {
        let outcome = user.does(&["status", "--check", "--json"], "");
        serde_json::from_str::<Value>(&outcome.stdout).unwrap()["logins"][0].clone()
    };
    let minted = json!({"api": "gitea", "url": format!("https://{host}/"), "id": token.id, "name": token.name});
    assert_eq!((&json()["minted"], &json()["check"]["result"]), (&minted, &json!("valid")));
    user.does(&["token", &host, "--push", "alice/app"], "").succeeded();
    server.delete_minted_tokens();
    assert_eq!(json()["check"]["result"], "rejected");
}

#[test]
fn revoking_deletes_it_by_the_password_and_sees_it_refused() {
    let server = with_user(Profile::Gitea).start();
    let host = server.registry_host();
    for (arguments, code, said) in [
        (&["revoke", "--password-stdin", &host][..], 0, "Revoked and removed the login for"),
        (
            &["logout", "--revoke", "--password-stdin", &host],
            0,
            "Revoked and removed the login for",
        ),
    ] {
        let user = minting(&server);
        log_in(&user, &server);
        // A wrong password deletes nothing, here or there.
        let wrong = user.does(arguments, "wrong horse").code_is(4);
        wrong.noted(
            "did not accept the password of alice, or wants a second factor; the login is still stored here",
        );
        only_one(&user, &server);
        server.clear_journal();
        let revoked = user.does(arguments, PASSWORD);
        assert!(revoked.code == code && revoked.stdout.contains(said), "{revoked:?}");
        assert!(server.minted_tokens().is_empty() && user.records().is_empty());
        user.get(&host).not_found();
        let lines = server.journal().lines();
        assert_eq!(lines.last().unwrap(), "GET /v2/token 401", "{lines:?}");
    }
}

#[test]
fn one_that_is_out_of_reach_is_not_taken_for_gone() {
    let server = with_user(Profile::Gitea).start();
    let host = server.registry_host();
    let user = minting(&server);
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "file");
    user.does(&["keygen", "--install"], "").succeeded();
    log_in(&user, &server);
    let identity = user.settings_file().with_file_name("age-identity.txt");
    std::fs::rename(&identity, identity.with_extension("away")).unwrap();
    server.clear_journal();
    user.does(&["revoke", "--password-stdin", &host], PASSWORD).code_is(6);
    assert!(server.journal().is_empty() && server.minted_tokens().len() == 1);
    assert_eq!(user.records().len(), 1);
}

#[test]
fn a_person_is_asked_for_the_password() {
    let server = with_user(Profile::Gitea).start();
    let host = server.registry_host();
    let user = minting(&server);
    log_in(&user, &server);
    let mut command = user.command();
    command.args(["revoke", &host]);
    let mut terminal = Terminal::run(&command);
    terminal.expect(&format!("Password of alice at {host}, to delete the token: "));
    terminal.enter(PASSWORD);
    let (screen, code) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("Revoked and removed") && !screen.contains(PASSWORD), "{screen}");
    assert_eq!(server.minted_tokens(), []);
}

/// Gitea's API takes no token for it: without the password the page is named, and the next login
/// deletes what is left.
#[test]
fn without_the_password_the_page_is_named_and_the_next_login_deletes_it() {
    let server = with_user(Profile::Gitea).start();
    let host = server.registry_host();
    let user = minting(&server);
    let (_, token) = log_in(&user, &server);
    let page = format!("delete {:?} at https://{host}/user/settings/applications", token.name);
    let next = format!("pipe it in with --password-stdin, or log out and {page}");
    for revoke in [&["revoke", &host][..], &["logout", "--revoke", &host]] {
        let kept = format!("of alice; the login is still stored here; {next}");
        user.does(revoke, "").is(9, "", &kept);
        assert_eq!((user.records().len(), server.minted_tokens().len()), (1, 1));
    }
    let (_, token) = log_in(&user, &server);
    let page = format!("delete {:?} at https://{host}/", token.name);
    user.does(&["logout", &host], "").succeeded().noted(&page);
    log_in(&user, &server);
    // Docker's logout.
    user.set("DOCKER_CREDENTIAL_REFRESH_REVOKE_ON_ERASE", "true");
    server.clear_journal();
    user.erase(&host).succeeded().noted("the account's password is needed: delete");
    let asked = server.journal();
    assert!(asked.iter().all(|request| !request.has_credential()), "{:?}", asked.lines());
    log_in(&user, &server);
}

#[test]
fn one_that_goes_on_working_or_cannot_be_deleted_is_kept() {
    let server = with_user(Profile::Gitea).start();
    let host = server.registry_host();
    let user = minting(&server);
    log_in(&user, &server);
    let revoke = ["revoke", "--password-stdin", &host];
    for (fault, code, part) in [
        (Fault::status(204), 9, "is deleted, but it still works; the login is still stored here"),
        (
            Fault::status(503),
            7,
            "answered the request about tokens with status 503; the login is still stored here",
        ),
        (Fault::Reset, 7, "; the login is still stored here"),
        (
            Fault::status(422),
            9,
            "did not delete the token (status 422); the login is still stored here",
        ),
    ] {
        server.set_fault(At::ApiDelete, fault);
        user.does(&revoke, PASSWORD).code_is(code).noted(part);
        server.clear_faults();
        only_one(&user, &server);
    }
    // One that somebody deleted there is gone, as was asked.
    server.delete_minted_tokens();
    user.does(&revoke, PASSWORD).succeeded();
    assert!(user.records().is_empty());
}

#[test]
fn neither_password_nor_token_is_left_anywhere_but_in_the_keychain() {
    for (place, traced) in everywhere().into_iter().zip([
        "/tokens (Basic ***)",
        "/v2/access-tokens (Bearer ***)",
        "/access/api/v1/tokens (Basic ***)",
    ]) {
        let Place { user, host, .. } = &place;
        let trace = user.home().join("trace");
        user.set("DOCKER_CREDENTIAL_REFRESH_TRACE", trace.to_str().unwrap());
        let password = Canary::new(PASSWORD);
        let watch = password.watch();
        let mut said = String::new();
        let mut heard = |outcome: Outcome| said += &(outcome.stdout + &outcome.stderr);
        heard(user.store(host, "alice", PASSWORD).succeeded());
        let secret = place.only_one();
        user.secret(&secret);
        heard(user.does(&["status", "--check"], "").succeeded());
        heard(user.does(&["token", host, "--pull", "a/b"], "").succeeded());
        heard(user.does(&["login", "-u", "alice", "--password-stdin", host], PASSWORD).succeeded());
        heard(user.does(&["revoke", "--password-stdin", host], PASSWORD).succeeded());
        let trace = fs::read_to_string(&trace).unwrap();
        assert!(trace.contains(traced), "{trace}");
        let token = Canary::new(&secret);
        for scan in [password.scan().processes(watch), token.scan()] {
            scan.root(user.home()).text("what was said", &said).assert_clean();
        }
    }
}
