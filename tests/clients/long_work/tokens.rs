//! Pushes and pulls that take longer than an access token lasts: each client gets new ones with the refresh
//! token that it had from the helper, until that is revoked.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use super::jobs::{self, Job, LIFETIME, PASSWORD, Place};
use super::size;

/// How long the work takes at least: so that requests come when the first token has ended.
fn duration() -> Duration {
    size(LIFETIME * 3 / 2, LIFETIME * 5)
}

/// How many access tokens that needs.
fn least() -> usize {
    size(2, 4)
}

const BYTES_A_SECOND: u64 = 20_000;
/// When the refresh token is revoked, long before the first access token has ended.
const REVOKED_AFTER: Duration = Duration::from_secs(15);
/// What clients say of a token server that answers with 400 and `invalid_grant`: Docker quotes it, podman and
/// skopeo name what they were about to do.
const REFUSALS: [&str; 2] = ["invalid_grant", "Trying to obtain access token"];

#[test]
fn docker_with_a_daemon_podman_and_skopeo_outlive_their_access_tokens() {
    all_at_once(lasts);
}

#[test]
fn docker_with_a_daemon_podman_and_skopeo_say_so_when_their_login_is_revoked_meanwhile() {
    all_at_once(is_revoked);
}

/// All clients, once all of them are ready: Docker Engine has only so many uploads at once.
fn all_at_once(work: impl Fn(&Place, &Job, String) + Sync) {
    let place = Place::open();
    let jobs = jobs::all(&place, BYTES_A_SECOND * duration().as_secs());
    let barrier = Barrier::new(jobs.len());
    thread::scope(|scope| {
        for job in &jobs {
            scope.spawn(|| {
                // One that is not ready must not keep the others waiting.
                let token = catch_unwind(AssertUnwindSafe(|| job.prepare(&place)));
                barrier.wait();
                work(&place, job, token.unwrap_or_else(|panic| resume_unwind(panic)));
            });
        }
    });
}

fn lasts(place: &Place, job: &Job, token: String) {
    let before = place.access_tokens(&token);
    job.link.slow_down(BYTES_A_SECOND);
    let (done, time) = job.run(place);
    let done = done.success();
    assert!(time > duration() * 9 / 10, "{} took {time:?} only: {done}", job.name);
    let access_tokens = place.access_tokens(&token) - before;
    println!("{}: {} s, {access_tokens} access tokens", job.name, time.as_secs());
    assert!(access_tokens >= least(), "{}: {access_tokens}: {done}", job.name);
    assert_eq!(place.token(&job.link), token, "{}", job.name);
}

fn is_revoked(place: &Place, job: &Job, token: String) {
    job.link.slow_down(BYTES_A_SECOND);
    let (done, time) = thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(REVOKED_AFTER);
            place.server.revoke(&token);
        });
        job.run(place)
    });
    let done = done.failure();
    let text = done.text();
    let said = text.lines().rfind(|line| REFUSALS.iter().any(|word| line.contains(word)));
    let said = said.unwrap_or_else(|| panic!("{done}"));
    println!("{}, revoked: {} s, {said}", job.name, time.as_secs());
    assert!(!text.contains(PASSWORD) && !text.contains(&token), "{}", job.name);

    // The helper has what it had, and the next login is all it takes.
    assert_eq!(place.token(&job.link), token, "{}", job.name);
    job.link.speed_up();
    job.run(place).0.failure();
    assert_ne!(place.log_in(&job.link), token, "{}", job.name);
    job.run(place).0.success();
}
