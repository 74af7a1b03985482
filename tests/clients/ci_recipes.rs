//! The recipes of the README for CI, to the letter: no bus, keyctl forbidden, a registry with TLS.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::docker_cli::HELPER;
use crate::docker_engine::DockerEngine;
use crate::mock_token_server::{Profile, RealRegistry, TokenServer};
use crate::process::{Finished, run};
use crate::script;

const GITHUB: &str = include_str!("../ci_recipes/github.yml");
const GITLAB: &str = include_str!("../ci_recipes/gitlab.yml");
pub const PLAIN: &str = include_str!("../ci_recipes/plain.sh");
const PODMAN: &str = include_str!("../ci_recipes/podman.sh");

pub const LIMIT: Duration = Duration::from_secs(120);
pub const ALICE: (&str, &str) = ("alice", "pass w\u{f6}rd-of-alice");
/// Never in an environment, as those of jobs are.
pub const CAROL: (&str, &str) = ("carol", "pass w\u{f6}rd-of-carol");
const BOB: (&str, &str) = ("bob", "pass w\u{f6}rd-of-bob");

/// A machine that runs jobs, all as one user in one home.
pub struct Runner {
    pub folder: tempfile::TempDir,
    pub server: TokenServer,
    pub registry: RealRegistry,
    pub engine: Option<DockerEngine>,
}

impl Runner {
    pub fn new(engine: bool) -> Self {
        let server = TokenServer::builder().profile(Profile::PostOnly).user(ALICE.0, ALICE.1);
        let server = server.user(BOB.0, BOB.1).user(CAROL.0, CAROL.1).start();
        let registry = RealRegistry::start(&server).expect("a registry");
        let engine = engine.then(|| DockerEngine::start(Some(&server.ca_file())));
        let runner = Self { folder: tempfile::tempdir().unwrap(), server, registry, engine };
        for name in ["home", "bin", "tmp", "work", "work.tmp"] {
            fs::create_dir(runner.at(name)).unwrap();
        }
        // As Docker's default seccomp profile has it. Only for the helper: nothing else needs it.
        let calls = "keyctl,add_key,request_key";
        runner.program(
            "docker-credential-refresh",
            &format!(
                "exec strace -f -qq -o /dev/null -e trace={calls} -e inject={calls}:error=EPERM \
                 '{HELPER}' \"$@\""
            ),
        );
        fs::write(runner.at("work/Dockerfile"), "FROM scratch\nCOPY app /app\n").unwrap();
        fs::write(runner.at("work/app"), "app\n").unwrap();
        // What a rootless container sets up once: storage without a kernel's help.
        let storage = format!(
            "[storage]\ndriver = \"vfs\"\ngraphroot = \"{0}/graph\"\nrunroot = \"{0}/run\"\n",
            runner.at("home").display()
        );
        fs::write(runner.at("storage.conf"), storage).unwrap();
        runner
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a script on PATH, before all others.
    pub fn program(&self, name: &str, text: &str) {
        script::make(&self.at("bin").join(name), &format!("#!/bin/sh\n{text}\n"));
    }

    pub fn image(&self, account: &str) -> String {
        format!("{}/{account}/app:1", self.registry.host())
    }

    /// A shell with what the job of an account is given, but for the password.
    pub fn shell(&self, account: &str, script: &str) -> Command {
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new("bash");
        command.args(["-eo", "pipefail", "-c", script]).current_dir(self.at("work"));
        command.env_clear().env("PATH", format!("{}:{path}", self.at("bin").display()));
        command.env("HOME", self.at("home")).env("TMPDIR", self.at("tmp"));
        command.env("SSL_CERT_FILE", self.server.ca_file());
        command.env("CONTAINERS_STORAGE_CONF", self.at("storage.conf"));
        command.env("REGISTRY", self.registry.host()).env("REGISTRY_USER", account);
        command.env("IMAGE", self.image(account)).env("DOCKER_BUILDKIT", "0");
        let nowhere = || "unix:///nonexistent/docker.sock".to_owned();
        command.env("DOCKER_HOST", self.engine.as_ref().map_or_else(nowhere, DockerEngine::host));
        command
    }

    /// What holds after every job: pushed without the password, logged out, nothing left.
    fn assert_clean(&self, jobs: &[Finished], accounts: &[(&str, &str)]) {
        for job in jobs {
            for (_, password) in accounts {
                assert!(!job.text().contains(password), "a password was shown");
            }
        }
        let journal = self.server.journal();
        assert_eq!(journal.passwords_sent(), accounts.len(), "{:?}", journal.lines());
        let data = self.at("home/.local/share/docker-credential-refresh/logins");
        let names = fs::read_dir(data).expect("the file keychain was used");
        let mut names: Vec<_> = names.map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["lock", "names"], "no login is left");
        let records = self.at("home/.local/state/docker-credential-refresh/logins.json");
        assert!(!fs::read_to_string(records).unwrap().contains(&self.registry.host()));
        for (_, password) in accounts {
            assert_no_file_has(self.folder.path(), password.as_bytes());
        }
    }
}

