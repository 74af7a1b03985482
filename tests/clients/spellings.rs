//! `configure --registry NAME` and `docker login NAME`, for each way to write NAME: no password in plain
//! text, and no login that worked is dead.

use crate::docker_cli::{self, DockerCli};
use crate::names::{Site, log_in, passwords, works};

/// What is typed, and what Docker makes of it.
type Spelling = (String, &'static str);

fn configure(cli: &DockerCli, name: &str) -> String {
    let name = if name.is_empty() { "docker.io" } else { name };
    let done =
        cli.helper_command(&["configure", "--fallback", "none", "--no-podman", "--registry", name]);
    done.success().stderr
}

/// Docker looks up upper case as it was typed, and Docker 20.10 schemes and paths too: only what was named
/// is known.
fn is_covered((typed, name): &Spelling, configured: &Spelling) -> bool {
    let is_looked_up = if docker_cli::strips_schemes() { name } else { typed.as_str() };
    let is_plain = |text: &str| !text.contains(|c: char| c.is_uppercase() || c == '/');
    (typed, name) == (&configured.0, &configured.1)
        || is_looked_up == configured.1
        || is_plain(is_looked_up)
        || name.contains("docker.io")
}

/// Nothing was logged in before. Docker is told each spelling itself, and the next of the list.
fn a_login_goes_to_the_helper(site: &Site, spellings: &[Spelling]) {
    for (at, named) in spellings.iter().enumerate() {
        let (cli, configured) = (site.user(), &named.0);
        let told = configure(&cli, configured);
        for typed in [named, &spellings[(at + 1) % spellings.len()]] {
            let (spelling, name) = typed;
            let what = format!("configure {configured:?}, docker login {spelling:?}");
            let login = log_in(&cli, spelling).success();
            let plain = passwords(&cli);
            if is_covered(typed, named) {
                assert_eq!(plain, 0, "{what}: {login}");
            } else {
                assert!(plain == 1 && told.contains("under another spelling"), "{what}: {told}");
                continue;
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
    for named in &spellings[..2] {
        let (cli, configured) = (site.user(), &named.0);
        for (spelling, _) in spellings {
            log_in(&cli, spelling).success();
        }
        assert!(passwords(&cli) > 0 && spellings.iter().all(|(_, name)| works(&cli, name)));
        configure(&cli, configured);
        assert_eq!(passwords(&cli), 0, "{configured:?}: {}", cli.config());
        for typed in spellings {
            let what = format!("configure {configured:?}: {:?}", typed.0);
            assert!(works(&cli, typed.1), "{what}");
            let login = log_in(&cli, &typed.0).success();
            assert!(passwords(&cli) == 0 || !is_covered(typed, named), "{what}: {login}");
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
    // Docker 20.10 has no images at IPv6 addresses.
    let addresses = if docker_cli::strips_schemes() { &["[::1]"][..] } else { &[] };
    for names in [&["127.0.0.1"][..], &["localhost", "LOCALHOST"], addresses] {
        let Some(first) = names.first() else { continue };
        let (site, port) = Site::local(first);
        let mut all = Vec::new();
        for name in names {
            let host: &'static str = format!("{name}:{port}").leak();
            all.push((host.to_owned(), host));
            all.push((format!("https://{host}/"), host));
        }
        check(&site, &all);
    }
}
