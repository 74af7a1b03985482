//! `doctor` on what docker and podman are set up to do, and on the passwords in their files.

use super::*;

#[test]
fn plaintext_passwords_and_missing_helpers_are_found_and_not_shown() {
    let user = healthy();
    let auth = base64(&format!("alice:{PASSWORD}"));
    let text = json!({
        "auths": {
            "a.example": {"auth": auth},
            "b.example": {"username": "alice", "password": PASSWORD},
            "c.example": {"auth": base64("alice:"), "identitytoken": "identity-token-77"},
            "d.example": {"auth": auth},
            "e.example": {},
        },
        "credHelpers": {"d.example": "", "f.example": "gone", "g.example": "refresh"},
    });
    config(&user, "elsewhere/config.json", &text.to_string());
    mode(&user.home().join("elsewhere/config.json"), 0o644);
    user.set("DOCKER_CONFIG", user.home().join("elsewhere").to_str().unwrap());
    config(&user, ".config/containers/auth.json", &text.to_string());
    user.set("DOCKER_CREDENTIAL_REFRESH_TRACE", "1");
    let server = TokenServer::builder().start();
    user.set("HTTPS_PROXY", "http://proxy-user:proxy-password-1@127.0.0.1:1");
    user.set("NO_PROXY", "*");
    user.trust(&server.registry_host(), &server);
    let found = [
        ("docker config", "WARN", "does not use this helper for 127.0.0.1:"),
        ("docker config", "WARN", "elsewhere/config.json (from DOCKER_CONFIG)"),
        ("docker config", "FAIL", "docker-credential-gone, which is not on PATH"),
        ("passwords", "FAIL", "a password for a.example is in plain text in "),
        ("passwords", "FAIL", "a password for b.example is in plain text in "),
        ("passwords", "FAIL", "a token for c.example is in plain text in "),
        ("passwords", "WARN", "a password for d.example is in plain text in "),
        ("passwords", "FAIL", "(mode 644)"),
        (
            "passwords",
            "FAIL",
            "docker-credential-refresh import --configure --fallback none shows what",
        ),
        ("passwords", "FAIL", ".config/containers/auth.json"),
        (
            "passwords",
            "FAIL",
            "docker-credential-refresh import --from podman --configure --fallback none shows",
        ),
        ("proxy", "OK", "HTTPS_PROXY http://127.0.0.1:1; NO_PROXY is set as well"),
    ];
    let json = finds(&user, Some(&server.registry_host()), &found);
    assert!(!json.stdout.contains("e.example"), "{json:?}");
    let text = user.does(&["doctor", &server.registry_host()], "");
    for secret in [PASSWORD, auth.as_str(), "identity-token-77", "proxy-password-1"] {
        let scan = Canary::new(secret).scan();
        let scan = scan.text("json", &json.stdout).text("text", &text.stdout);
        scan.text("stderr", &(json.stderr.clone() + &text.stderr)).assert_clean();
    }
}

/// CVE-2020-8564: a file that cannot be understood is not quoted.
#[test]
fn a_broken_config_gives_path_and_line_only() {
    let user = healthy();
    config(&user, ".docker/config.json", &format!("{{\n\"auths\": {PASSWORD}}}"));
    let outcome = finds(&user, None, &[("docker config", "FAIL", "config.json, line 2")]);
    Canary::new(PASSWORD).scan().text("stdout", &outcome.stdout).assert_clean();
}

