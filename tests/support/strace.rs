//! The helper under strace, which makes one of its system calls fail, be late, or be its last.

use std::fs;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::left_out;
use super::user::User;

/// The calls that change something.
pub const CALLS: [&str; 6] = ["keyctl", "add_key", "fsync", "/^rename", "/^unlink", "/^write"];

/// The helper under strace, which does something to one call.
pub fn strace(user: &User, call: &str, inject: &str, arguments: &[&str]) -> Command {
    let helper = user.command();
    let mut strace = Command::new("/usr/bin/strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    strace.args(["-e", &format!("inject={call}:{inject}")]).arg(helper.get_program());
    strace.args(arguments).env_clear();
    strace.envs(helper.get_envs().filter_map(|(name, value)| Some((name, value?))));
    strace.stdout(Stdio::null()).stderr(Stdio::null());
    strace
}

/// Runs the helper, some calls of which are late. Something happens `meanwhile`, as soon as it `has_come` so far.
pub fn overtaken(
    user: &User,
    (call, late): (&str, &str),
    arguments: &[&str],
    stdin: &str,
    has_come: impl Fn() -> bool,
    meanwhile: impl FnOnce(),
) -> Output {
    let input = user.home().join("overtaken.input");
    fs::write(&input, stdin).unwrap();
    let mut strace = strace(user, call, late, arguments);
    strace.stdin(fs::File::open(&input).unwrap()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = strace.spawn().unwrap();
    fs::remove_file(input).unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while !has_come() {
        if child.try_wait().unwrap().is_some() || Instant::now() > end {
            let _ = child.kill();
            panic!("it has not come so far: {:?}", child.wait_with_output());
        }
        thread::sleep(Duration::from_millis(5));
    }
    meanwhile();
    child.wait_with_output().unwrap()
}

/// Leaves the test out, by name, where there is no strace.
pub fn has_strace(test: &str) -> bool {
    let there = Command::new("/usr/bin/strace").arg("-V").output().is_ok();
    if !there {
        left_out(test, "there is no strace");
    }
    there
}
