//! The user's browser, where there is a desktop to show it on.

use std::process::{Command, Stdio};
use std::thread;

use url::Url;

use crate::environment::{AGE_IDENTITY, variable};
use crate::external_helper::find_on_path;

/// The program that opens a page, and what goes before the address.
#[cfg(target_os = "macos")]
const OPENER: (&str, &[&str]) = ("open", &[]);
/// Not `start`, which is a word of the shell.
#[cfg(windows)]
const OPENER: (&str, &[&str]) = ("rundll32", &["url.dll,FileProtocolHandler"]);
#[cfg(not(any(target_os = "macos", windows)))]
const OPENER: (&str, &[&str]) = ("xdg-open", &[]);

/// Opens a page, and does not wait for it; whether something was started.
pub fn open(page: &Url) -> bool {
    let (program, arguments) = OPENER;
    if !has_desktop() || !is_plain(page.as_str()) {
        return false;
    }
    let Some(program) = find_on_path(program) else { return false };
    let mut command = Command::new(program);
    command.args(arguments).arg(page.as_str()).env_remove(AGE_IDENTITY);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Ctrl-C ends this program alone.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let Ok(mut child) = command.spawn() else { return false };
    thread::spawn(move || child.wait());
    true
}

fn has_desktop() -> bool {
    if cfg!(any(target_os = "macos", windows)) {
        return variable("SSH_CONNECTION").is_none();
    }
    variable("WAYLAND_DISPLAY").or_else(|| variable("DISPLAY")).is_some()
}

/// Nothing that a shell would interpret: the opener may be a script, or start one (CVE-2017-18266).
fn is_plain(address: &str) -> bool {
    address.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:/?=%+[]".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn no_character_of_a_shell_reaches_the_opener() {
        assert!(is_plain("https://auth.example.com:8443/device?user_code=ABCD-EFGH"));
        for text in [
            "$(id)", "`id`", "a;b", "a|b", "a&b", "a b", "a'b", "a\"b", "(a)", "a\\b", "a!b",
            "a>b", "^",
        ] {
            assert!(!is_plain(&format!("https://auth.example.com/{text}")), "{text}");
        }
    }
}
