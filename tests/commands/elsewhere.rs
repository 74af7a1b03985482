//! What is said of a login that is not where it was looked for.

use std::fs;

use crate::support::user::User;

/// With a fallback that lists these logins, in JSON.
fn with_fallback(listed: &str) -> User {
    let user = User::new();
    let program = format!("#!/bin/sh\n[ $1 = list ] && echo '{listed}'\n");
    user.program("docker-credential-plain", &program);
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "plain");
    user
}

#[test]
fn a_password_in_the_fallback_is_no_reason_to_log_in_again() {
    let user = with_fallback(r#"{"https://h.example":"alice","t.example":"<token>"}"#);
    let there = "the login for h.example is in docker-credential-plain, which has a password and no \
                 token; ";
    let check = "to see what works there, run: docker-credential-refresh check h.example\n";
    let token = user.does(&["token", "h.example", "--pull", "a/b"], "");
    token.is(5, "", &format!("{there}{check}"));
    let change = "change the password at the registry; to remove it here, run: \
                  docker-credential-refresh --profile ";
    let revoke = user.does(&["revoke", "h.example"], "").is(5, "", &format!("{there}{change}"));
    assert!(revoke.stderr.ends_with(" logout h.example\n"), "{revoke:?}");
    // By the name that the fallback has it under.
    let shown = user.does(&["status"], "").succeeded().stdout;
    assert!(shown.contains("\nhttps://h.example  alice"), "{shown}");
    // A login here would have the token that the fallback has.
    for other in ["t.example", "x.example"] {
        user.does(&["token", other, "--pull", "a/b"], "").is(3, "", "log in with");
    }
    // Without records it is not known that there is none here.
    fs::remove_file(user.records_file()).unwrap();
    fs::create_dir(user.records_file()).unwrap();
    let token = user.does(&["token", "h.example", "--pull", "a/b"], "").is(1, "", "cannot read ");
    assert_eq!(token.stderr.lines().count(), 1, "{token:?}");
}

#[test]
fn a_fallback_that_cannot_be_asked_is_told() {
    let user = User::new();
    user.program("docker-credential-plain", "#!/bin/sh\necho sealed\nexit 1\n");
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "plain");
    let not_listed = "the logins of docker-credential-plain are not listed: ";
    user.does(&["token", "h.example", "--pull", "a/b"], "").is(3, "", not_listed);
}

#[test]
fn a_login_on_the_same_host_is_named() {
    let user = User::new();
    for server in ["127.0.0.1:5443", "h.example/team", "o.example"] {
        user.store(server, "<token>", "token-of-nobody").succeeded();
    }
    let here = |typed: &str, other: &str| {
        let fact = format!("not logged in to {typed} in profile {}", user.profile());
        let told = format!("{fact}, but logged in to {other}; ");
        user.does(&["token", typed, "--pull", "a/b"], "").is(3, "", &told);
        user.does(&["status", typed], "").is(3, "", &told);
        user.does(&["revoke", typed], "").is(3, "", &told);
        let out = format!("Not logged in to {typed}; logged in to {other}\n");
        user.does(&["logout", typed], "").is(0, &out, "");
    };
    here("127.0.0.1", "127.0.0.1:5443");
    here("h.example", "h.example/team");
    // Without a name it is Docker Hub that is meant, which may not have been.
    let all = "Not logged in to https://index.docker.io/v1/; logged in to 127.0.0.1:5443, \
               h.example/team, o.example\n";
    user.does(&["logout"], "").is(0, all, "");
    let none = user.does(&["token", "x.example", "--pull", "a/b"], "").code_is(3);
    assert!(!none.stderr.contains("but logged in"), "{none:?}");
}
