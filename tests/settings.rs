//! Settings as the verbs meet them: a typo stops nothing, and what cannot be understood is an error.

use std::fs;

use crate::mock_token_server::{Profile, TokenServer};
use crate::support::user::User;

const PASSWORD: &str = "correct horse battery";

#[test]
fn an_unknown_key_is_noted_and_the_verb_goes_on() {
    let user = User::new();
    user.settings("fallbak = 'pass'\n[registry.'h.example']\ninsecur = true\n");
    let stored = user.store("h.example", "<token>", "a-token").succeeded();
    stored.noted("fallbak").noted("did you mean fallback?").noted("did you mean insecure?");
    let got = user.get("h.example").succeeded();
    assert!(got.stdout.contains("a-token") && got.stderr.contains("fallbak"));
}

#[test]
fn a_command_refuses_each_unknown_key_once() {
    let user = User::new();
    user.settings("fallbak = 'pass'\ncolour = 1\n");
    let outcome = user.does(&["status"], "").is(2, "", "");
    let file = user.settings_file();
    let told = |key: &str, next: &str| {
        format!("docker-credential-refresh: unknown setting {key} in {}; {next}\n", file.display())
    };
    let both = told("fallbak", "did you mean fallback?") + &told("colour", "correct or remove it");
    assert_eq!(outcome.stderr, both);
}

/// As in the file: what clients call warns and goes on, a command refuses.
#[test]
fn a_misspelt_variable_is_noted_by_a_verb_and_refused_by_a_command() {
    let meant = "did you mean DOCKER_CREDENTIAL_REFRESH_FALLBACK?";
    for name in ["DOCKER_CREDENTIAL_REFRESH_FALBACK", "DOCKER_CREDENTIALS_REFRESH_FALLBACK"] {
        let user = User::new();
        user.set(name, "pass");
        let stored = user.store("h.example", "<token>", "a-token").succeeded();
        stored.noted(&format!("unknown variable {name} is ignored; {meant}"));
        user.get("h.example").succeeded().noted(meant);
        for command in [&["status"][..], &["logout", "h.example"], &["configure"]] {
            let refused = format!("docker-credential-refresh: unknown variable {name}; {meant}\n");
            assert_eq!(user.does(command, "").is(2, "", "").stderr, refused);
        }
        assert_eq!(user.token("h.example"), "a-token");
    }
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_CALLS_A_HELPER", "1");
    assert_eq!(user.run("list", b"").succeeded().stderr, "");
}

#[test]
fn a_value_of_another_kind_is_told_by_key_line_and_what_it_takes() {
    let user = User::new();
    user.secret("hunter2");
    for (toml, parts) in [
        (
            "# x\nrevoke_on_erase = 'yes'",
            &["revoke_on_erase in ", "line 2, takes true or false, not a string", "mean true?"][..],
        ),
        ("keychain = 'kernal'", &["line 1, takes auto, ", "did you mean kernel?"]),
        ("keychain = 'hunter2'", &["takes auto, "]),
        ("fallback = 'docker-credential-pass'", &["did you mean pass?"]),
        ("profile = 7", &["profile in ", "takes a quoted string, not a whole number"]),
        ("registry = 'hunter2'", &["registry in ", "takes a table for each registry, such as"]),
        ("[registry]\ninsecure = true", &["line 2, takes a table for each registry"]),
        (
            "[registry.'h.example']\ntrust_realm = ['https://a.example', 3]",
            &["[registry.\"h.example\"] trust_realm in ", "line 2, takes only strings"],
        ),
        (
            "[registry.'h.example']\ntrust_realm = 'https://auth.example/token'",
            &["takes an origin such as", "did you mean https://auth.example?"],
        ),
        ("[registry.'h.example']\nca_file = 'ca.pem'", &["ca_file in ", "an absolute path"]),
        ("[registry.'h.example']\ninsecure = 1", &["true or false", "did you mean true?"]),
    ] {
        user.settings(toml);
        let failed = user.get("h.example").failed_with(parts);
        assert!(failed.stdout.contains("config.toml"), "{failed:?}");
        user.does(&["status"], "").is(2, "", parts[0]);
    }
    user.settings("");
    for (name, value, parts) in [
        ("REVOKE_ON_ERASE", "ture", &["takes true or false", "did you mean true?"][..]),
        ("KEYCHAIN", "secretservice", &["did you mean secret-service?"]),
        ("SECRET_SERVICE_SESSION", "hunter2", &["takes plain or encrypted, not this value"]),
        ("TRUST_REALM", "h.example", &["takes host=https://origin,...", "has no ="]),
        ("INSECURE", "h h", &["takes host,host: a server URL"]),
    ] {
        let name = format!("DOCKER_CREDENTIAL_REFRESH_{name}");
        let user = User::new();
        user.secret("hunter2");
        user.set(&name, value);
        user.get("h.example").failed_with(parts).failed_with(&[name.as_str()]);
        user.does(&["status"], "").is(2, "", parts[0]);
    }
}

