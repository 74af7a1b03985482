//! First logins of one registry at once, by the whole program: it is the lock of the login records
//! that keeps writers apart, not the store.

use std::io::Write as _;
use std::process::Stdio;
use std::thread;

use crate::support::keychains::bus::Bus;
use crate::support::user::User;

/// Logs in to `h.example` twenty times at once on this bus; the token that is kept.
pub fn first_logins_at_once(bus: &Bus) -> String {
    let user = User::new();
    user.on_bus(bus.environment());
    thread::scope(|scope| {
        for i in 0..20 {
            let mut store = user.command();
            scope.spawn(move || {
                store.arg("store").stdin(Stdio::piped()).stderr(Stdio::piped());
                let mut running = store.spawn().unwrap();
                let login = format!(
                    "{{\"ServerURL\":\"h.example\",\"Username\":\"<token>\",\"Secret\":\"token{i}\"}}"
                );
                running.stdin.take().unwrap().write_all(login.as_bytes()).unwrap();
                let done = running.wait_with_output().unwrap();
                assert!(done.status.success(), "{done:?}");
                let told = String::from_utf8(done.stderr).unwrap();
                assert!(told.contains("the secret-service keychain"), "{told}");
            });
        }
    });
    user.token("h.example")
}
