//! Takes over the logins that clients keep in plain text, all of them or none.

use super::half_way::Progress;
use super::moved_login::Moving;
use super::plan::Plan;
use crate::commands::clients::found_login::{FoundLogin, Way};
use crate::commands::clients::log_out::log_out;
use crate::error::{Error, Kind, Result};
use crate::logins::{Exchange, Logins, NewLogin};
use crate::server_url::ServerUrl;
use crate::text::shell_word;

#[expect(clippy::large_enum_variant, reason = "there are a few, and they live for one call")]
enum Ready {
    Keep(NewLogin),
    /// The fallback takes it; the password is read again then, and not held meanwhile.
    HandOver(Error),
}

/// Logins whose tokens are there, or that the fallback can take: nothing is kept yet.
pub struct Prepared<'p>(Vec<(&'p Moving, Ready)>);

/// Finds the logins that cannot be taken over whatever a registry says, before anything is sent to one.
///
/// # Errors
/// A client uses one of them, unless told to go on.
pub fn check(plan: &Plan, force: bool, logins: &mut Logins<'_>) -> Result<()> {
    let used = plan.moving.iter().filter(|moving| moving.is_used());
    let stuck: Vec<_> =
        used.filter_map(|moving| Some((moving, hopeless(&moving.found)?))).collect();
    // With --force they are told when the others are taken.
    if stuck.is_empty() || force {
        return Ok(());
    }
    note_stuck(&stuck, logins);
    Err(refused(&stuck, plan))
}

/// Exchanges every password.
///
/// # Errors
/// One that a client uses can be neither exchanged nor handed over: then none is.
pub fn prepare<'p>(plan: &'p Plan, force: bool, logins: &mut Logins<'_>) -> Result<Prepared<'p>> {
    let mut ready = Vec::new();
    let mut stuck = Vec::new();
    for moving in &plan.moving {
        match one(moving, logins) {
            Ok(prepared) => ready.push((moving, prepared)),
            Err(error) => stuck.push((moving, error)),
        }
    }
    note_stuck(&stuck, logins);
    stuck.retain(|(moving, _)| moving.is_used());
    if !stuck.is_empty() && !force {
        give_up(ready, logins);
        return Err(refused(&stuck, plan));
    }
    Ok(Prepared(ready))
}

/// What becomes of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Took {
    /// Its token is kept here.
    Kept,
    /// The fallback has it.
    HandedOver,
}

impl<'p> Prepared<'p> {
    /// What becomes of each.
    pub fn taken(&self) -> Vec<(FoundLogin, Took)> {
        let took = |ready: &Ready| match ready {
            Ready::Keep(_) => Took::Kept,
            Ready::HandOver(_) => Took::HandedOver,
        };
        let each = self.0.iter().flat_map(|(moving, ready)| {
            moving.entries().map(move |found| (found.clone(), took(ready)))
        });
        each.collect()
    }

    /// The logins that will have a new place.
    pub fn logins(&self) -> impl Iterator<Item = &'p Moving> {
        self.0.iter().map(|(moving, _)| *moving)
    }

    /// Keeps the tokens, and hands the rest to the fallback.
    ///
    /// # Errors
    /// Of the first that could not be kept, with how far that came: those before it are, and nothing was
    /// taken from a file. The tokens of those after it are given up.
    pub fn keep(self, plan: &Plan, logins: &mut Logins<'_>) -> Result<(), (Progress, Error)> {
        let mut progress = Progress { of: self.0.len(), ..Progress::default() };
        let mut rest = self.0.into_iter();
        while let Some((moving, ready)) = rest.next() {
            if let Err(error) = place(moving, ready, plan, logins) {
                give_up(rest, logins);
                return Err((progress, error));
            }
            progress.taken.push(moving.found.server_url.clone());
        }
        Ok(())
    }

    /// Gives up the new tokens, since nothing will be kept.
    pub fn give_up(self, logins: &mut Logins<'_>) {
        give_up(self.0, logins);
    }
}

