//! `configure --registry NAME` and `docker login NAME`, for each way to write NAME: no password in plain
//! text, and no login that worked is dead.

use crate::docker_cli::DockerCli;
use crate::names::{Site, log_in, passwords, works};

/// What is typed, and what Docker makes of it.
type Spelling = (String, &'static str);

fn configure(cli: &DockerCli, name: &str) -> String {
    let name = if name.is_empty() { "docker.io" } else { name };
    let done =
        cli.helper_command(&["configure", "--fallback", "none", "--no-podman", "--registry", name]);
    done.success().stderr
}

/// Docker looks up upper case as it was typed, and only that is known.
fn is_covered(spelling: &str, configured: &str) -> bool {
    spelling == configured || !spelling.contains(char::is_uppercase)
}

/// Nothing was logged in before. Docker is told each spelling itself, and the next of the list.
fn a_login_goes_to_the_helper(site: &Site, spellings: &[Spelling]) {
    for (at, (configured, configured_name)) in spellings.iter().enumerate() {
        let cli = site.user();
        let told = configure(&cli, configured);
        for (spelling, name) in [&spellings[at], &spellings[(at + 1) % spellings.len()]] {
            let what = format!("configure {configured:?}, docker login {spelling:?}");
            let login = log_in(&cli, spelling).success();
            let plain = passwords(&cli);
            if is_covered(name, configured_name) {
                assert_eq!(plain, 0, "{what}: {login}");
            } else {
                assert!(plain == 1 && told.contains("letter by letter"), "{what}: {told}");
            }
            let registry = if name.contains("docker.io") { "docker.io" } else { *name };
            assert!(works(&cli, registry), "{what}");
            let named: &[&str] = if spelling.is_empty() { &[] } else { &[spelling] };
            cli.docker("", &[&["logout"], named].concat(), "").success();
            assert!(!works(&cli, registry) && passwords(&cli) == 0, "{what}: logged out");
        }
    }
}

/// All were logged in before, in plain text.
fn a_login_of_before_still_works(site: &Site, spellings: &[Spelling]) {
    for (configured, _) in &spellings[..2] {
        let cli = site.user();
        for (spelling, _) in spellings {
            log_in(&cli, spelling).success();
        }
        assert!(passwords(&cli) > 0 && spellings.iter().all(|(_, name)| works(&cli, name)));
        configure(&cli, configured);
        assert_eq!(passwords(&cli), 0, "{configured:?}: {}", cli.config());
        for (spelling, name) in spellings {
            assert!(works(&cli, name), "configure {configured:?}: {spelling:?}");
            let login = log_in(&cli, spelling).success();
            assert_eq!(passwords(&cli), 0, "configure {configured:?}: {login}");
        }
    }
}

fn check(site: &Site, spellings: &[Spelling]) {
    a_login_goes_to_the_helper(site, spellings);
    a_login_of_before_still_works(site, spellings);
}

fn spelled(all: &[(&str, &'static str)]) -> Vec<Spelling> {
    all.iter().map(|(typed, name)| ((*typed).to_owned(), *name)).collect()
}

#[test]
fn docker_logs_in_under_every_spelling_of_a_host() {
    let (site, _) = Site::named(&["registry.example"], "auth.registry.example");
    let all = spelled(&[
        ("registry.example", "registry.example"),
        ("REGISTRY.example", "REGISTRY.example"),
        ("registry.example:443", "registry.example:443"),
        ("https://registry.example", "registry.example"),
        ("https://registry.example/", "registry.example"),
        ("https://Registry.Example:443/v2/", "Registry.Example:443"),
        ("http://registry.example/", "registry.example"),
    ]);
    check(&site, &all);
}

#[test]
fn docker_logs_in_under_every_spelling_of_a_host_with_a_port() {
    let (site, _) = Site::named(&["registry.example"], "auth.registry.example");
    let all = spelled(&[
        ("registry.example:5000", "registry.example:5000"),
        ("https://registry.example:5000/", "registry.example:5000"),
        ("Registry.example:5000", "Registry.example:5000"),
    ]);
    check(&site, &all);
}

#[test]
fn docker_logs_in_under_every_name_of_docker_hub() {
    let names = ["docker.io", "index.docker.io", "registry-1.docker.io"];
    let (site, _) = Site::named(&names, "auth.docker.io");
    let all = spelled(&[
        ("", "docker.io"),
        ("docker.io", "docker.io"),
        ("index.docker.io", "docker.io"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("registry-1.docker.io", "registry-1.docker.io"),
    ]);
    check(&site, &all);
}

#[test]
fn docker_logs_in_under_every_spelling_of_this_machine() {
    for names in [&["127.0.0.1"][..], &["localhost", "LOCALHOST"], &["[::1]"]] {
        let (site, port) = Site::local(names[0]);
        let mut all = Vec::new();
        for name in names {
            let host: &'static str = format!("{name}:{port}").leak();
            all.push((host.to_owned(), host));
            all.push((format!("https://{host}/"), host));
        }
        check(&site, &all);
    }
}