pub fn assert_no_file_has(folder: &Path, secret: &[u8]) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            assert_no_file_has(&entry.path(), secret);
        } else if kind.is_file() {
            let content = fs::read(entry.path()).unwrap();
            let found = content.windows(secret.len()).any(|bytes| bytes == secret);
            assert!(!found, "{} has a password", entry.path().display());
        }
    }
}

/// The lines below a line, indented by at least so many spaces, without them.
fn below<'a>(text: &'a str, heading: &str, indent: usize) -> Vec<&'a str> {
    let lines = text.lines().skip_while(|line| *line != heading).skip(1);
    lines.map_while(|line| line.strip_prefix(&" ".repeat(indent))).collect()
}

/// Runs the steps as a runner does: a shell for each, and `GITHUB_ENV` between them.
fn github(runner: &Runner, (account, password): (&str, &str)) -> Vec<Finished> {
    let environment = runner.at("tmp/github.env");
    fs::write(&environment, "").unwrap();
    let mut done: Vec<Finished> = Vec::new();
    let steps = GITHUB.split("      - name: ").skip(1);
    for step in steps {
        let failed = done.iter().any(|before| !before.status.success());
        if failed && !step.contains("\n        if: always()\n") {
            continue;
        }
        let script = below(step, "        run: |", 10).join("\n");
        assert!(!script.is_empty(), "{step}");
        let mut shell = runner.shell(account, &script);
        shell.env("GITHUB_ENV", &environment).env("RUNNER_TEMP", runner.at("tmp"));
        for line in fs::read_to_string(&environment).unwrap().lines() {
            let (name, value) = line.split_once('=').unwrap();
            shell.env(name, value);
        }
        for line in below(step, "        env:", 10) {
            assert_eq!(line, "REGISTRY_PASSWORD: ${{ secrets.REGISTRY_PASSWORD }}");
            shell.env("REGISTRY_PASSWORD", password);
        }
        done.push(run(&mut shell, b"", LIMIT));
    }
    fs::remove_file(environment).unwrap();
    done
}

/// Runs `before_script` and `script` in one shell, and `after_script` in another.
fn gitlab(runner: &Runner, (account, password): (&str, &str), job: &str) -> Vec<Finished> {
    let line = |line: &'static str| match line.strip_prefix("- ") {
        Some("|") => "",
        Some(command) => command,
        None => line.strip_prefix("  ").unwrap(),
    };
    let section = |name: &str| -> String {
        let lines = below(GITLAB, &format!("  {name}:"), 4);
        lines.into_iter().map(line).collect::<Vec<_>>().join("\n")
    };
    let variables = below(GITLAB, "  variables:", 4);
    let export = |line: &str| format!("export {}\"\n", line.replacen(": ", "=\"", 1));
    let variables: String = variables.into_iter().map(export).collect();
    let shell = |script: String| {
        let mut shell = runner.shell(account, &format!("{variables}{script}"));
        shell.env("CI_PROJECT_DIR", runner.at("work")).env("CI_JOB_ID", job);
        run(shell.env("REGISTRY_PASSWORD", password), b"", LIMIT)
    };
    vec![
        shell(format!("{}\n{}", section("before_script"), section("script"))),
        shell(section("after_script")),
    ]
}

pub fn plain(runner: &Runner, recipe: &str, (account, password): (&str, &str)) -> Finished {
    let file = runner.at(&format!("{account}.sh"));
    fs::write(&file, recipe).unwrap();
    let mut shell = runner.shell(account, &format!("exec sh '{}'", file.display()));
    run(shell.env("REGISTRY_PASSWORD", password), b"", LIMIT)
}

#[track_caller]
fn all_good(jobs: Vec<Finished>) -> Vec<Finished> {
    jobs.into_iter().map(Finished::success).collect()
}

#[track_caller]
fn has(jobs: &[Finished], text: &str) {
    assert!(jobs.iter().any(|job| job.text().contains(text)), "no {text:?} in {}", jobs[0]);
}

/// The refresh grants by which a client came to push.
fn refreshed_as(runner: &Runner, client: &str) -> bool {
    runner.server.journal().iter().any(|request| {
        request.has("grant_type", "refresh_token")
            && request.parameter("client_id") == Some(client)
            && request.parameter("scope").is_some_and(|scope| scope.contains("repository:"))
    })
}

#[test]
fn docker_in_github_steps_with_a_daemon() {
    let runner = Runner::new(true);
    let jobs = all_good(github(&runner, ALICE));
    assert_eq!(jobs.len(), 4);
    has(&jobs, "kept in keychain file until it is deleted (DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY");
    has(&jobs, "Removed the login for");
    assert!(refreshed_as(&runner, "docker"));
    runner.assert_clean(&jobs, &[ALICE]);
}

#[test]
fn docker_in_github_steps_that_fail_logs_out_with_a_daemon() {
    let runner = Runner::new(true);
    fs::remove_file(runner.at("work/app")).unwrap();
    let jobs = github(&runner, ALICE);
    let good: Vec<_> = jobs.iter().map(|job| job.status.success()).collect();
    assert_eq!(good, [true, true, false, true]);
    runner.assert_clean(&jobs, &[ALICE]);
}

