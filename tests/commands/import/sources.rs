//! Where logins are imported from: podman's files, another helper, a file of two names.

use super::*;

#[test]
fn podmans_files_and_another_helper_are_emptied_too() {
    let servers = Servers::start();
    let user = servers.user();
    let host = servers.hosts()[0].clone();
    user.set("XDG_RUNTIME_DIR", user.home().join("run").to_str().unwrap());
    let auth = format!("{{\"auths\":{{\"{host}\":{{\"auth\":\"{GOOD}\"}}}}}}");
    for folder in ["run/containers", ".config/containers"] {
        fs::create_dir_all(user.home().join(folder)).unwrap();
        fs::write(user.home().join(folder).join("auth.json"), &auth).unwrap();
    }
    import(&user, &["--from", "podman", "--yes"])
        .succeeded()
        .noted("first, run: docker-credential-refresh configure");
    let conf = user.home().join(".config/containers/registries.conf");
    fs::write(conf, "credential-helpers = [\"refresh\"]\n").unwrap();
    import(&user, &["--from", "podman", "--yes"]).succeeded();
    for folder in ["run/containers", ".config/containers"] {
        let left = fs::read_to_string(user.home().join(folder).join("auth.json")).unwrap();
        assert_eq!(left, "{\"auths\":{}}");
    }
    assert!(user.kept(&host).is_some());
    user.erase(&host).succeeded();

    user.program("docker-credential-plain", PLAIN);
    fs::create_dir_all(user.home().join("plain")).unwrap();
    let keep = |url: &str, name: &str, secret: &str| {
        let file = url.replace(['/', ':'], "_");
        let login = json!({"ServerURL": url, "Username": name, "Secret": secret});
        fs::write(user.home().join("plain").join(file), login.to_string()).unwrap();
    };
    keep(&host, "alice", PASSWORD);
    keep("t.example", "<token>", "a-token");
    import(&user, &["--from", "plain"]).succeeded();
    assert_eq!(fs::read_dir(user.home().join("plain")).unwrap().count(), 2);
    import(&user, &["--from", "plain", "--yes"]).succeeded().noted("t.example was moved");
    assert_eq!(fs::read_dir(user.home().join("plain")).unwrap().count(), 0);
    assert_eq!(user.token("t.example"), "a-token");
    assert!(user.kept(&host).is_some());
}

#[test]
fn another_name_of_the_file_keeps_the_password_and_that_is_said() {
    let user = alone();
    let text = r#"{"credsStore":"refresh","auths":{"h.example":{"identitytoken":"t"}}}"#;
    write(&user, text);
    fs::hard_link(config_file(&user), user.home().join("copy.json")).unwrap();
    let outcome = import(&user, &["--yes"]).succeeded();
    outcome.noted("another name (hard link)");
    assert_eq!(fs::read_to_string(user.home().join("copy.json")).unwrap(), text);
}

/// podman reads docker's file, and not `credsStore` in it.
#[test]
fn podman_finds_a_login_that_was_taken_out_of_dockers_file() {
    let user = alone();
    user.program("podman", "#!/bin/sh\n");
    write(
        &user,
        r#"{"credsStore":"refresh","auths":{"https://h.example/v1/":{"identitytoken":"t"}}}"#,
    );
    import(&user, &["--yes"]).succeeded();
    let now: Value = serde_json::from_str(&config(&user)).unwrap();
    assert_eq!(now["credHelpers"], json!({"h.example": "refresh"}));
}

#[test]
fn nothing_to_import_and_what_cannot_be_read_are_told_apart() {
    let user = alone();
    import(&user, &["--yes"]).is(0, "", "no login was found in docker-config\n");
    let of_one = "no login was found for h.example in docker-config\n";
    import(&user, &["--registry", "h.example"]).is(0, "", of_one);
    import(&user, &["--json"]).is(0, "{\"dry_run\":true,\"logins\":[]}\n", "no login was found");
    write(&user, "{\"auths\":\n{\"h\": hunter2");
    let failed = import(&user, &["--yes"]);
    assert!(failed.stderr.contains("config.json, line 2") && !failed.stderr.contains("hunter2"));
    assert_eq!(failed.code, 1);
    assert_eq!(import(&user, &["--from", "../x"]).code, 2);
    assert_eq!(import(&user, &["--from", "refresh"]).code, 2);
    assert_eq!(import(&user, &["--registry", "a b"]).code, 2);
    let nowhere = "--from: docker-credential-nowhere is not on PATH";
    import(&user, &["--from", "nowhere"]).is(2, "", nowhere);
}