#[test]
fn a_file_that_cannot_be_understood_is_an_error_and_never_quoted() {
    let user = User::new();
    user.store("h.example", "<token>", "a-token").succeeded();
    user.secret("hunter2");
    for toml in
        ["profile = 'x'\npassword = \"hunter2", "profile = 'hunter2 x'", "keychain = 'hunter2'"]
    {
        user.settings(toml);
        for verb in ["get", "erase", "list"] {
            user.run(verb, b"h.example").failed_with(&["config.toml"]);
        }
        let payload = br#"{"ServerURL":"h.example","Username":"<token>","Secret":"b-token"}"#;
        user.run("store", payload).failed_with(&["config.toml"]);
    }
    fs::remove_file(user.settings_file()).unwrap();
    assert_eq!(user.token("h.example"), "a-token");
}

#[test]
fn a_mistake_in_the_file_is_told_without_what_is_in_it() {
    let user = User::new();
    let name = "a name with a dot or a port needs quotes, as in \
                [registry.\"registry.example.com:5000\"]; correct";
    let text = "text needs quotes, as in keychain = \"kernel\"; correct that line";
    for (toml, line, why) in [
        ("keychain = hunter2", 1, text),
        ("profile = \"x\"\nfallback = hunter2 hunter3", 2, text),
        ("[registry.hunter2:5443]\ninsecure = true", 1, name),
        ("profile = \"hunter2", 1, "invalid basic string, expected '\"'; "),
        ("hunter2 = 1\nhunter2 = 2", 2, "duplicate key; "),
    ] {
        user.settings(toml);
        let told = user.does(&["status"], "");
        assert_eq!(told.code, 2, "{told:?}");
        let said = format!("config.toml, line {line}: {why}");
        assert!(told.stderr.contains(&said) && !told.stderr.contains("hunter"), "{told:?}");
    }
}

#[test]
fn ca_file_client_id_and_revocation_endpoint_are_used() {
    let server = TokenServer::builder()
        .profile(Profile::Specification)
        .user("alice", PASSWORD)
        .no_metadata()
        .start();
    let host = server.registry_host();
    let user = User::new();
    user.store(&host, "alice", PASSWORD).failed_with(&["TLS failed", "ca_file"]);
    user.settings(&format!(
        "revoke_on_erase = true\n[registry.'{host}']\nca_file = '{}'\nclient_id = 'ci'\nrevocation_endpoint = '{}/revoke'\n",
        server.ca_file().display(),
        server.token_origin()
    ));
    user.store(&host, "alice", PASSWORD).succeeded();
    assert!(server.journal().requests().iter().any(|request| request.has("client_id", "ci")));
    assert_eq!(user.records()[0]["obtained_as"], "ci");
    user.erase(&host).succeeded();
    assert!(server.live_refresh_tokens().is_empty());
}

