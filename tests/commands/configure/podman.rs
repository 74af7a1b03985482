//! Podman, skopeo and buildah: one drop-in, and the passwords in their files.

use super::*;

#[test]
fn podman_is_set_up_by_one_drop_in_and_its_passwords_are_taken() {
    let good = server().start();
    let host = good.registry_host();
    let user = trusting(&good);
    let auth = user.home().join("run/containers/auth.json");
    fs::create_dir_all(auth.parent().unwrap()).unwrap();
    fs::write(&auth, format!("{{\"auths\":{{\"{host}\":{{\"auth\":\"{GOOD}\"}}}}}}")).unwrap();
    let without = user.does(&["configure", "--fallback", "none"], "").succeeded();
    assert!(!drop_in(&user).exists(), "none of them is installed: {without:?}");
    let with = user.does(&["configure", "--podman"], "").succeeded();
    assert!(with.stdout.contains("+ credential-helpers = [\"refresh\"]"), "{with:?}");
    let text = fs::read_to_string(drop_in(&user)).unwrap();
    assert!(text.ends_with("\ncredential-helpers = [\"refresh\"]\n"), "{text}");
    assert_eq!(fs::read_to_string(&auth).unwrap(), "{\"auths\":{}}");
    assert!(user.kept(&host).is_some());
    user.does(&["configure", "--podman"], "").is(0, "Nothing to change\n", "");
    let undone = user.does(&["unconfigure"], "").succeeded();
    assert!(undone.stdout.contains("- credential-helpers"), "{undone:?}");
    assert!(!drop_in(&user).exists());

    user.program("podman", "#!/bin/sh\n");
    let told = user.does(&["configure", "--fallback", "none"], "").succeeded();
    assert!(drop_in(&user).exists(), "it is installed");
    let is_root = rustix::process::getuid().is_root();
    assert_eq!(told.stderr.contains("rootless podman"), !is_root, "{told:?}");
}

/// `/run/containers` is root's alone once root used podman, and `runuser` sets no XDG_RUNTIME_DIR.
#[test]
fn a_folder_of_podmans_that_is_closed_to_this_user_stops_nothing() {
    if !rustix::process::getuid().is_root() {
        return crate::support::left_out("another user's /run/containers", "it needs root");
    }
    let uid = "3000000006";
    let user = user();
    user.program("podman", "#!/bin/sh\n");
    user.set("XDG_RUNTIME_DIR", "");
    let program = user.home().join("bin/docker-credential-refresh");
    fs::remove_file(&program).unwrap();
    fs::copy(crate::support::tested_program(), &program).unwrap();
    assert!(Command::new("chown").args(["-R", uid]).arg(user.home()).status().unwrap().success());
    let script = format!(
        "mount -t tmpfs -o mode=755 none /run && mkdir -m 700 /run/containers && \
         exec setpriv --reuid {uid} --regid {uid} --clear-groups -- \"$@\""
    );
    let run = |arguments: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--", "sh", "-c", &script, "sh"]).arg(&program).args(arguments);
        let helper = user.command();
        let environment = helper.get_envs().filter_map(|(name, value)| Some((name, value?)));
        command.env_clear().envs(environment);
        command.env("PATH", format!("{}/bin:/usr/bin:/bin", user.home().display()));
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let closed = format!("/run/containers/{uid} is not accessible to this user");
    let (code, stdout, stderr) = run(&["configure", "--fallback", "none"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stdout.contains("credsStore") && stderr.contains(&closed), "{stdout}{stderr}");
    let (code, _, stderr) = run(&["import", "--from", "podman"]);
    assert!(code == Some(0) && stderr.contains(&closed), "{stderr}");
    let (_, stdout, _) = run(&["doctor"]);
    assert!(stdout.contains(&format!("SKIP  podman: {closed}")), "{stdout}");
}

#[test]
fn podmans_previous_helper_must_not_be_lost() {
    let user = user();
    helper(&user, "pass");
    fs::write(user.home().join("pass.list"), "{\"h.example\":\"alice\"}").unwrap();
    write(&user, "{}");
    let conf = user.home().join(".config/containers/registries.conf");
    fs::create_dir_all(conf.parent().unwrap()).unwrap();
    fs::write(&conf, "credential-helpers = [\"containers-auth.json\", \"pass\"]\n").unwrap();
    let lost = user.does(&["configure", "--podman", "--fallback", "none"], "");
    unchanged(&user, "{}", lost, 1, &["logins in pass would no longer be found: h.example"]);
    let drop_in = user.home().join(".config/containers/registries.conf.d/10-pass.conf");
    fs::create_dir_all(drop_in.parent().unwrap()).unwrap();
    fs::rename(conf, drop_in).unwrap();
    let lost = user.does(&["configure", "--podman", "--fallback", "none"], "");
    unchanged(&user, "{}", lost, 1, &["logins in pass would no longer be found: h.example"]);
    user.does(&["configure", "--podman", "--fallback", "pass"], "").succeeded();
}

/// podman takes the last `credential-helpers` that it reads.
#[test]
fn a_later_drop_in_that_overrules_ours_is_found_first() {
    let user = user();
    write(&user, "{}");
    let folder = user.home().join(".config/containers/registries.conf.d");
    fs::create_dir_all(&folder).unwrap();
    let theirs = "credential-helpers = [\"containers-auth.json\"]\n";
    let configure = ["configure", "--podman", "--fallback", "none"];
    fs::write(folder.join("60-theirs.conf"), theirs).unwrap();
    let part = "would keep using credential-helpers in ";
    let refused = user.does(&configure, "");
    unchanged(&user, "{}", refused, 1, &[part, "60-theirs.conf; nothing was changed"]);
    // What has another ending is not read.
    fs::copy(folder.join("60-theirs.conf"), folder.join("60-theirs.conf.bak")).unwrap();
    fs::rename(folder.join("60-theirs.conf"), folder.join("40-theirs.conf")).unwrap();
    user.does(&configure, "").succeeded();
    assert!(drop_in(&user).exists());
}
