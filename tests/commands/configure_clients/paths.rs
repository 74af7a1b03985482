//! Entries of paths (`HOST/team`) in docker's file, which podman and skopeo use for that path alone.

use super::*;

/// `base64(bob:another one)`
const OTHER: &str = "Ym9iOmFub3RoZXIgb25l";

fn config(host: &str, path_login: &str) -> Value {
    json!({
        "auths": {host: auth(), format!("{host}/team"): {"auth": path_login}},
        "HttpHeaders": {"X-Team": "a"},
        "currentContext": "remote",
        "proxies": {"default": {"noProxy": "h"}},
    })
}

/// Clients get the same login by the registry's name.
#[test]
fn the_same_login_under_a_path_goes_with_that_of_its_registry() {
    let server = server().start();
    let host = server.registry_host();
    for (options, podman) in [(&["--no-podman"][..], true), (&[], true), (&[], false)] {
        let user = user(&[&server]);
        if !podman {
            fs::remove_file(user.home().join("bin/podman")).unwrap();
        }
        put(&user, ".docker/config.json", &config(&host, GOOD));
        let arguments = [&["configure", "--fallback", "none"], options].concat();
        let done = user.does(&arguments, "").succeeded();
        assert!(
            done.stdout.contains(&format!("- \"auths\": {{\"{host}/team\": ...}}")),
            "{done:?}"
        );
        let now = read(&user, ".docker/config.json");
        assert_eq!((&now["auths"], &now["currentContext"]), (&json!({}), &json!("remote")));
        assert_eq!(user.token(&format!("{host}/team")), user.kept(&host).unwrap());
    }
    assert_eq!(server.journal().passwords_sent(), 3, "one each");
}

/// podman 4.3 and skopeo 1.9 write `auths` back to such a file, and nothing else of it.
#[test]
fn another_login_under_a_path_is_told_before_a_password_is_sent() {
    for options in [&["--no-podman"][..], &[]] {
        let server = server().start();
        let host = server.registry_host();
        let path = format!("{host}/team");
        let user = user(&[&server]);
        user.program("docker", "#!/bin/sh\n");
        let before = config(&host, OTHER);
        put(&user, ".docker/config.json", &before);
        let arguments = [&["configure", "--fallback", "none"], options].concat();
        let file = user.home().join(".docker/config.json");
        let told = format!("log out there (delete {path} from auths in {})", file.display());
        let refused = user.does(&arguments, "");
        refused.is(1, "", &told);
        let again = user.does(&arguments, "");
        assert!(!again.stderr.contains("podman logout") && !again.stderr.contains("--no-podman"));
        assert_eq!(read(&user, ".docker/config.json"), before);
        assert!(
            !user.state().join("configured.json").exists() && !user.home().join(DROP_IN).exists()
        );
        assert_eq!(server.journal().passwords_sent(), 0);

        let stays = format!("a password for {path} stays in plain text in {}; ", file.display());
        let forced = user.does(&[&arguments[..], &["--force"]].concat(), "").succeeded();
        forced.noted(&format!("{stays}to remove it, delete {path} from auths in"));
        let now = read(&user, ".docker/config.json");
        assert_eq!(now["auths"], json!({path.as_str(): {"auth": OTHER}}));
    }
}

/// Without podman no client uses it, and it is said all the same.
#[test]
fn a_password_under_a_path_that_stays_is_said() {
    let server = server().start();
    let host = server.registry_host();
    let user = user(&[&server]);
    fs::remove_file(user.home().join("bin/podman")).unwrap();
    put(&user, ".docker/config.json", &config(&host, OTHER));
    for _ in 0..2 {
        let done = user.does(&["configure", "--fallback", "none"], "").succeeded();
        done.noted(&format!("a password for {host}/team stays in plain text in"));
    }
}

/// Docker logs out of the registry's own name, too: only where there is nothing else is it told to.
#[test]
fn docker_is_told_to_log_out_where_nothing_else_is_lost_by_it() {
    let user = user(&[]);
    let auths = json!({"h.example/a": {"auth": OTHER}, "h.example/b": auth()});
    put(&user, ".docker/config.json", &json!({ "auths": auths }));
    let told = |user: &User| user.does(&["configure", "--fallback", "none"], "").code_is(1).stderr;
    let file = user.home().join(".docker/config.json").display().to_string();
    let by_hand = format!("(delete h.example/a from auths in {file}; delete h.example/b from");
    assert!(told(&user).contains(&by_hand), "{}", told(&user));
    user.program("docker", "#!/bin/sh\n");
    let by_docker = "(docker logout h.example/a; docker logout h.example/b)";
    assert!(told(&user).contains(by_docker), "{}", told(&user));
}

/// What podman would drop from a file that it was told to write.
#[test]
fn podman_is_told_to_log_out_only_from_files_of_its_own() {
    for (more, told) in [
        (json!({}), "podman logout --authfile "),
        (json!({"credHelpers": {"i.example": "refresh"}}), "podman logout --authfile "),
        (json!({"currentContext": "remote"}), "(delete h.example/a from auths in "),
    ] {
        let user = user(&[]);
        let mut content = json!({"auths": {"h.example/a": auth()}});
        content.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        put(&user, "other/config.json", &content);
        user.set("REGISTRY_AUTH_FILE", user.home().join("other/config.json").to_str().unwrap());
        user.does(&["configure", "--fallback", "none"], "").is(1, "", told);
    }
}