/// Keeps one, or hands it to the fallback.
fn place(moving: &Moving, ready: Ready, plan: &Plan, logins: &mut Logins<'_>) -> Result<()> {
    let why = match ready {
        Ready::Keep(login) => return logins.keep_login(&login),
        Ready::HandOver(why) => why,
    };
    let mut credentials = moving.found.credentials(logins)?;
    let other = (moving.podman || plan.has_podman_name(moving))
        .then(|| moving.found.podman_helper_name())
        .filter(|name| *name != credentials.server_url);
    logins.hand_over(&credentials, why.clone())?;
    // Docker and podman have names of their own for Docker Hub.
    if let Some(server_url) = other {
        credentials.server_url = server_url;
        logins.hand_over(&credentials, why)?;
    }
    Ok(())
}

fn give_up<'p>(all: impl IntoIterator<Item = (&'p Moving, Ready)>, logins: &mut Logins<'_>) {
    for (_, ready) in all {
        if let Ready::Keep(login) = ready {
            logins.give_up(&login);
        }
    }
}

fn note_stuck(stuck: &[(&Moving, Error)], logins: &mut Logins<'_>) {
    for (moving, error) in stuck {
        let (name, place) = (&moving.found.server_url, moving.found.place());
        let what = match moving.is_used() {
            true => "cannot be imported",
            false => "is not used by any client, and stays there",
        };
        logins.note(&format!("{name} in {place} {what}: {error}"));
    }
}

/// Why a login cannot be taken over, where no registry need be asked.
fn hopeless(found: &FoundLogin) -> Option<Error> {
    match &found.way {
        Way::Stays(why) | Way::Unusable(why) => Some(Error::new(Kind::Other, why.clone())),
        Way::Exchange | Way::Move => None,
    }
}

fn one(moving: &Moving, logins: &mut Logins<'_>) -> Result<Ready> {
    let found = &moving.found;
    if let Some(error) = hopeless(found) {
        return Err(error);
    }
    let credentials = found.credentials(logins)?;
    match logins.exchange(credentials)? {
        Exchange::Done(login) => Ok(Ready::Keep(login)),
        Exchange::Impossible { why, credentials } => {
            let has_fallback = ServerUrl::parse(&credentials.server_url)
                .is_ok_and(|url| logins.settings.fallback_for(&url).is_some());
            if has_fallback { Ok(Ready::HandOver(why)) } else { Err(why) }
        }
    }
}

/// Each remedy helps with all of them, unless it says with which.
fn refused(stuck: &[(&Moving, Error)], plan: &Plan) -> Error {
    let has_others = plan.moving.iter().filter(|moving| moving.is_used()).count() > stuck.len();
    let count = stuck.len();
    let message = format!("{count} of the logins would no longer be found; nothing was changed");
    let names = |of: fn(&Moving) -> String| {
        let names: Vec<String> = stuck.iter().map(|(moving, _)| shell_word(&of(moving))).collect();
        names
    };
    let mut remedies = Vec::new();
    let needs_fallback = |error: &Error| matches!(error.kind, Kind::NoRefreshToken | Kind::Trust);
    if stuck.iter().all(|(_, error)| needs_fallback(error)) {
        remedies.push("name a helper that takes them with --fallback NAME".to_owned());
    } else if stuck.iter().any(|(_, error)| needs_fallback(error)) {
        let some = "name a helper that takes those without refresh tokens with --fallback NAME";
        remedies.push(some.to_owned());
    }
    if stuck.iter().all(|(moving, _)| moving.docker && !moving.podman) {
        let options: Vec<String> = names(|moving| moving.found.docker_name())
            .iter()
            .map(|name| format!("--keep-plain {name}"))
            .collect();
        remedies.push(format!("leave them to docker with {}", options.join(" ")));
    }
    // Docker's own file is read all the same, and the entry of a path there comes after `credHelpers`.
    let is_podmans = |moving: &Moving| {
        moving.podman && !moving.docker && !(moving.found.is_dockers() && moving.found.is_path())
    };
    if stuck.iter().all(|(moving, _)| is_podmans(moving)) {
        remedies.push("leave podman, skopeo and buildah alone with --no-podman".to_owned());
    }
    if has_others {
        remedies.push("set up only the others, each with --registry HOST".to_owned());
    }
    let entries = stuck.iter().flat_map(|(moving, _)| moving.entries());
    let ways: Vec<String> = entries.map(log_out).collect();
    remedies.push(format!("log out there ({})", ways.join("; ")));
    remedies.push("continue without them with --force".to_owned());
    Error::new(stuck[0].1.kind, message).hint(remedies.join(", or "))
}
