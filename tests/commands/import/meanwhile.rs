//! What others write while `import` runs.

use super::*;

#[test]
fn a_login_that_came_meanwhile_is_not_removed() {
    let servers = Servers::start();
    let user = servers.user();
    let host = servers.hosts()[0].clone();
    // The fallback is asked to erase its own between keeping the token and removing the password.
    let script = format!(
        "#!/bin/sh\nPATH=/usr/bin:/bin\nsed -i s/{GOOD}/{WRONG}/ \"$HOME/.docker/config.json\"\necho '{{}}'\n"
    );
    user.program("docker-credential-meddling", &script);
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "meddling");
    let outcome = import(&user, &["--yes", "--registry", &host]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    outcome.noted("its token is kept, but another login was written there in the meantime");
    assert_eq!(auths(&user)[&host]["auth"], WRONG);
    assert!(user.kept(&host).is_some());
}

#[test]
fn what_docker_login_writes_meanwhile_is_not_lost() {
    if !has_strace("what_docker_login_writes_meanwhile_is_not_lost") {
        return;
    }
    let user = alone();
    write(
        &user,
        r#"{"credsStore":"refresh","auths":{"h.example":{"auth":"YTpi","identitytoken":"a-token"}}}"#,
    );
    let mut slow = strace(&user, "fsync", "delay_enter=300000", &["import", "--yes"]);
    let mut slow = slow.spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while fs::read_dir(user.home().join(".docker")).unwrap().count() < 2 {
        assert!(Instant::now() < deadline, "it never wrote beside config.json");
        std::thread::sleep(Duration::from_millis(2));
    }
    let new = user.home().join("new.json");
    let text =
        config(&user).replace("{\"h.example", "{\"new.example\":{\"auth\":\"YTpi\"},\"h.example");
    fs::write(&new, text).unwrap();
    fs::rename(new, config_file(&user)).unwrap();
    assert!(slow.wait().unwrap().success());
    assert_eq!(
        config(&user),
        r#"{"credsStore":"refresh","auths":{"new.example":{"auth":"YTpi"}}}"#
    );
    assert_eq!(user.token("h.example"), "a-token");
}
