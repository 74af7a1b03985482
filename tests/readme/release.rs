//! What the page about CI takes from a release.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::commands::HELPER;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The files that `install.sh` reads, with the helper under test as the program of this machine.
pub fn lay_out(release: &Path) {
    let target = match std::env::consts::ARCH {
        "x86_64" => "x86_64-unknown-linux-musl",
        arch => &format!("{arch}-unknown-linux-gnu"),
    };
    let top = format!("docker-credential-refresh-{VERSION}-{target}");
    fs::create_dir_all(release.join(&top)).unwrap();
    std::os::unix::fs::symlink(HELPER, release.join(&top).join("docker-credential-refresh"))
        .unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/install.sh");
    fs::copy(script, release.join("install.sh")).unwrap();
    let packed = format!(
        "tar --dereference --create {top} | gzip -1 >{top}.tar.gz && sha256sum {top}.tar.gz >SHA256SUMS"
    );
    let status = Command::new("sh").args(["-c", &packed]).current_dir(release).status();
    assert!(status.unwrap().success(), "{packed}");
}

/// The lines below a heading, as far as they are indented.
fn below<'a>(text: &'a str, heading: &str) -> Vec<&'a str> {
    let lines = text.lines().skip_while(|line| *line != heading).skip(1);
    lines.take_while(|line| line.starts_with("  ")).collect()
}

/// The keys of a YAML mapping whose lines are indented so far.
fn keys<'a>(lines: &[&'a str], indent: &str) -> Vec<&'a str> {
    let lines = lines.iter().filter_map(|line| line.strip_prefix(indent));
    lines
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.split(':').next().unwrap())
        .collect()
}

#[test]
fn the_github_step_gives_the_action_what_it_wants() {
    let step = include_str!("../ci_recipes/github_action.yml");
    let uses =
        step.lines().next().unwrap().strip_prefix("- uses: OWNER/docker-credential-refresh/");
    let (folder, version) = uses.unwrap().split_once('@').unwrap();
    assert_eq!(version, format!("v{VERSION}"));
    let action = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("action.yml");
    let action = fs::read_to_string(action).unwrap();
    let inputs = below(&action, "inputs:");
    let names = keys(&inputs, "  ");
    let required = names.iter().filter(|name| {
        let one = below(&action, &format!("  {name}:"));
        one.iter()
            .take_while(|line| line.starts_with("    "))
            .any(|line| line.ends_with("required: true"))
    });
    let given = keys(&below(step, "  with:"), "    ");
    assert!(required.clone().count() > 2, "{names:?}");
    assert!(required.into_iter().all(|name| given.contains(name)), "{given:?} of {names:?}");
    assert!(given.iter().all(|name| names.contains(name)), "{given:?} of {names:?}");
}

/// The template says itself how it is included, with an address that only the release knows.
#[test]
fn the_gitlab_job_extends_the_template() {
    let job = include_str!("../ci_recipes/gitlab_template.yml");
    let template = include_str!("../../packaging/channels/gitlab.yml").replace(
        "@RELEASE@",
        &format!(
            "https://forge.example/OWNER/docker-credential-refresh/releases/download/v{VERSION}"
        ),
    );
    let said: String = job.lines().map(|line| format!("#   {line}\n")).collect();
    assert!(template.contains(&said), "{template}");
    let extended = job.lines().find_map(|line| line.strip_prefix("  extends: ")).unwrap();
    assert!(template.contains(&format!("\n{extended}:\n")), "no job {extended} in {template}");
}

#[test]
fn an_address_without_a_release_is_told_in_one_line() {
    let nothing = tempfile::tempdir().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/install.sh");
    let address = format!("file://{}", nothing.path().display());
    let folder = nothing.path().join("bin");
    let mut install = Command::new("sh");
    let output = install.args([script, &address, VERSION]).arg(&folder).output().unwrap();
    let said = format!(
        "install.sh: cannot get {address}/SHA256SUMS; look at the address and the version; nothing \
         was installed\n"
    );
    assert_eq!(str::from_utf8(&output.stderr).unwrap(), said);
    assert!(output.status.code() == Some(1) && !folder.exists());
}
