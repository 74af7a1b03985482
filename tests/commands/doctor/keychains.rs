//! `doctor` on keychains, and on the login records beside them.

use super::*;

#[test]
fn a_keychain_that_is_needed_must_work_and_no_dummy_stays() {
    let user = healthy();
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "secret-service");
    let broken = ("keychain", "FAIL", "run it in a desktop session, or set keychain to kernel");
    let dummies = Keychain::open(&KeychainName::Kernel, "doctor", &Options::default()).unwrap();
    let before = dummies.list().unwrap().logins;
    finds(&user, None, &[broken, ("keychain", "OK", "kernel stores")]);
    let old = "1700000000.1.invalid";
    dummies.put(old, "doctor", &RefreshToken::new("a dummy".into())).unwrap();
    // Of a profile that happens to have the same name.
    let login = format!("10.{}:5000", std::process::id());
    dummies.put(&login, "alice", &RefreshToken::new("a-token".into())).unwrap();
    finds(&user, None, &[("keychain", "OK", "kernel stores")]);
    assert!(dummies.get(old).is_err(), "what a killed doctor left behind stays");
    dummies.delete(&login).expect("a login is no dummy");
    // Those of other tests come and go.
    let deadline = Instant::now() + Duration::from_secs(20);
    while dummies.list().unwrap().logins.iter().any(|dummy| !before.contains(dummy)) {
        assert!(Instant::now() < deadline, "{:?} stays", dummies.list());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_locked_keyring_and_planted_duplicates_are_found() {
    let keyring = GnomeKeyring::start();
    let user = healthy();
    user.on_bus(keyring.environment());
    user.store("h.example", "<token>", "token-of-nobody").succeeded();
    let keeps = ("keychain", "OK", "secret-service stores");
    finds(&user, None, &[keeps, ("session bus", "OK", ""), ("logins", "OK", "1 of 1")]);
    let same = [
        ("service", "docker-credential-refresh"),
        ("username", "h.example"),
        ("target", user.profile()),
        ("account", "mallory"),
    ];
    keyring.plant(&same, "planted-token");
    finds(&user, None, &[("logins", "WARN", "has 2 items for h.example; the newest is used")]);
    keyring.lock();
    let locked = "the secret-service keychain is locked";
    let how = "there is no display to ask on: unlock the desktop's keyring";
    let unchecked = "cannot check h.example, in the secret-service keychain";
    let found = finds(&user, None, &[("keychain", "WARN", how), ("logins", "WARN", unchecked)]);
    assert!(!found.stdout.contains("docker asks for that"), "{found:?}");
    let found = finds(&user, None, &[("keychain", "WARN", locked)]);
    assert_eq!(found.stdout.matches(locked).count(), 1, "said once: {found:?}");
    finds(&user, Some("h.example"), &[("logins", "FAIL", unchecked)]);
    // What cannot be read is not gone.
    let status = user.does(&["status", "h.example"], "");
    assert_eq!(status.code, 6, "{status:?}");
    assert!(status.stdout.contains("State:       unreadable\n"), "{status:?}");
    assert!(status.stderr.contains(locked), "{status:?}");
    assert_eq!(user.does(&["status", "--check"], "").code, 6);
}

#[test]
fn records_are_held_against_the_keychain() {
    let user = healthy();
    finds(&user, None, &[("logins", "SKIP", "there are no records")]);
    for server in ["a.example", "b.example", "c.example"] {
        user.store(server, "<token>", "token-of-nobody").succeeded();
    }
    user.keychain().delete("a.example").unwrap();
    let mut file: Value = serde_json::from_slice(&fs::read(user.records_file()).unwrap()).unwrap();
    file["logins"].as_array_mut().unwrap().retain(|login| login["key"] != "b.example");
    fs::write(user.records_file(), file.to_string()).unwrap();
    let outcome = finds(
        &user,
        None,
        &[
            ("logins", "WARN", "1 of 2 were found in their keychain"),
            ("logins", "WARN", "the login for a.example is gone from kernel"),
            (
                "logins",
                "WARN",
                "kernel has an entry for b.example that this helper has no record of",
            ),
        ],
    );
    assert_eq!(outcome.code, 0);
    let damaged = "not json at all";
    fs::write(user.records_file(), damaged).unwrap();
    finds(&user, None, &[("logins", "FAIL", "it is damaged at line 1")]);
    // The doctor looks, and changes nothing.
    assert_eq!(fs::read_to_string(user.records_file()).unwrap(), damaged);
    user.does(&["status"], "").succeeded();
    finds(&user, None, &[("files", "WARN", "is a damaged file that was set aside")]);
}
