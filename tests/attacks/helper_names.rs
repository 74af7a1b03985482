//! Another program in the place of a helper (RUSTSEC-2024-0433, CVE-2022-24826).

use super::PASSWORD;
use crate::support::user::User;

/// A program that tells that it was started.
fn trap(user: &User, name: &str) {
    let mark = user.home().join("started").display().to_string();
    user.program(name, &format!("#!/bin/sh\necho \"$0\" >> {mark}\necho '{{}}'\n"));
}

#[track_caller]
fn nothing_was_started(user: &User, what: &str) {
    assert!(!user.home().join("started").exists(), "{what}");
}

const BAD: &[&str] = &[
    "../evil",
    "./evil",
    "/bin/sh",
    "-evil",
    "--help",
    ".evil",
    "..",
    "evil/../evil",
    "evil evil",
    "evil;id",
    "$(id)",
    "Evil",
    "evil\\evil",
    "\u{ff45}vil",
    "evil\u{202e}",
    "",
];

#[test]
fn rustsec_2024_0433_a_helper_named_by_path_is_refused() {
    // A name with a path in it starts any program of the machine, with a password on its stdin.
    for name in BAD {
        let user = User::new();
        trap(&user, "evil");
        trap(&user, "docker-credential-evil");
        for setting in [
            format!("fallback = {name:?}"),
            format!("[registry.\"registry.example.com\"]\nfallback = {name:?}"),
            "fallback = \"ok\\u0000/../evil\"".to_owned(),
        ] {
            user.settings(&setting.replace("\\u{202e}", "\\u202e"));
            user.get("registry.example.com").failed_with(&["fallback", "config.toml"]);
            user.store("registry.example.com", "alice", PASSWORD).failed_with(&["config.toml"]);
            nothing_was_started(&user, &setting);
        }
        user.settings("");
        if !name.is_empty() {
            user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", name);
            user.get("registry.example.com").failed_with(&["FALLBACK"]);
            nothing_was_started(&user, name);
        }
    }
}

#[test]
fn a_keychain_named_by_path_is_refused() {
    // The same with the helper that is to be the keychain.
    for name in BAD {
        let user = User::new();
        trap(&user, "evil");
        user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", &format!("helper:{name}"));
        user.get("registry.example.com").failed_with(&["KEYCHAIN"]);
        user.store("h", "<token>", "a token for nobody").failed_with(&["KEYCHAIN"]);
        nothing_was_started(&user, name);
    }
}

#[test]
fn cve_2022_24826_a_helper_in_the_current_directory_is_not_found() {
    // A repository brings a docker-credential-evil, and a PATH with "." or "" finds it first.
    let user = User::new();
    trap(&user, "docker-credential-evil");
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "evil");
    for path in [".", "", "bin", "./bin", ":/usr/bin", "/usr/bin:"] {
        let mut command = user.command();
        command.env("PATH", path).current_dir(user.home().join("bin")).arg("list");
        let output = command.output().unwrap();
        assert_eq!(output.stdout, b"{}\n", "{path}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("docker-credential-evil is not on PATH"), "{path}: {stderr}");
        nothing_was_started(&user, path);
        let mut command = user.command();
        command.env("PATH", path).current_dir(user.home().join("bin")).arg("list");
        command.env("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "helper:evil");
        let stderr = String::from_utf8(command.output().unwrap().stderr).unwrap();
        assert!(stderr.contains("the helper:evil keychain cannot be used"), "{path}: {stderr}");
        nothing_was_started(&user, path);
    }
    // On PATH it is found: the trap would have shown.
    user.run("list", b"").succeeded();
    assert!(user.home().join("started").exists());
}

#[test]
fn a_directory_or_a_file_that_is_no_program_is_not_started() {
    // Something of that name that cannot be run hides the proper one, or fails in a confusing way.
    use std::os::unix::fs::PermissionsExt;
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "evil");
    let file = user.home().join("bin/docker-credential-evil");
    std::fs::create_dir_all(&file).unwrap();
    user.get("h").failed_with(&["not on PATH"]);
    std::fs::remove_dir(&file).unwrap();
    trap(&user, "docker-credential-evil");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    user.get("h").failed_with(&["not on PATH"]);
    nothing_was_started(&user, "no program");
}

#[test]
fn this_helper_as_its_own_fallback() {
    // A link makes the helper start itself, and that one again, until the machine is full.
    let user = User::new();
    std::fs::create_dir_all(user.home().join("bin")).unwrap();
    let helper = crate::support::tested_program();
    let link = user.home().join("bin/docker-credential-other");
    std::os::unix::fs::symlink(&helper, &link).unwrap();
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "refresh");
    user.get("h").failed_with(&["names this helper itself"]);
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "other");
    user.get("h").failed_with(&["is this helper itself"]);
    // Nor through a script between.
    std::fs::remove_file(&link).unwrap();
    user.program(
        "docker-credential-other",
        &format!("#!/bin/sh\nexec {} \"$@\"\n", helper.display()),
    );
    user.get("h").failed_with(&["started by its own fallback"]);
}
