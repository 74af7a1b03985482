//! The contract of keychains, in the test program that was built for Windows.

use crate::wine::{Outcome, Person, program, run};

/// Runs one of its tests.
fn test(person: &Person, name: &str) -> Outcome {
    let mut command = person.command(program("windows-suite.exe"));
    // A filter that matches no test succeeds as well.
    run(command.args([name, "--exact", "--nocapture"]), "").is(0, "1 passed", "")
}

fn identity() -> String {
    docker_credential_refresh::keychain::new_identity().0.expose().to_owned()
}

#[test]
fn credential_manager_keeps_the_contract() {
    let mut person = Person::new();
    person.set("AGENT_KEYCHAIN", "windows");
    test(&person, "keychain::contract::holds");
}

#[test]
fn files_keep_the_contract() {
    let mut person = Person::new();
    person.set("AGENT_KEYCHAIN", "file");
    person.set("DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY", &identity());
    test(&person, "keychain::contract::holds");
}

#[test]
fn auto_takes_credential_manager_whether_an_identity_is_set_or_not() {
    for identity in [String::new(), identity()] {
        let mut person = Person::new();
        person.set("AGENT_KEYCHAIN", "auto");
        person.set("AGENT_PROFILE", person.profile().to_owned().as_str());
        person.set("AGENT_SCRIPT", "unlock\nput h alice t\ncheck\nlist\nlifetime\ndelete h\nget h");
        person.set("DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY", &identity);
        let outcome = test(&person, "keychain::agent::acts");
        let told: Vec<_> =
            outcome.stdout.lines().filter_map(|line| line.split_once("agent> ")).collect();
        let told: Vec<_> = told.into_iter().map(|(_, answer)| answer).collect();
        assert_eq!(
            told,
            [
                "windows: it is this system's own",
                "ok",
                "ok",
                "ok",
                "h=alice",
                "until it is deleted",
                "ok",
                "absent: no such login in the keychain"
            ]
        );
    }
}
