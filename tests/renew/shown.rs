//! What the command is started with, and what commands say of it.

use super::*;

#[test]
fn the_command_gets_its_arguments_and_no_stdin_or_secret() {
    let script = "env > environment; readlink /proc/$$/fd/0 > stdin; printf '%s\\n' \"$@\" > arguments; cat token";
    let setting = Setting::expired(script);
    setting.set("[\"new-token\", \"$(id)\", \"a b\", \"*\"]");
    setting.user.set("DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY", "AGE-SECRET-KEY-1CANARY");
    let old = setting.user.kept(&setting.host).unwrap();
    setting.gets().succeeded();
    let read = |name: &str| fs::read_to_string(setting.file(name)).unwrap();
    assert_eq!(read("arguments"), "$(id)\na b\n*\n", "no shell has read them");
    assert_eq!(read("stdin"), "/dev/null\n");
    let environment = read("environment");
    for secret in [&old[..], &setting.new_token(), "AGE-SECRET-KEY"] {
        assert!(!environment.contains(secret), "{environment}");
    }
}

#[test]
fn no_trace_shows_the_token_or_the_arguments() {
    let setting = Setting::expired("cat token");
    let file = setting.user.home().join("trace");
    setting.user.set("DOCKER_CREDENTIAL_REFRESH_TRACE", file.to_str().unwrap());
    setting.user.secret(&setting.new_token());
    setting.gets().succeeded();
    let trace = fs::read_to_string(file).unwrap();
    assert!(trace.contains("new-token") && !trace.contains("acr"), "{trace}");
}

#[test]
fn status_renews_whether_or_not_it_has_expired() {
    let setting = Setting::for_a_while("cat token");
    let status = ["status", &setting.host, "--renew"];
    let outcome = setting.user.does(&status, "").succeeded();
    assert!(outcome.stderr.contains("renewed by new-token"), "{outcome:?}");
    assert_eq!(setting.user.token(&setting.host), setting.new_token());
    assert_eq!(setting.runs(), 1);
    setting.user.does(&["status", "--renew"], "").succeeded().noted("renewed by new-token");
    assert_eq!(setting.runs(), 2);
    setting.command("exit 1");
    let failed = setting.user.does(&["status", "--renew"], "").code_is(1);
    assert!(failed.stdout.contains(&setting.host), "what is known is shown: {failed:?}");
    assert!(failed.stderr.contains("could not be renewed: new-token: it failed"), "{failed:?}");
    setting.command("echo dead");
    setting.user.does(&status, "").is(4, &failed_table(&setting), "refused the refresh token");
    setting.user.settings("");
    let part = format!("no command renews the login for {0}; set renew under", setting.host);
    setting.user.does(&status, "").is(2, "", &part);
    let none = "no login has a renew command; one is set by renew under [registry.\"HOST\"] in /";
    setting.user.does(&["status", "--renew"], "").succeeded().noted(none);
    setting.user.does(&["status", "--renew", "h.example"], "").is(3, "", "not logged in");
}

#[test]
fn status_that_waited_for_another_renewal_takes_what_came_of_it() {
    let setting = Setting::for_a_while("until [ -e go ]; do sleep 0.1; done; cat token");
    let start = || {
        let mut command = setting.user.command();
        let quiet = command.args(["status", "--renew"]).stdout(Stdio::null()).stderr(Stdio::null());
        quiet.spawn().unwrap()
    };
    let until = |done: &dyn Fn() -> bool| {
        let end = Instant::now() + Duration::from_secs(20);
        while !done() {
            assert!(Instant::now() < end);
            thread::sleep(Duration::from_millis(20));
        }
    };
    let mut first = start();
    until(&|| setting.runs() == 1);
    let mut second = start();
    let waits = format!(" {} ", second.id());
    until(&|| {
        let locks = fs::read_to_string("/proc/locks").unwrap();
        locks.lines().any(|lock| lock.contains("-> FLOCK") && lock.contains(&waits))
    });
    fs::write(setting.file("go"), "").unwrap();
    assert!(first.wait().unwrap().success() && second.wait().unwrap().success());
    assert_eq!(setting.runs(), 1);
}

/// What `status SERVER` prints without it.
fn failed_table(setting: &Setting) -> String {
    setting.user.does(&["status", &setting.host], "").stdout
}

#[test]
fn doctor_says_what_may_make_a_pull_slow() {
    let setting = Setting::for_a_while("cat token");
    let doctor = || setting.user.does(&["doctor"], "").stdout;
    let part = format!("new-token renews the login for {} once it has expired", setting.host);
    assert!(doctor().contains(&part), "{}", doctor());
    assert_eq!(setting.runs(), 0);
    setting.set("[\"no-such-program\"]");
    assert!(doctor().contains("no-such-program, which is to renew the login"), "{}", doctor());
}

#[test]
fn the_setting_is_a_list_that_begins_with_a_program() {
    let setting = Setting::for_a_while("cat token");
    for value in ["\"az acr login\"", "[]", "[\"\"]", "[\"./az\"]", "[\"bin/az\"]", "[1]", "true"] {
        setting.set(value);
        let outcome = setting.user.does(&["status"], "").code_is(2);
        assert!(outcome.stderr.contains("takes a program (its name or absolute path)"), "{value}");
        assert!(!outcome.stderr.contains("az acr login"), "{outcome:?}");
    }
    setting.set("[\"~/bin/renew\"]");
    let meant = setting.user.home().join("bin/renew");
    let told = "not a path that begins with ~, which is not expanded; did you mean ";
    setting.user.does(&["status"], "").code_is(2).noted(&format!("{told}{}?", meant.display()));
    setting.set("[\"bin/renew\"]");
    setting.user.does(&["status"], "").code_is(2).noted(", not a relative path\n");
}
