//! Each keychain, by writing, reading and deleting a dummy.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use super::report::Report;
use crate::error::Remedy;
use crate::keychain::{self, Choice, KeychainName, Listing};
use crate::login_record::Found;
use crate::logins::Logins;
use crate::secret::RefreshToken;

const CHECK: &str = "keychain";
/// A separate profile, so that the dummy is in no list of logins.
const PROFILE: &str = "doctor";
/// A dummy this old was left by a killed doctor, and is removed.
const LEFT_BEHIND: SignedDuration = SignedDuration::from_hours(1);

/// Those among the needed ones that cannot be read now.
pub(super) fn check(logins: &mut Logins<'_>, report: &mut Report) -> Vec<KeychainName> {
    let needed = needed(logins);
    let mut names = needed.clone();
    names.extend(KeychainName::of_this_system().into_iter().filter(|name| !needed.contains(name)));
    let (mut works, mut unused, mut unread) = (false, Vec::new(), Vec::new());
    for name in &names {
        let start = Instant::now();
        match round_trip(logins, name) {
            Ok(()) => {
                works = true;
                let took = start.elapsed().as_millis();
                report.ok(CHECK, format!("{name} stores, returns and deletes ({took} ms)"));
            }
            Err(error @ keychain::Error::Locked { .. }) => {
                works = true;
                unread.push(name.clone());
                let remedy = error.remedy().unwrap_or_else(|| "unlock it".into());
                report.warn(CHECK, error.fact(), remedy);
            }
            Err(error) if needed.contains(name) => {
                unread.extend(error.is_out_of_reach().then(|| name.clone()));
                let why = format!("{} (it holds logins, or new ones go there)", error.fact());
                let remedy = error.remedy().unwrap_or_else(|| "try again later".into());
                report.fail(CHECK, why, remedy);
            }
            Err(error) => unused.push(error),
        }
    }
    if !works {
        let remedy = "fix any one of the keychains above";
        // Only where one is missing: a keychain that is not needed is not a problem.
        for error in unused {
            report.skip(CHECK, error, "one keychain is enough");
        }
        report.fail(CHECK, "no keychain can be used", remedy);
    }
    unread
}

/// The keychains that new logins go to, by the settings, and that recorded ones are in.
fn needed(logins: &Logins<'_>) -> Vec<KeychainName> {
    let mut names = Vec::new();
    if let Choice::Named(name) = &logins.settings.keychain {
        names.push(name.clone());
    }
    if let Ok(Found::Records(records)) = logins.records.read() {
        names.extend(records.of_profile(&logins.settings.profile).map(|r| r.keychain.clone()));
    }
    names.sort();
    names.dedup();
    names
}

fn round_trip(logins: &Logins<'_>, name: &KeychainName) -> Result<(), keychain::Error> {
    let options = keychain::Options { may_prompt: false, ..logins.options() };
    let keychain = (logins.open_keychain)(name, PROFILE, &options)?;
    let now = Timestamp::now();
    // Unique: two doctors at once must not read each other's.
    let key = format!("{}.{}.invalid", now.as_second(), std::process::id());
    let dummy = RefreshToken::new(format!("a dummy for {key}"));
    keychain.put(&key, PROFILE, &dummy)?;
    let (read, listed) = (keychain.get(&key), keychain.list());
    keychain.delete(&key)?;
    let wrong = |why| keychain::Error::failed(name, why, Remedy::SetKeychain(Vec::new()));
    if read?.token != dummy {
        return Err(wrong("it returns something other than what was stored"));
    }
    if !matches!(
        keychain.get(&key),
        Err(keychain::Error::Absent | keychain::Error::Elsewhere { .. })
    ) {
        return Err(wrong("it still has what was deleted"));
    }
    for old in listed.and_then(Listing::complete)? {
        // Anything else is a login of a profile that has the same name.
        let made = old.key.strip_suffix(".invalid").and_then(|made| made.split('.').next());
        let made = made.and_then(|seconds| seconds.parse().ok());
        let made = made.and_then(|seconds| Timestamp::from_second(seconds).ok());
        if made.is_some_and(|made| now.duration_since(made) > LEFT_BEHIND) {
            keychain.delete(&old.key)?;
        }
    }
    Ok(())
}
