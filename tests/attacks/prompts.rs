//! The file that remembers a dismissed prompt.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, SystemTime};

use crate::support::keychains::fake_service::{FakeService, Manners, Prompt};
use crate::support::user::User;

const KEY: &str = "registry.example.com";

/// A login in a keyring that is locked now, and whose prompt is dismissed.
fn locked() -> (FakeService, User) {
    let service = FakeService::start(Manners::default(), Vec::new());
    let user = User::new();
    user.on_bus(service.bus.environment());
    user.set("DISPLAY", ":99");
    user.store(KEY, "<token>", "a-token").succeeded();
    let prompt = Prompt::Dismissed;
    service.behave(Manners { locked: true, prompt, ..Manners::default() });
    (service, user)
}

#[test]
fn a_link_in_the_place_of_the_marker_empties_no_file() {
    // A dismissed prompt writes a file, and a link there makes it another file.
    let (_service, user) = locked();
    let (marker, target) = (user.state().join("prompt-dismissed"), user.home().join("target"));
    fs::write(&target, "precious").unwrap();
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    symlink(&target, &marker).unwrap();
    let old = rustix::fs::Timespec { tv_sec: 1, tv_nsec: 0 };
    let times = rustix::fs::Timestamps { last_access: old, last_modification: old };
    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
    rustix::fs::utimensat(rustix::fs::CWD, &marker, &times, flags).unwrap();
    fs::File::options().write(true).open(&target).unwrap().set_modified(long_ago).unwrap();
    user.get(KEY).failed_with(&["its prompt was dismissed"]);
    assert_eq!(fs::read(&target).unwrap(), b"precious");
    fs::remove_file(&marker).unwrap();
    user.get(KEY).failed_with(&["its prompt was dismissed"]);
    assert_eq!(fs::metadata(&marker).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_marker_from_the_future_does_not_keep_the_prompt_away() {
    // A clock that was ten years ahead once would keep every prompt away for ten years.
    let (service, user) = locked();
    user.get(KEY).failed_with(&["its prompt was dismissed"]);
    user.get(KEY).failed_with(&["is locked"]);
    let marker = user.state().join("prompt-dismissed");
    let future = SystemTime::now() + Duration::from_secs(10 * 365 * 86_400);
    fs::File::options().write(true).open(marker).unwrap().set_modified(future).unwrap();
    service.behave(Manners { locked: true, prompt: Prompt::Unlocks, ..Manners::default() });
    assert_eq!(user.token(KEY), "a-token");
}

/// Docker erases every spelling of a registry.
#[test]
fn a_logout_in_four_spellings_prompts_once_and_says_how_to_log_out() {
    for (display, first) in [
        (":99", "its prompt was dismissed; unlock it, and log out again\n"),
        ("", "on: unlock the desktop's keyring, and log out again\n"),
    ] {
        let (service, user) = locked();
        user.set("DISPLAY", display);
        service.calls();
        for (at, start) in ["", "https://", "http://", "https://"].into_iter().enumerate() {
            let told = user.erase(&format!("{start}{KEY}")).failed_with(&["secret-service"]).stdout;
            assert!(at > 0 || told.ends_with(first), "{told}");
            assert!(!told.contains("set keychain"), "{told}");
        }
        let calls = service.calls();
        assert_eq!(calls.iter().filter(|call| *call == "Prompt").count(), 1, "{calls:?}");
    }
}

/// Each would ask, since all are read at the same time.
#[test]
fn a_check_of_several_logins_prompts_once() {
    let service = FakeService::start(Manners::default(), Vec::new());
    let user = User::new();
    user.on_bus(service.bus.environment());
    user.set("DISPLAY", ":99");
    for server in ["127.0.0.1:1/a", "127.0.0.1:1/b", "127.0.0.1:1/c"] {
        user.store(server, "<token>", "a-token").succeeded();
    }
    for prompt in [Prompt::Dismissed, Prompt::Unlocks] {
        let _ = fs::remove_file(user.state().join("prompt-dismissed"));
        service.behave(Manners { locked: true, prompt, ..Manners::default() });
        service.calls();
        assert_ne!(user.does(&["status", "--check"], "").code, 0);
        let calls = service.calls();
        assert_eq!(calls.iter().filter(|call| *call == "Prompt").count(), 1, "{calls:?}");
    }
}
