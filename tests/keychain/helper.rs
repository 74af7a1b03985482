//! `helper:NAME`: another helper as keychain, whatever it does.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::mock_token_server::TokenServer;
use crate::support::keychains::agent::Agent;
use crate::support::keychains::gnome_keyring::GnomeKeyring;
use crate::support::user::User;
use crate::support::{script, tested_program};

/// A deadline in seconds, where none is to be waited for.
const LONG: u64 = 30;

/// A folder of its own, first on PATH, for the program `docker-credential-odd`.
struct Odd(tempfile::TempDir);

impl Odd {
    /// One that does this for the verb in `$1`. Without stderr, because an agent's output is
    /// read until nobody has it open any more.
    fn new(does: &str) -> Self {
        let odd = Self(tempfile::tempdir().unwrap());
        script::make(
            &odd.path("docker-credential-odd"),
            &format!("#!/bin/sh\nexec 2>/dev/null\n{does}\n"),
        );
        odd
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn agent(&self) -> Agent {
        let path = format!("{}:{}", self.0.path().display(), std::env::var("PATH").unwrap());
        let agent = Agent::new("helper:odd", "default").set("PATH", &path);
        agent.set("NOTES", &self.path("notes").display().to_string())
    }

    /// What the script wrote to the file `$NOTES`.
    fn notes(&self) -> String {
        fs::read_to_string(self.path("notes")).unwrap_or_default()
    }

    /// Waits until the processes whose numbers are in the notes are gone.
    fn wait_until_gone(&self) {
        let runs = |pid: &str| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
        };
        let notes = self.notes();
        assert!(!notes.is_empty(), "nothing was started");
        let end = Instant::now() + Duration::from_secs(10);
        while notes.split_whitespace().any(runs) {
            assert!(Instant::now() < end, "still there: {notes}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn secretservice_on_a_gnome_keyring_keeps_the_contract() {
    let keyring = GnomeKeyring::start();
    Agent::contract("helper:secretservice").environment(keyring.environment()).pass();
}

#[test]
fn secretservice_on_a_gnome_keyring_that_is_locked_or_killed_is_an_error() {
    let mut keyring = GnomeKeyring::start();
    let agent = Agent::new("helper:secretservice", "default").environment(keyring.environment());
    assert_eq!(agent.one("put k alice t"), "ok");
    keyring.lock();
    let locked = agent.one("get k");
    keyring.kill();
    let killed = agent.one("get k");
    for told in [locked, killed] {
        assert!(told.starts_with("failed: ") || told.starts_with("unavailable: "), "{told}");
    }
    keyring.restart();
    assert_eq!(agent.one("get k"), " t");
}

#[test]
fn a_logout_from_a_locked_secretservice_is_an_error_and_the_login_stays() {
    let mut keyring = GnomeKeyring::start();
    let user = User::new();
    user.on_bus(keyring.environment());
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "helper:secretservice");
    user.set("DOCKER_CREDENTIAL_REFRESH_FALLBACK", "secretservice");
    user.store("h.example", "<token>", "a-token").succeeded();
    keyring.lock();
    let said = "docker-credential-secretservice erase: the entry is still there after deleting; is the helper locked?";
    user.erase("h.example").failed_with(&[said]);
    assert_eq!(user.records().len(), 1);
    keyring.kill();
    keyring.restart();
    assert_eq!(user.token("h.example"), "a-token");
    user.erase("h.example").succeeded();
    user.get("h.example").not_found();

    // The same of a login that the fallback has.
    let mut plant = keyring.bus.command("docker-credential-secretservice");
    let login = json!({"ServerURL": "h.example", "Username": "alice", "Secret": "a password"});
    let mut planting = plant.arg("store").stdin(Stdio::piped()).spawn().unwrap();
    planting.stdin.take().unwrap().write_all(login.to_string().as_bytes()).unwrap();
    assert!(planting.wait().unwrap().success());
    keyring.lock();
    let said =
        "docker-credential-secretservice erase failed: the entry is still there after deleting";
    user.erase("h.example").failed_with(&[said]);
    keyring.kill();
    keyring.restart();
    assert!(user.get("h.example").succeeded().stdout.contains("a password"));
    user.erase("h.example").succeeded();
    user.get("h.example").not_found();
}

#[test]
fn a_recorded_login_whose_helper_is_gone_is_an_error_and_never_not_found() {
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "helper:odd");
    user.program(
        "docker-credential-odd",
        "#!/bin/sh\ncat >/dev/null\n[ $1 = store ] || echo '{}'\n",
    );
    user.store("h.example", "<token>", "a-token").succeeded();
    fs::remove_file(user.home().join("bin/docker-credential-odd")).unwrap();
    let gone = "docker-credential-odd is not on PATH; install it, or set keychain to another one and log in again";
    let failed = user.get("h.example").failed_with(&[gone]).noted(gone);
    assert_eq!(failed.stderr.lines().count(), 1, "{failed:?}");
    user.get("elsewhere.example").not_found();
    assert_eq!(user.records().len(), 1);
}

#[test]
fn one_that_hangs_is_ended_with_its_children_at_the_deadline() {
    // The shell waits for a child that has the pipe, and a grandchild.
    let odd =
        Odd::new("echo $$ >>$NOTES\nsh -c 'echo $$ >>$NOTES; sleep 1000 & echo $! >>$NOTES; wait'");
    let agent = odd.agent().set("AGENT_DEADLINE", "1").set("AGENT_PROMPT_DEADLINE", "2");
    for (step, limit) in [("list", 1), ("check", 1), ("unlock", 1), ("get k", 2)] {
        let told = agent.one(step);
        let expected = format!("no answer within {limit} s");
        let kind = if step == "get k" { "unanswered: " } else { "unavailable: " };
        assert!(told.starts_with(kind) && told.contains(&expected), "{step}: {told}");
        odd.wait_until_gone();
    }
    // A person who may not be asked is not waited for.
    let told = agent.set("AGENT_NO_PROMPT", "1").one("get k");
    assert!(told.contains("no answer within 1 s"), "{told}");
    odd.wait_until_gone();
}

#[test]
fn each_verb_has_its_deadline() {
    // All is listed, so that nothing else has the short one.
    for (verb, step) in [("store", "put k alice t"), ("erase", "delete k")] {
        let odd = Odd::new(&format!(
            "echo $$ >>$NOTES\ncase $1 in {verb}) sleep 1000;; \
             list) echo '{{\"k\":\"<token>\",\"k/[default]\":\"alice\"}}';; *) exit 1;; esac"
        ));
        let agent =
            odd.agent().set("AGENT_DEADLINE", &LONG.to_string()).set("AGENT_PROMPT_DEADLINE", "1");
        let told = agent.one(step);
        assert!(
            told.starts_with("unanswered: ") && told.contains("no answer within 1 s"),
            "{told}"
        );
        odd.wait_until_gone();
    }
}

#[test]
fn one_that_says_all_and_does_not_end_is_ended_too() {
    let odd = Odd::new("echo $$ >>$NOTES\necho '{}'\nexec >&-\nsleep 1000");
    let told = odd.agent().set("AGENT_PROMPT_DEADLINE", "1").one("get k");
    assert!(told.starts_with("unanswered: "), "{told}");
    odd.wait_until_gone();
}

#[test]
fn an_agent_that_it_leaves_behind_with_the_pipe_is_not_waited_for() {
    let odd = Odd::new(
        "sleep 1000 & echo $! >>$NOTES\necho '{\"ServerURL\":\"k\",\"Username\":\"<token>\",\"Secret\":\"t\"}'",
    );
    let begin = Instant::now();
    let agent = odd.agent().set("AGENT_PROMPT_DEADLINE", &LONG.to_string());
    assert_eq!(agent.one("get k"), " t");
    assert!(begin.elapsed() < Duration::from_secs(LONG), "{:?}", begin.elapsed());
    // It is the helper's own, and not ended; this test does.
    for pid in odd.notes().split_whitespace() {
        let pid = Pid::from_raw(pid.parse().unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
    }
}

#[test]
fn what_it_says_is_one_printable_line() {
    let odd = Odd::new(r"printf 'the \033[31m`vault`\342\200\256 is\tsealed\nand more\n'; exit 1");
    for step in ["get k", "list", "unlock", "check", "put k alice t", "delete k"] {
        let told = odd.agent().one(step);
        let expected = "the ?[31m'vault'? is?sealed; check that docker-credential-odd works here";
        let expected = expected.replace('\'', " ");
        let told = told.replace('\'', " ");
        assert!(told.starts_with("failed: ") && told.contains(&expected), "{step}: {told}");
        assert!(!told.contains("more"), "{told}");
    }
}

#[test]
fn an_error_that_quotes_the_token_is_not_passed_on() {
    let odd = Odd::new("case $1 in store) echo \"bad: $(cat)\"; exit 1;; *) echo '{}';; esac");
    for token in ["t0k3n", &"a long token ".repeat(100), "qu\\\"oted<token>"] {
        let told = odd.agent().one(&format!("put k alice {}", token.trim().replace(' ', "-")));
        assert!(told.starts_with("failed: ") && told.contains("is not shown"), "{told}");
    }
}

#[test]
fn odd_answers_are_errors_and_never_absent() {
    for (does, why) in [
        ("echo nonsense", "cannot be understood"),
        ("true", "cannot be understood"),
        ("echo null", "cannot be understood"),
        ("echo '[]'", "cannot be understood"),
        ("exit 1", "it failed and wrote nothing to stdout"),
        ("exit 3", "it failed and wrote nothing to stdout"),
        ("kill -9 $$", "it failed and wrote nothing to stdout"),
        ("echo 'no credentials found in native keychain'; exit 1", "no credentials found"),
        ("echo $$ >>$NOTES; exec yes", "over 1 MiB"),
        ("trap '' PIPE; echo $$ >>$NOTES; while :; do echo yyyyyyyyyyyyyyy; done", "over 1 MiB"),
    ] {
        let odd = Odd::new(does);
        for step in ["get k", "put k alice t", "delete k"] {
            let told = odd.agent().one(step);
            let expected = told.starts_with("failed: ") && told.contains(why);
            assert!(expected, "{does}: {step}: {told}");
        }
        if why.contains("MiB") {
            odd.wait_until_gone();
        }
    }
    let damaged = Odd::new("echo '{\"ServerURL\":\"k\",\"Username\":\"<token>\",\"Secret\":\"\"}'");
    assert!(damaged.agent().one("get k").starts_with("damaged: "));
}

#[test]
fn what_means_absent_is_absent() {
    for does in [
        "echo 'credentials not found in native keychain'; exit 1",
        "echo '{\"ServerURL\":\"k\",\"Username\":\"\",\"Secret\":\"\"}'",
        "echo '{\"ServerURL\":\"k\",\"Username\":\"alice\",\"Secret\":\"a password\"}'",
    ] {
        let odd = Odd::new(&format!("case $1 in list) echo null;; *) {does};; esac"));
        for step in ["get k", "delete k"] {
            let told = odd.agent().one(step);
            assert!(told.starts_with("absent: "), "{does}: {step}: {told}");
        }
        assert_eq!(odd.agent().run(&["list", "unlock", "check"]), ["", "ok", "ok"]);
    }
}

#[test]
fn the_words_for_absent_are_an_empty_list_and_no_answer_to_a_store() {
    let odd = Odd::new("echo 'credentials not found in native keychain'; exit 1");
    let agent = odd.agent();
    assert_eq!(agent.run(&["list", "unlock", "check"]), ["", "ok", "ok"]);
    for step in ["get k", "delete k"] {
        assert!(agent.one(step).starts_with("absent: "), "{step}");
    }
    let told = agent.one("put k alice t");
    let expected = "docker-credential-odd store: credentials not found in native keychain; check";
    assert!(told.starts_with("failed: ") && told.contains(expected), "{told}");
}

#[test]
fn what_another_process_is_just_storing_is_looked_at_again() {
    let odd = Odd::new(
        "case $1 in list) [ -e $NOTES ] && echo '{}' && exit; echo >$NOTES;; esac\n\
         echo 'no usernames for other'; exit 1",
    );
    assert_eq!(odd.agent().run(&["list"]), [""]);
    let told = odd.agent().one("get k");
    assert!(told.contains("no usernames for other; check that"), "{told}");
}

#[test]
fn one_that_reads_nothing_or_comes_and_goes_is_an_error() {
    let lazy = Odd::new("case $1 in list|get) echo '{}';; esac");
    let token = "x".repeat(16_384);
    assert_eq!(lazy.agent().one(&format!("put k alice {token}")), "ok", "its status tells");

    let leaving = Odd::new("rm \"$0\"; echo '{}'");
    let told = leaving.agent().one("put k alice t");
    assert!(told.starts_with("unavailable: "), "{told}");
    let told = leaving.agent().one("get k");
    let expected = "docker-credential-odd is not on PATH; install it";
    assert!(told.starts_with("unavailable: ") && told.contains(expected), "{told}");

    use std::os::unix::fs::PermissionsExt;
    let odd = Odd::new("echo '{}'");
    let file = odd.path("docker-credential-odd");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(odd.agent().one("get k").contains("is not on PATH"));
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(odd.agent().one("get k").contains("is not on PATH"));
    fs::remove_dir(&file).unwrap();
    script::make(&file, "#!/nonexistent/interpreter\n");
    assert!(odd.agent().one("get k").starts_with("unavailable: "));
}

#[test]
fn it_has_what_its_pinentry_needs_and_no_secret_of_ours() {
    let odd = Odd::new("env >>$NOTES; echo '{}'");
    let agent = odd.agent().set("GPG_TTY", "/dev/tty7").set("DISPLAY", ":7");
    let agent = agent.set("DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY", "AGE-SECRET-KEY-1");
    agent.run(&["put k alice a-token-for-nobody"]);
    let notes = odd.notes();
    assert!(notes.contains("GPG_TTY=/dev/tty7\n") && notes.contains("DISPLAY=:7\n"), "{notes}");
    // The agent's own script has the token, and names it so.
    let mut theirs = notes.lines().filter(|line| !line.starts_with("AGENT_SCRIPT="));
    assert!(
        theirs.all(|line| !line.contains("a-token") && !line.contains("AGE-SECRET")),
        "{notes}"
    );
}

#[test]
fn one_out_of_reach_is_found_out_before_the_password_is_sent() {
    let server = TokenServer::builder().user("alice", "correct horse battery").start();
    let user = User::trusting(&server);
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "helper:odd");
    let store = || user.store(&server.registry_host(), "alice", "correct horse battery");
    store().failed_with(&["docker-credential-odd is not on PATH"]);
    user.program("docker-credential-odd", "#!/bin/sh\necho 'the vault is sealed'\nexit 1\n");
    store().failed_with(&["the helper:odd keychain failed", "list: the vault is sealed"]);
    assert_eq!(server.journal().passwords_sent(), 0);
    let listed = user.run("list", b"").succeeded().noted("logins in helper:odd are not listed");
    assert_eq!(listed.stdout, "{}\n");
}

#[test]
fn this_helper_as_its_own_keychain_is_refused() {
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "helper:refresh");
    user.get("h.example").failed_with(&["names this helper itself"]);

    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "helper:other");
    user.set("DOCKER_CREDENTIAL_REFRESH_PROFILE", "default");
    let helper = tested_program();
    fs::create_dir_all(user.home().join("bin")).unwrap();
    let link = user.home().join("bin/docker-credential-other");
    std::os::unix::fs::symlink(&helper, &link).unwrap();
    user.get("h.example").failed_with(&["is this program itself"]);
    fs::remove_file(&link).unwrap();
    let script = format!("#!/bin/sh\nexec {} \"$@\"\n", helper.display());
    user.program("docker-credential-other", &script);
    user.get("h.example").failed_with(&["was started by such a helper"]);
}
