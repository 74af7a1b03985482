//! A renewal that fails is never an answer, and changes nothing.

use super::*;
use crate::mock_token_server::{At, Fault};

#[test]
fn what_is_no_token_of_this_registry_is_not_kept() {
    let setting = Setting::expired("cat token");
    for (script, parts) in [
        ("echo Please run az login", &["new-token printed something that is not a token"][..]),
        ("true", &["printed something that is not a token"]),
        ("head -c 20000 /dev/zero | tr '\\0' x", &["printed something that is not a token"]),
        ("head -c 2000000 /dev/zero | tr '\\0' x", &["its answer is over 1 MiB"]),
        ("printf '{\"accessToken\":'", &["printed something that is not a token"]),
        ("printf '\\377\\376'", &["printed something that is not a token"]),
        (
            "printf '{\"loginServer\":\"evil.azurecr.io\",\"accessToken\":\"%s\"}' \"$(cat token)\"",
            &["new-token printed a token for evil.azurecr.io"],
        ),
    ] {
        setting.command(script);
        setting.server.clear_journal();
        setting.fails(parts);
        assert!(setting.server.journal().requests().is_empty(), "{script}");
    }
    // Another registry's own, or a dead one.
    setting.command("echo a-token-of-nobody");
    setting.fails(&["refused the refresh token"]);
    let dead = setting.user.kept(&setting.host).unwrap();
    fs::write(setting.file("dead"), dead).unwrap();
    setting.command("cat dead");
    setting.fails(&["refused the refresh token"]);
}

#[test]
fn a_command_that_fails_or_is_not_there_is_named() {
    let setting = Setting::expired("exit 3");
    setting.fails(&["new-token: it failed with exit status: 3"]);
    setting.command("echo 'ERROR: Please run az login to setup account.' >&2; exit 1");
    setting.fails(&["new-token: ERROR: Please run az login to setup account."]);
    // What it says last may come after its end, by way of a child.
    setting.command("(sleep 0.4; echo 'ERROR: Late words.' >&2) > /dev/null & exit 1");
    setting.fails(&["new-token: ERROR: Late words."]);
    // It may print on success, and nobody sees that: the token could be in it.
    setting.command("cat token >&2; cat token");
    assert_eq!(setting.gets().succeeded().stderr, "");
    let setting = Setting::expired("echo \"token: $(cat token)\" >&2; cat token; exit 1");
    setting.fails(&["new-token: token ..."]);
    setting.command("echo \"got $(cat token) and failed\" >&2; exit 1");
    setting.fails(&["new-token: got ...; log in again"]);
    setting.command("head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 1");
    setting.fails(&["new-token: "]);
    for (command, part) in [
        ("[\"no-such-program\"]", "no-such-program: it is not on PATH"),
        ("[\"/nowhere/new-token\"]", "/nowhere/new-token: it cannot be started"),
    ] {
        setting.set(command);
        setting.fails(&[part]);
    }
    let runs = setting.runs();
    let path = setting.user.home().join("bin/new-token");
    setting.command("cat token");
    setting.set(&format!("[\"{}\"]", path.display()));
    setting.gets().succeeded();
    assert_eq!(setting.runs(), runs + 1);
}

#[test]
fn a_command_that_hangs_is_ended_with_what_it_started() {
    let setting = Setting::expired("sleep 1000 & echo $! > pid; wait");
    let began = Instant::now();
    setting.fails(&["new-token: it did not end within 30 s"]);
    assert!(began.elapsed() < Duration::from_secs(45), "{:?}", began.elapsed());
    let pid = fs::read_to_string(setting.file("pid")).unwrap();
    // It was killed, which a busy machine does a moment later; whether somebody has waited for it is
    // not ours to say.
    let stat = || fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    let end = Instant::now() + Duration::from_secs(10);
    while !stat().is_empty() && !stat().contains(") Z ") {
        assert!(Instant::now() < end, "{}", stat());
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_network_and_the_trust_rules_fail_it_too() {
    let setting = Setting::expired("cat token");
    for (fault, part) in [
        (Fault::status(503), "status 503"),
        (Fault::oauth(400, "temporarily_unavailable"), "400 temporarily_unavailable; try again"),
        (Fault::Reset, "cannot refresh the login"),
        (Fault::CaptivePortal, "captive portal"),
        (Fault::RemoveField("access_token".into()), "refused the refresh token"),
    ] {
        setting.server.set_fault(At::Proof, fault);
        setting.fails(&[part]);
    }
    setting.server.clear_faults();
    let records = setting.user.records_file();
    let text = fs::read_to_string(&records).unwrap();
    let realm = setting.server.token_endpoint();
    fs::write(&records, text.replace(&realm, "https://auth.other.example/oauth2/token")).unwrap();
    setting.server.clear_journal();
    setting.fails(&["which is on another site"]);
    assert!(setting.server.journal().connections().is_empty());
}

#[test]
fn what_cannot_be_kept_is_found_out_before_the_command_runs() {
    let setting = Setting::expired("cat token");
    setting.user.keychain().delete(&setting.host).unwrap();
    let outcome = setting.user.get(&setting.host);
    outcome.not_found().noted("is gone from kernel");
    assert_eq!(setting.runs(), 0);
}

/// Logged out meanwhile is absent, without a word: nothing was lost.
#[test]
fn a_login_that_goes_while_it_is_renewed_is_absent() {
    let setting = Setting::expired("echo run > started; sleep 2; cat token");
    let both = [setting.start_get(), setting.start_get()];
    let end = Instant::now() + Duration::from_secs(10);
    while !setting.file("started").exists() {
        assert!(Instant::now() < end);
        thread::sleep(Duration::from_millis(20));
    }
    setting.user.erase(&setting.host).succeeded();
    for child in both {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said, "credentials not found in native keychain\n");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    }
    assert_eq!((setting.runs(), setting.user.records()), (1, vec![]));
    assert_eq!(setting.user.kept(&setting.host), None);
}

#[test]
fn a_command_that_asks_this_helper_does_not_run_for_ever() {
    let setting = Setting::expired("true");
    let helper = setting.user.command().get_program().to_str().unwrap().to_owned();
    setting.command(&format!("echo {} | {helper} get >&2 && cat token", setting.host));
    setting.user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "kernel");
    let outcome = setting.user.get(&setting.host);
    outcome.failed_with(&["could not be renewed: new-token: "]);
    assert_eq!(setting.runs(), 1);
}