#[test]
fn a_client_pair_of_certs_d_is_shown_to_the_registry_and_its_realm() {
    let server =
        TokenServer::builder().user("alice", PASSWORD).require_client_certificate().start();
    let host = server.registry_host();
    let user = User::trusting(&server);
    user.store(&host, "alice", PASSWORD).failed_with(&[""]);
    assert_eq!(server.journal().passwords_sent(), 0);
    let pair = server.client_certificate().unwrap();
    let folder = user.certs_d(&host);
    fs::write(folder.join("client.cert"), &pair.certificate).unwrap();
    user.store(&host, "alice", PASSWORD).failed_with(&["client.key"]);
    fs::write(folder.join("client.key"), &pair.key).unwrap();
    user.store(&host, "alice", PASSWORD).succeeded();
}

#[test]
fn ssl_cert_file_replaces_the_roots_of_the_system() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    let user = User::new();
    user.unset("SSL_CERT_FILE");
    user.store(&server.registry_host(), "alice", PASSWORD).failed_with(&["UnknownIssuer"]);
    user.set("SSL_CERT_FILE", server.ca_file().to_str().unwrap());
    user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
}

/// To Go, and so to every client, an empty variable is one that is not set.
#[test]
fn an_empty_variable_for_certificates_is_none_and_a_wrong_one_is_named_with_the_next_step() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    let host = server.registry_host();
    let user = User::new();
    user.unset("SSL_CERT_FILE");
    let told = |user: &User| user.store(&host, "alice", PASSWORD).failed_with(&[]).stdout;
    let unset = told(&user);
    for (name, part) in [("SSL_CERT_FILE", "none.pem"), ("SSL_CERT_DIR", "none")] {
        user.set(name, "");
        assert_eq!(told(&user), unset, "{name}");
        let path = user.home().join(part).display().to_string();
        user.set(name, &path);
        let said = format!("{name} is {path}, which does not exist; correct {name}, or unset it\n");
        let answer = told(&user);
        assert!(answer.ends_with(&said), "{answer}");
        let doctor = user.does(&["doctor", &host], "").stdout;
        let step = format!("      -> correct {name}, or unset it\n");
        assert!(doctor.contains(&step), "{doctor}");
        user.set(name, "");
    }
    let empty = user.home().join("empty.pem");
    fs::write(&empty, "").unwrap();
    user.set("SSL_CERT_FILE", empty.to_str().unwrap());
    let answer = told(&user);
    assert!(
        answer.contains("empty.pem, which holds no certificate that can be used; "),
        "{answer}"
    );
}

/// containers-certs.d(5): what rootless podman and skopeo read.
#[test]
fn a_ca_in_the_users_own_folder_of_containers_is_trusted_for_its_registry() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    let host = server.registry_host();
    let user = User::new();
    // The folder is below HOME, whatever this says.
    user.set("XDG_CONFIG_HOME", user.home().join("xdg").to_str().unwrap());
    let place = format!("put it in /etc/docker/certs.d/{host}/ca.crt, the setting ca_file or");
    user.store(&host, "alice", PASSWORD).failed_with(&[&place]);
    let folders = user.home().join(".config/containers/certs.d");
    for (folder, trusted) in [("other.example:5000", false), (&host, true)] {
        fs::create_dir_all(folders.join(folder)).unwrap();
        fs::copy(server.ca_file(), folders.join(folder).join("ca.crt")).unwrap();
        let stored = user.store(&host, "alice", PASSWORD);
        assert_eq!(stored.code == 0, trusted, "{stored:?}");
    }
}

#[test]
fn a_moved_realm_is_noted() {
    let server = TokenServer::builder().user("alice", PASSWORD).start();
    let user = User::trusting(&server);
    user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
    server.set_realm(&format!("{}?moved=1", server.token_endpoint()));
    let stored = user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
    stored.noted("?moved=1, previously to");
}
