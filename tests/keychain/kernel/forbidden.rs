//! The kernel keyring where a process may not or cannot use it: never "absent".

use super::{Profile, is_root};
use crate::support::keychains::agent::Agent;
use crate::support::seccomp::forbidding;

#[test]
fn a_user_namespace_without_users_cannot_tell_what_there_is() {
    let profile = Profile::new("namespace");
    let told = profile.agent().under(&["unshare", "--user", "--"]).run(&["list"]);
    assert!(told[0].starts_with("unavailable: "), "{told:?}");
}

#[test]
fn a_user_namespace_does_not_call_absent_what_is_kept_outside() {
    let profile = Profile::new("elsewhere");
    assert_eq!(profile.agent().one("put k alice t"), "ok");
    for namespace in [&["--user"][..], &["--map-root-user"], &["--user", "--map-current-user"]] {
        let wrapper = [&["unshare"], namespace, &["--"]].concat();
        let inside = profile.agent().under(&wrapper);
        for step in ["get k", "delete k"] {
            let told = inside.one(step);
            assert!(told.starts_with("elsewhere: ") && told.contains("log in again"), "{told}");
        }
        // There it can be kept as well, and says how long.
        let told = inside.run(&["put k bob u", "get k", "lifetime", "delete k"]);
        assert_eq!(told, ["ok", "bob u", "until this user namespace ends", "ok"]);
        if namespace != ["--user"] {
            let steps = ["list", "check", "put new bob u", "list", "check new", "check", "check k"];
            let told = inside.run(&steps);
            let elsewhere = |told: &String| told.starts_with("elsewhere: ");
            assert!(told[..2].iter().all(elsewhere), "{told:?}");
            assert_eq!(told[2..5], ["ok", "new=", "ok"]);
            assert!(told[5..].iter().all(elsewhere), "one may be outside: {told:?}");
        }
    }
    assert_eq!(profile.agent().run(&["get k", "delete k"]), ["alice t", "ok"]);
}

#[test]
fn other_namespaces_share_the_keyring_of_their_user() {
    if !is_root("the kernel keyring in a namespace for processes and mounts") {
        return;
    }
    let profile = Profile::new("pids");
    let wrapper = ["unshare", "--pid", "--fork", "--mount", "--mount-proc", "--ipc", "--uts", "--"];
    let inside = profile.agent().under(&wrapper);
    assert_eq!(profile.agent().one("put k alice t"), "ok");
    assert_eq!(inside.run(&["get k", "list", "put k bob u"]), ["alice t", "k=", "ok"]);
    assert_eq!(profile.agent().one("get k"), "bob u");
    let told = inside.run(&["delete k", "get k"]);
    assert!(told[0] == "ok" && told[1].starts_with("absent: "), "{told:?}");
}

#[test]
fn a_seccomp_filter_is_unavailable_never_absent() {
    let profile = Profile::new("seccomp");
    assert_eq!(profile.agent().one("put k alice t"), "ok");
    let under = |calls: &[&str], errno| {
        let wrapper = forbidding(calls, errno);
        profile.agent().under(&wrapper.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let steps = ["get k", "put k bob u", "delete k", "list", "check", "unlock"];
    // Docker's own filter, by its age: EPERM, and later ENOSYS.
    for (errno, name) in [(1, "EPERM"), (38, "ENOSYS")] {
        for calls in [&["keyctl", "add_key", "request_key"][..], &["keyctl"]] {
            for told in under(calls, errno).run(&steps) {
                assert!(told.starts_with("unavailable: ") && told.contains(name), "{told}");
            }
        }
        let told = under(&["add_key"], errno).run(&["get k", "put k bob u", "put new bob u"]);
        assert_eq!(told[0], "alice t");
        for told in &told[1..] {
            assert!(told.starts_with("unavailable: ") && told.contains(name), "{told}");
        }
        // It is never called.
        let told = under(&["request_key"], errno).run(&["put k alice t", "get k", "list"]);
        assert_eq!(told, ["ok", "alice t", "k="]);
    }
    let auto = Agent::auto().under(
        &forbidding(&["keyctl", "add_key"], 1).iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let told = auto.one("unlock");
    assert!(
        told.starts_with("nothing usable: ") && told.contains("kernel: keyctl is forbidden"),
        "{told}"
    );
    assert_eq!(profile.agent().run(&["get k", "delete k"]), ["alice t", "ok"]);
}

#[test]
fn forbidden_system_calls_are_unavailable_never_absent() {
    let profile = Profile::new("forbidden");
    assert_eq!(profile.agent().one("put k alice t"), "ok");
    for errno in ["EPERM", "EACCES", "ENOSYS"] {
        for (call, steps) in [
            ("keyctl", &["get k", "put k bob u", "delete k", "list", "unlock"][..]),
            ("add_key", &["put k bob u"][..]),
        ] {
            let (trace, inject) = (format!("trace={call}"), format!("inject={call}:error={errno}"));
            let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
            for step in steps {
                let told = profile.agent().under(&strace).one(step);
                assert!(told.starts_with("unavailable: "), "{errno} {call} {step}: {told}");
                assert!(told.contains(errno), "{told}");
            }
        }
    }
    assert_eq!(profile.agent().run(&["get k", "delete k"]), ["alice t", "ok"]);
}

#[test]
fn a_keyring_that_does_not_exist_is_unavailable() {
    // As in a user namespace of older kernels.
    let strace = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=keyctl",
        "-e",
        "inject=keyctl:error=ENOKEY",
    ];
    let told = Profile::new("none").agent().under(&strace).one("get k");
    assert!(told.starts_with("unavailable: "), "{told}");
}