#[test]
fn docker_in_a_gitlab_job_with_a_daemon() {
    let runner = Runner::new(true);
    let jobs = all_good(gitlab(&runner, ALICE, "4711"));
    has(&jobs, "kept in keychain file");
    has(&jobs, "Removed the login for");
    assert!(refreshed_as(&runner, "docker"));
    runner.assert_clean(&jobs, &[ALICE]);
    assert_eq!(fs::read_dir(runner.at("work.tmp")).unwrap().count(), 0);
}

#[test]
fn docker_in_a_plain_script_with_a_daemon() {
    let runner = Runner::new(true);
    let jobs = all_good(vec![plain(&runner, PLAIN, ALICE)]);
    has(&jobs, "kept in keychain file");
    has(&jobs, "Removed the login for");
    assert!(refreshed_as(&runner, "docker"));
    runner.assert_clean(&jobs, &[ALICE]);
    assert_eq!(fs::read_dir(runner.at("tmp")).unwrap().count(), 0);
}

#[test]
fn podman_buildah_and_skopeo_in_a_plain_script_beside_docker_registry() {
    let runner = Runner::new(false);
    // It may be repeated, as podman's own login may not.
    let again = PODMAN.replacen("unset ", "\"$@\"\nunset ", 1);
    let login = "printf %s \"$REGISTRY_PASSWORD\" |\n    docker-credential-refresh login -u \
                 \"$REGISTRY_USER\" --password-stdin \"$REGISTRY\"\n";
    assert_eq!(PODMAN.matches(login).count(), 1);
    let twice = again.replacen("\"$@\"\n", login, 1);
    let jobs = all_good(vec![plain(&runner, PODMAN, ALICE), plain(&runner, &twice, BOB)]);
    has(&jobs, "kept in keychain file");
    assert!(refreshed_as(&runner, "containers/image"));
    runner.assert_clean(&jobs, &[ALICE, BOB, BOB].map(|account| account));
    assert_eq!(fs::read_dir(runner.at("tmp")).unwrap().count(), 0);
}

#[test]
fn docker_in_two_jobs_of_one_machine_at_once_sees_only_its_own_login() {
    let runner = Runner::new(false);
    let meet = runner.at("meet");
    fs::create_dir(&meet).unwrap();
    // In docker's place: waits for the other job, then asks as docker would.
    runner.program(
        "docker",
        &format!(
            "[ \"$1\" = push ] || exit 0\ncd '{}'\ndocker-credential-refresh list < /dev/null > \
             \"$REGISTRY_USER.list\"\nprintf %s \"$REGISTRY\" | docker-credential-refresh get > \
             \"$REGISTRY_USER.get\"\necho \"$DOCKER_CREDENTIAL_REFRESH_PROFILE\" > \
             \"$REGISTRY_USER.in\"\ni=0\nwhile [ ! -e alice.in ] || [ ! -e bob.in ]; do sleep 0.1; \
             i=$((i+1)); [ $i -lt 600 ] || exit 1; done\n\
             printf %s \"$REGISTRY\" | docker-credential-refresh get > \"$REGISTRY_USER.again\"\n\
             ls \"$HOME\"/.local/share/docker-credential-refresh/logins > \"$REGISTRY_USER.files\"\n\
             touch \"$REGISTRY_USER.done\"\n\
             while [ ! -e alice.done ] || [ ! -e bob.done ]; do sleep 0.1; done",
            meet.display()
        ),
    );
    let jobs = std::thread::scope(|scope| {
        let runner = &runner;
        let start = |account| scope.spawn(move || plain(runner, PLAIN, account));
        [ALICE, BOB].map(start).map(|job| job.join().unwrap()).into_iter().collect()
    });
    let jobs: Vec<Finished> = all_good(jobs);
    let told = |name: String| fs::read_to_string(meet.join(name)).unwrap();
    let mut tokens = Vec::new();
    for account in ["alice", "bob"] {
        let list = format!("{{\"{}\":\"\\u003ctoken\\u003e\"}}\n", runner.registry.host());
        assert_eq!(told(format!("{account}.list")), list);
        let answer = told(format!("{account}.get"));
        assert_eq!(answer, told(format!("{account}.again")), "with the other one logged in too");
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        let hash = crate::mock_token_server::hash(answer["Secret"].as_str().unwrap());
        let live = runner.server.live_refresh_tokens().into_iter();
        let owner = live.filter(|token| token.hash == hash).map(|token| token.account);
        assert_eq!(owner.collect::<Vec<_>>(), [account]);
        tokens.push(hash);
        assert_eq!(told(format!("{account}.files")).matches(".age").count(), 2, "both at once");
    }
    assert_ne!(tokens[0], tokens[1]);
    fs::remove_dir_all(meet).unwrap();
    runner.assert_clean(&jobs, &[ALICE, BOB]);
}
