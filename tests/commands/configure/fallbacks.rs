//! Where logins go that cannot be exchanged.

use super::*;

#[test]
fn where_logins_go_must_be_known() {
    let user = user();
    write(&user, "{}");
    let none = user.does(&["configure"], "");
    unchanged(
        &user,
        "{}",
        none,
        2,
        &["nothing was changed; no helper was found on PATH; name one"],
    );
    helper(&user, "pass");
    helper(&user, "desktop");
    // It stores nothing.
    helper(&user, "gcloud");
    let asked = user.does(&["configure"], "");
    unchanged(&user, "{}", asked, 2, &["found on PATH: desktop, pass; name one with --fallback"]);
    let missing = user.does(&["configure", "--fallback", "nowhere"], "");
    unchanged(&user, "{}", missing, 2, &["the fallback nowhere is not a helper on PATH"]);
    let itself = user.does(&["configure", "--fallback", "refresh"], "");
    unchanged(&user, "{}", itself, 2, &["names this helper itself"]);
    user.does(&["configure", "--fallback", "pass"], "").succeeded();
    user.does(&["unconfigure"], "").succeeded();
    user.does(&["configure", "--fallback", "none"], "").succeeded();
    assert_eq!(fs::read_to_string(user.settings_file()).unwrap(), "fallback = \"none\"\n");
    user.does(&["configure"], "").is(0, "Nothing to change\n", "");
}

/// Every `get` for a registry that nobody is logged in to would be an error from then on.
#[test]
fn a_fallback_that_does_not_work_is_refused() {
    let user = user();
    for (script, why) in [
        ("#!/bin/sh\necho the vault is sealed\nexit 1\n", "list failed: the vault is sealed"),
        ("#!/nowhere/interpreter\n", "it cannot be started"),
        ("#!/bin/sh\necho not JSON\n", "cannot be understood"),
    ] {
        user.program("docker-credential-broken", script);
        let steps = "make docker-credential-broken list work here, or name another one";
        for (text, arguments) in [
            ("{}", &["configure", "--fallback", "broken"][..]),
            (r#"{"credsStore":"broken"}"#, &["configure"]),
            (
                r#"{"credHelpers":{"h.example":"broken"}}"#,
                &["configure", "--registry", "h.example"],
            ),
        ] {
            write(&user, text);
            unchanged(&user, text, user.does(arguments, ""), 2, &["does not work", why, steps]);
        }
        user.settings("fallback = \"broken\"\n");
        write(&user, "{}");
        user.does(&["configure"], "").is(2, "", "does not work");
        let doctor = user.does(&["doctor"], "").stdout;
        assert!(doctor.contains("the fallback does not work") && doctor.contains(why), "{doctor}");
        fs::remove_file(user.settings_file()).unwrap();
    }
    // What cannot be started has no login that could be lost.
    user.program("docker-credential-broken", "#!/nowhere/interpreter\n");
    write(&user, r#"{"credsStore":"broken"}"#);
    user.does(&["configure", "--fallback", "none"], "").succeeded().noted("cannot be started");
    user.does(&["unconfigure"], "").succeeded();
    user.does(&["configure", "--force"], "").succeeded();
    assert_eq!(fs::read_to_string(user.settings_file()).unwrap(), "fallback = \"broken\"\n");
}

#[test]
fn a_registrys_own_helper_becomes_its_fallback() {
    let user = user();
    helper(&user, "ecr-login");
    let text = "{\"credHelpers\":{\"h.example\":\"ecr-login\"}}";
    write(&user, text);
    user.settings("# mine\nprofile = 'x' # too\n");
    user.does(&["configure", "--registry", "https://H.example/v2/"], "").succeeded();
    assert_eq!(
        config(&user),
        "{\"credHelpers\":{\"h.example\":\"refresh\",\"h.example:443\":\"refresh\",\"H.example\":\"refresh\",\"https://H.example/v2/\":\"refresh\"}}"
    );
    let settings = fs::read_to_string(user.settings_file()).unwrap();
    assert_eq!(
        settings,
        "# mine\nprofile = 'x' # too\n\n[registry.\"h.example\"]\nfallback = \"ecr-login\"\n"
    );
    user.does(&["unconfigure"], "").succeeded();
    assert_eq!(config(&user), text);
    assert_eq!(fs::read_to_string(user.settings_file()).unwrap(), "# mine\nprofile = 'x' # too\n");
}

#[test]
fn logins_in_the_previous_helper_must_not_be_lost() {
    let user = user();
    helper(&user, "desktop");
    helper(&user, "pass");
    let text = "{\"credsStore\":\"desktop\"}";
    write(&user, text);
    fs::write(user.home().join("desktop.list"), "{\"h.example\":\"alice\"}").unwrap();
    let lost = user.does(&["configure", "--fallback", "pass"], "");
    let parts = ["logins in desktop would no longer be found: h.example", "import --from desktop"];
    unchanged(&user, text, lost, 1, &parts);
    user.does(&["configure", "--registry", "other.example", "--fallback", "pass"], "").succeeded();
    user.does(&["configure", "--fallback", "pass", "--force"], "").succeeded();
    assert!(config(&user).starts_with("{\"credsStore\":\"refresh\""));
    user.does(&["unconfigure"], "").succeeded();
    assert_eq!(config(&user), text, "two changes, one memory");
}

/// Some helpers cannot list; what they have is then unknown.
#[test]
fn a_previous_helper_that_cannot_list_is_told_with_what_to_do() {
    let user = user();
    user.program("docker-credential-dumb", "#!/bin/sh\necho not implemented\nexit 1\n");
    let text = r#"{"credsStore":"dumb"}"#;
    write(&user, text);
    let lost = user.does(&["configure", "--fallback", "none"], "");
    let parts = ["logins in dumb may no longer be found", "--fallback dumb --force"];
    unchanged(&user, text, lost, 1, &parts);
    let kept = user.does(&["configure"], "");
    unchanged(&user, text, kept, 2, &["if it is a helper that cannot list, add --force"]);
    user.does(&["configure", "--fallback", "dumb", "--force"], "").succeeded();
}