/// A registry that `credHelpers` leaves to another helper, in whatever spelling.
#[test]
fn a_registry_that_docker_asks_another_helper_for_is_told() {
    let user = healthy();
    user.program("docker-credential-other", "#!/bin/sh\necho '{}'\n");
    let ours = ("docker config", "OK", "is this helper");
    let remedy = "docker-credential-refresh configure --registry 127.0.0.1:1";
    for (text, found) in [
        (r#"{"credsStore":"refresh","credHelpers":{"h.example":"other"}}"#, ours),
        (
            r#"{"credsStore":"refresh","credHelpers":{"https://127.0.0.1:1":"other"}}"#,
            ("docker config", "WARN", "for 127.0.0.1:1: credHelpers names other for it in "),
        ),
        (
            r#"{"credsStore":"refresh","credHelpers":{"127.0.0.1:1":""}}"#,
            ("docker config", "WARN", "credHelpers names no helper for it in "),
        ),
        (r#"{"credHelpers":{"h.example":"refresh"}}"#, ("docker config", "WARN", remedy)),
        (
            r#"{"credHelpers":{"127.0.0.1:1":"refresh"}}"#,
            ("docker config", "OK", "config.json has this helper for 127.0.0.1:1"),
        ),
    ] {
        config(&user, ".docker/config.json", text);
        finds(&user, Some("127.0.0.1:1"), &[found]);
    }
}

/// With and without docker's own file; the command does what it says, also without podman.
#[test]
fn passwords_that_docker_wrote_before_2015_are_found_and_taken_over() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    let host = server.registry_host();
    for has_config in [true, false] {
        let user = healthy();
        user.trust(&host, &server);
        if !has_config {
            fs::remove_file(user.home().join(".docker/config.json")).unwrap();
        }
        let auth = base64(&format!("alice:{PASSWORD}"));
        let text = json!({host.as_str(): {"auth": auth}}).to_string();
        config(&user, ".dockercfg", &text);
        let what = format!("a password for {host} is in plain text in ");
        let remedy = "docker-credential-refresh import --from podman --configure --fallback none ";
        let found = [("passwords", "FAIL", what.as_str()), ("passwords", "FAIL", remedy)];
        finds(&user, None, &found);
        let command: Vec<&str> = remedy.split_whitespace().skip(1).chain(["--yes"]).collect();
        user.does(&command, "").succeeded();
        assert_eq!(fs::read_to_string(user.home().join(".dockercfg")).unwrap(), "{}");
        assert!(!user.token(&host).is_empty());
        finds(&user, None, &[("passwords", "OK", ".dockercfg has no password")]);
    }
}

/// No command takes it over: clients ask a helper for whole registries only.
#[test]
fn a_password_for_a_path_is_told_with_where_to_delete_it() {
    let user = healthy();
    let auth = base64(&format!("alice:{PASSWORD}"));
    let text = json!({"credsStore": "refresh", "auths": {"h.example/team": {"auth": auth}}});
    config(&user, ".docker/config.json", &text.to_string());
    finds(&user, None, &[("passwords", "FAIL", "delete h.example/team from auths in ")]);
}

#[test]
fn podman_that_would_write_the_password_down_is_found() {
    let user = healthy();
    user.program("podman", "");
    // No file of the machine's counts.
    config(&user, ".config/containers/registries.conf", "");
    finds(&user, None, &[("podman", "WARN", "podman does not use this helper")]);
    config(&user, ".docker/config.json", r#"{"credHelpers":{"h.example":"refresh"}}"#);
    finds(&user, None, &[("podman", "FAIL", "podman login writes the password in plain text")]);
    config(&user, ".config/containers/auth.json", r#"{"credHelpers":{"h.example":"refresh"}}"#);
    finds(&user, None, &[("podman", "OK", "podman keeps some of its logins")]);
    let drop_in = ".config/containers/registries.conf.d/50-docker-credential-refresh.conf";
    config(&user, drop_in, "credential-helpers = [\"refresh\"]\n");
    finds(&user, None, &[("podman", "OK", "podman keeps its logins with this helper")]);
    config(&user, drop_in, "credential-helpers = [\"containers-auth.json\", \"refresh\"]\n");
    finds(&user, None, &[("podman", "FAIL", "remove containers-auth.json from")]);
}

/// for-win#14039 and others: a helper that is there, and does not run.
#[test]
fn a_fallback_that_does_not_work_is_found() {
    let user = healthy();
    for (name, text, why) in [
        ("desktop.exe", "MZ\0not for this system", "runs only in WSL with interop on"),
        ("other", "MZ\0not for this system", "it cannot be started: Exec format error"),
        ("script", "#!/no/such/interpreter\n", "its interpreter is not there"),
        ("broken", "#!/bin/sh\necho sealed\nexit 1\n", "list failed: sealed"),
        ("broken", "#!/bin/sh\necho sealed\nexit 1\n", "make docker-credential-broken list work"),
        ("silly", "#!/bin/sh\necho hello\n", "cannot be understood"),
        ("slow", "#!/bin/sh\nexec sleep 30\n", "no answer within 5 s"),
    ] {
        user.program(&format!("docker-credential-{name}"), text);
        user.settings(&format!("fallback = \"{name}\"\n"));
        user.set("PATH", &format!("{}:/usr/bin:/bin", user.home().join("bin").display()));
        finds(&user, None, &[("fallback", "FAIL", why)]);
    }
}

/// Each is typed as it was printed.
#[test]
fn the_commands_that_are_advised_work_on_a_machine_where_nothing_is_set() {
    let fresh = || {
        let user = healthy();
        fs::remove_file(user.home().join(".docker/config.json")).unwrap();
        user.program("podman", "#!/bin/sh\n");
        user
    };
    let advice = |user: &User, check: &str, part: &str| {
        let all = findings(&user.does(&["doctor", "--json"], ""));
        let found = all.into_iter().find(|(c, _, message, _)| c == check && message.contains(part));
        found.unwrap_or_else(|| panic!("no {check} with {part:?}")).3
    };
    let typed = |user: &User, line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words[0], "docker-credential-refresh");
        user.does(&words[1..], "").succeeded();
    };
    let user = fresh();
    let line = advice(&user, "docker config", "does not exist");
    assert_eq!(line, "docker-credential-refresh configure --fallback none");
    typed(&user, &line);
    let user = fresh();
    let line = advice(&user, "podman", "does not use this helper");
    assert_eq!(line, "docker-credential-refresh configure --podman --fallback none");
    typed(&user, &line);
    let user = fresh();
    config(&user, ".docker/config.json", r#"{"auths":{"h.example":{"identitytoken":"t"}}}"#);
    let line = advice(&user, "passwords", "a token for h.example");
    let (line, _) = line.split_once(" shows what").unwrap();
    assert_eq!(line, "docker-credential-refresh import --configure --fallback none");
    typed(&user, line);
    // A fallback that is known already is kept.
    user.program("docker-credential-other", "#!/bin/sh\necho '{}'\n");
    config(&user, ".docker/config.json", r#"{"credsStore":"other"}"#);
    let line = advice(&user, "docker config", "credsStore is other");
    assert_eq!(line, "docker-credential-refresh configure");
    typed(&user, &line);
}
