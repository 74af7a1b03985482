//! The helper under strace, which makes one of its system calls fail, be late, or be its last.

use std::process::{Command, Stdio};

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

/// Leaves the test out, by name, where there is no strace.
pub fn has_strace(test: &str) -> bool {
    let there = Command::new("/usr/bin/strace").arg("-V").output().is_ok();
    if !there {
        left_out(test, "there is no strace");
    }
    there
}
