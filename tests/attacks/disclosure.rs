//! Secrets that come out where nobody thought of them (RUSTSEC-2023-0125, CVE-2020-8564).

use serde_json::json;

use super::{PASSWORD, Previous, server};
use crate::mock_token_server::{At, Fault};
use crate::support::user::User;

#[test]
fn rustsec_2023_0125_a_server_that_echoes_the_password() {
    // A server puts what it was sent into its error, and the error goes to a log.
    // `User` looks for the password in every output, and in every file at the end.
    let server = server().start();
    let user = User::trusting(&server);
    let previous = Previous::login(&user, &server.registry_host());
    let body = json!({
        "error": PASSWORD, "error_description": PASSWORD, "error_uri": PASSWORD,
        "errors": [{"code": PASSWORD, "message": PASSWORD, "detail": PASSWORD}],
    });
    let tokens = json!({"token_type": PASSWORD, "access_token": PASSWORD});
    for at in [At::Exchange, At::Proof] {
        for status in [200, 302, 400, 401, 403, 404, 418, 429, 500, 503] {
            for body in [&body, &tokens] {
                let headers = ["Retry-After", "Location", "WWW-Authenticate", "Set-Cookie"];
                let headers = headers.map(|name| (name.to_owned(), PASSWORD.to_owned()));
                let headers = headers.to_vec();
                server.clear_faults();
                let fault = Fault::Answer { status, headers, body: body.to_string() };
                server.set_fault(at, fault);
                let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
                outcome.failed_with(&[]);
            }
        }
    }
    previous.survives(&user);
}

#[test]
fn a_password_that_comes_back_as_refresh_token_is_not_kept() {
    // A server calls the password a refresh token: it would rest in the keychain after all.
    let name = || "refresh_token".to_owned();
    for post_works in [true, false] {
        let mut builder = server();
        if !post_works {
            builder = builder.post_status(404);
        }
        let fault = Fault::SetField(name(), json!(PASSWORD));
        let works = json!({"access_token": "a", "refresh_token": PASSWORD}).to_string();
        let works = Fault::Answer { status: 200, headers: Vec::new(), body: works };
        let server = builder.fault(At::Exchange, fault).fault(At::Proof, works).start();
        let user = User::trusting(&server);
        let previous = Previous::login(&user, &server.registry_host());
        let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
        outcome.failed_with(&["issues no refresh tokens"]);
        previous.survives(&user);
    }
}

#[test]
fn cve_2020_8564_a_config_file_is_not_quoted() {
    // A password stands in a settings file that cannot be read, and the error quotes the line.
    let user = User::new();
    user.secret("hunter2-in-a-file");
    for (toml, line) in [
        ("profile = \"ci\"\nfallback = \"hunter2-in-a-file", "line 2"),
        ("\n\nhunter2-in-a-file", "line 3"),
        ("keychain = [\"hunter2-in-a-file\"]", "line 1"),
        ("keychain = \"hunter2-in-a-file\"", "keychain in"),
        ("fallback = \"hunter2-in-a-file!\"", "fallback in"),
        ("profile = \"hunter2-in-a-file/\"", "profile in"),
        ("[registry.\"hunter2-in-a-file h\"]\ninsecure = true", "[registry]"),
        ("[registry.h]\ntrust_realm = \"hunter2-in-a-file\"", "trust_realm"),
        ("[registry.h]\ninsecure = \"hunter2-in-a-file\"", "line"),
    ] {
        user.settings(toml);
        for verb in ["store", "get", "erase", "list"] {
            let payload = r#"{"ServerURL":"h","Username":"u","Secret":"s"}"#;
            let outcome = user.run(verb, if verb == "store" { payload } else { "h" }.as_bytes());
            outcome.failed_with(&["config.toml", line]);
        }
    }
    user.settings("");
    for name in ["KEYCHAIN", "FALLBACK", "PROFILE", "INSECURE", "TRUST_REALM", "REVOKE_ON_ERASE"] {
        let user = User::new();
        user.secret("hunter2-in-a-variable");
        let name = format!("DOCKER_CREDENTIAL_REFRESH_{name}");
        user.set(&name, "hunter2-in-a-variable /");
        user.get("h").failed_with(&[&name]);
    }
}

#[test]
fn a_proxys_password_is_not_in_the_error() {
    // The URL of a proxy has a password in it, and the error names the URL.
    let user = User::new();
    for secret in ["proxy-password", "cHJveHktdXNlcjpwcm94eS1wYXNzd29yZA"] {
        user.secret(secret);
    }
    for proxy in [
        "http://proxy-user:proxy-password@127.0.0.1:1",
        "http://proxy-user:proxy-password@127.0.0.1:99999",
        "nonsense://proxy-user:proxy-password@x",
        "socks5://proxy-user:proxy-password@127.0.0.1:1",
        "socks4://proxy-user:proxy-password@127.0.0.1:1",
        "https://proxy-user:proxy-password@127.0.0.1:1",
        "proxy-user:proxy-password@127.0.0.1:1",
    ] {
        for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY"] {
            user.set(name, proxy);
        }
        user.set("DOCKER_CREDENTIAL_REFRESH_TRACE", "1");
        user.store("registry.invalid", "alice", PASSWORD).failed_with(&["cannot reach"]);
    }
}

#[test]
fn no_verbosity_shows_a_secret() {
    // A variable meant for debugging makes some library print what it sends.
    let server = server().start();
    let user = User::trusting(&server);
    let keys = user.home().join("tls-keys");
    for (name, value) in [
        ("RUST_LOG", "trace"),
        ("RUST_BACKTRACE", "full"),
        ("DEBUG", "1"),
        ("LIBKEYUTILS_DEBUG", "1"),
        ("DBUS_VERBOSE", "1"),
        ("SSLKEYLOGFILE", keys.to_str().unwrap()),
    ] {
        user.set(name, value);
    }
    let outcome = user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
    user.secret(&user.token(&server.registry_host()));
    user.store(&server.registry_host(), "alice", "wrong horse battery").failed_with(&["refused"]);
    user.erase(&server.registry_host()).succeeded();
    assert!(!keys.exists());
}

#[test]
fn arguments_are_not_repeated() {
    // A password given as an argument by mistake is repeated in the usage line, and logged.
    let user = User::new();
    for arguments in
        [&["store", "hunter2-argument"][..], &["hunter2-argument"], &["get", "-p", "hunter2"], &[]]
    {
        let output = user.command().args(arguments).output().unwrap();
        let usage = "Usage: docker-credential-refresh <store|get|erase|list|version>\n";
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), usage);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!told.contains("hunter2"), "{told}");
    }
}
