//! `doctor` on our own files: settings, records, and who else may use them.

use super::*;

#[test]
fn files_that_others_may_use_are_found() {
    let user = healthy();
    user.settings("profile = \"x\"\n");
    user.store("h.example", "<token>", "token-of-nobody").succeeded();
    finds(&user, None, &[("files", "OK", "the user's own")]);
    mode(&user.state(), 0o755);
    mode(&user.records_file(), 0o644);
    mode(&user.settings_file(), 0o666);
    let found = [
        ("files", "FAIL", "docker-credential-refresh (mode 755)"),
        ("files", "FAIL", "logins.json (mode 644)"),
        ("files", "FAIL", "config.toml (mode 666)"),
    ];
    finds(&user, None, &found);
    let aside = user.home().join("aside.json");
    fs::rename(user.records_file(), &aside).unwrap();
    symlink(&aside, user.records_file()).unwrap();
    finds(&user, None, &[("logins", "FAIL", "logins.json: it is a symbolic link")]);
    fs::rename(&aside, user.records_file()).unwrap();
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(user.records_file(), Some(65534), None).unwrap();
        finds(&user, None, &[("files", "FAIL", "belongs to nobody"), ("logins", "FAIL", "")]);
        user.set("SUDO_UID", "1000");
        finds(&user, None, &[("user", "WARN", "this runs under sudo")]);
    }
}

#[test]
fn an_unknown_setting_is_a_finding_here_and_an_error_elsewhere() {
    let user = healthy();
    user.settings("fallbak = \"x\"\n");
    let meant = "did you mean fallback?";
    let outcome = finds(&user, None, &[("settings", "FAIL", meant)]);
    assert_eq!(outcome.code, 1);
    assert_eq!(user.does(&["status"], "").code, 2);
}

/// What is to find the cause must not die of it, and what needs no settings goes on.
#[test]
fn settings_that_cannot_be_read_are_one_finding_of_many() {
    let user = healthy();
    for broken in ["keychain = \"kernel\n", "keychain = \"kernl\"\n", "revoke_on_erase = 7\n"] {
        user.settings(broken);
        let found = [("settings", "FAIL", "config.toml"), ("keychain", "OK", "kernel stores")];
        assert_eq!(finds(&user, None, &found).code, 1);
        // In the report alone, and the remedy once.
        let told = user.does(&["doctor"], "");
        assert_eq!(told.stdout.matches("correct").count(), 2, "with the last line: {told:?}");
        assert!(!told.stderr.contains("config.toml"), "{told:?}");
        assert_eq!(user.does(&["status"], "").code, 2);
        for needs_none in [&["keygen"][..], &["completions", "bash"]] {
            user.does(needs_none, "").succeeded().noted("config.toml");
        }
    }
    user.settings("");
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "../x");
    finds(&user, None, &[("settings", "FAIL", "DOCKER_CREDENTIAL_REFRESH_FALLBACK")]);
}

/// moby#40175: after `sudo docker login` the folder is root's. "Could not look" is not "absent".
#[test]
fn a_file_that_may_not_be_looked_at_is_not_told_to_be_absent() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let user = healthy();
    let all = fs::Permissions::from_mode(0o755);
    fs::set_permissions(user.home(), all).unwrap();
    mode(&user.home().join(".docker"), 0o700);
    let wrapper = ["/usr/bin/setpriv", "--reuid=4321", "--regid=4321", "--clear-groups"];
    let outcome = user.does_under(&wrapper, &["doctor", "--json"], b"");
    let found = findings(&outcome);
    let docker = found.iter().find(|(check, ..)| check == "docker config").unwrap();
    assert!(docker.1 == "FAIL" && docker.2.contains("ermission denied"), "{found:#?}");
}

#[test]
fn a_state_folder_that_cannot_be_written_is_found() {
    let user = healthy();
    user.store("h.example", "<token>", "token-of-nobody").succeeded();
    fs::create_dir(user.state().join("logins.json.new")).unwrap();
    finds(&user, None, &[("files", "FAIL", "logins.json.new")]);
    // Records that were changed by hand are compared with the keychains, and cannot be written now.
    let records: Value = serde_json::from_slice(&fs::read(user.records_file()).unwrap()).unwrap();
    fs::write(user.records_file(), records.to_string()).unwrap();
    let status = user.does(&["status"], "").noted("logins.json.new");
    assert!(status.code == 0 && status.stdout.contains("h.example"), "{status:?}");
    fs::remove_dir(user.state().join("logins.json.new")).unwrap();
    finds(&user, None, &[("files", "OK", "")]);
}

/// Whoever can name a helper there is given every password.
#[test]
fn a_clients_settings_that_others_may_write_are_found() {
    let user = healthy();
    let folder = user.home().join(".docker");
    let file = folder.join("config.json");
    for (path, bad, good) in [(&folder, 0o777, 0o700), (&file, 0o666, 0o600), (&file, 0o620, 0o600)]
    {
        mode(path, bad);
        let shown = path.display();
        let message = format!("other users can write to {shown} (mode {bad:o})");
        let remedy = format!("chmod {good:o} {shown}");
        let found = [("docker config", "FAIL", &*message), ("docker config", "FAIL", &*remedy)];
        finds(&user, None, &found);
        mode(path, good);
    }
    mode(&folder, 0o755);
    let outcome = finds(&user, None, &[("docker config", "OK", "is this helper")]);
    assert!(!outcome.stdout.contains("can write"), "{outcome:?}");
}
