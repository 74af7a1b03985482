//! The recipes of the README for CI, to the letter: no bus, keyctl forbidden, a registry with TLS.

use std::fs;

use crate::process::{Finished, run};
use crate::runner::{ALICE, BOB, LIMIT, PLAIN, Runner, plain};

const GITHUB: &str = include_str!("../ci_recipes/github.yml");
const GITLAB: &str = include_str!("../ci_recipes/gitlab.yml");
const PODMAN: &str = include_str!("../ci_recipes/podman.sh");

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
    has(
        &jobs,
        "stored in the file keychain until it is deleted (its key is in DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY",
    );
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
    has(&jobs, "stored in the file keychain");
    has(&jobs, "Removed the login for");
    assert!(refreshed_as(&runner, "docker"));
    runner.assert_clean(&jobs, &[ALICE]);
    assert_eq!(fs::read_dir(runner.at("work.tmp")).unwrap().count(), 0);
}

#[test]
fn docker_in_a_plain_script_with_a_daemon() {
    let runner = Runner::new(true);
    let jobs = all_good(vec![plain(&runner, PLAIN, ALICE)]);
    has(&jobs, "stored in the file keychain");
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
    has(&jobs, "stored in the file keychain");
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
