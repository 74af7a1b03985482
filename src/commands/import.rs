//! `import`: exchanges plaintext passwords, and only then removes them. It takes those whose clients will
//! ask this helper for the login.

use serde::Serialize;

use super::clients::asks::Clients;
use super::clients::found_login::{self, FoundLogin, Way};
use super::clients::{note_closed, note_merged, note_place};
use super::configure::{self, Configured, Plan};
use super::streams::Streams;
use crate::cli::{Configure, Import, KeychainOption};
use crate::docker_config::names::registry_key;
use crate::docker_config::{ConfigFile, podman};
use crate::error::{Error, Kind, Result};
use crate::external_helper::{HelperName, find_on_path};
use crate::login_record::ConfigureLock;
use crate::logins::{Exchange, Logins};

mod outcome;
mod removed;

use outcome::{Outcome, Row};
use removed::removed;

pub(super) fn run(
    import: &Import,
    logins: &mut Logins<'_>,
    streams: &mut Streams<'_>,
) -> Result<()> {
    let wanted = registries(&import.registry)?;
    // An unknown source is an error before configure changes anything.
    source(&import.from, logins)?;
    // What is only shown need not wait for anybody.
    let lock = import.yes.then(|| logins.records.lock_configure()).transpose()?;
    let first = First::of(import, lock.as_ref(), logins, streams)?;
    let mut found = source(&import.from, logins)?;
    if !wanted.is_empty() {
        found.retain(|found| found.key().is_some_and(|key| wanted.contains(&key)));
    }
    let mut clients = Clients::find(logins)?;
    let mut rows = Vec::new();
    match &first {
        First::Nothing => {}
        First::Planned(plan) => {
            clients = clients.after(&plan.settings, plan.podman);
            let moving = plan.moving.iter().map(|moving| &moving.found);
            let others = moving.filter(|other| found.iter().all(|found| !found.is(other)));
            rows.extend(others.map(Row::planned));
            for found in &mut found {
                found.way = plan.way_of(found);
            }
        }
        First::Done(done) => {
            rows.extend(done.taken.iter().map(|(found, took)| Row::taken(found, *took)));
        }
    }
    for found in found.iter_mut().filter(|f| matches!(f.way, Way::Exchange | Way::Move)) {
        if let Some(why) = clients.who_would_lose(found, &import.from) {
            found.way = Way::Stays(why);
        }
    }
    check_ready(&found, import.yes, logins)?;
    note_merged(found.iter().filter(|found| !first.has_told(found)), logins);
    for found in &found {
        let row = match &lock {
            Some(lock) => one(found, &clients, lock, logins),
            None => Row::planned(found),
        };
        if import.yes || row.outcome == Outcome::Stays {
            logins.note(&row.sentence());
        }
        rows.push(row);
    }
    print(&rows, &first, import, streams)?;
    if rows.is_empty() {
        let of = match &import.registry[..] {
            [] => String::new(),
            named => format!(" for {}", named.join(", ")),
        };
        logins.note(&format!("no login was found{of} in {}", import.from));
    } else if !import.yes {
        let takes_any = rows.iter().any(|row| row.outcome != Outcome::Stays);
        let how = if takes_any { "; add --yes to do it" } else { "" };
        logins.note(&format!("nothing was changed{how}"));
    } else if rows.iter().all(|row| row.outcome == Outcome::Stays) {
        let what = match rows.len() {
            1 => "the login stays where it is".to_owned(),
            n => format!("all {n} logins stay where they are"),
        };
        logins.note(&format!("nothing was imported: {what}"));
    }
    let failed = rows.iter().filter(|row| row.outcome == Outcome::Failed).count();
    if failed > 0 {
        let stays = rows.iter().filter(|row| row.outcome == Outcome::Stays).count();
        let message = format!(
            "{failed} of {} logins could not be imported{}",
            rows.len(),
            if stays > 0 { format!(", and {stays} stay where they are") } else { String::new() }
        );
        return Err(Error::new(Kind::Other, message)
            .hint("each of them is where it was; import may be repeated"));
    }
    Ok(())
}

/// What `--configure` comes to. It goes first: once the clients ask this helper and each of their logins
/// has a place, nothing is lost by what import takes, however far it comes.
enum First {
    Nothing,
    Planned(Plan),
    Done(Configured),
}

impl First {
    /// Without the lock, nothing is changed.
    fn of(
        import: &Import,
        lock: Option<&ConfigureLock>,
        logins: &mut Logins<'_>,
        streams: &mut Streams<'_>,
    ) -> Result<Self> {
        if !import.configure {
            return Ok(Self::Nothing);
        }
        let options = Configure {
            registry: import.registry.clone(),
            fallback: import.fallback.clone(),
            keep_tokens: false,
            mint: None,
            keep_plain: Vec::new(),
            podman: import.from == "podman",
            no_podman: false,
            force: false,
            keychain: KeychainOption::default(),
        };
        let Some(lock) = lock else {
            return configure::plan(&options, logins).map(|(plan, _)| Self::Planned(plan));
        };
        let done = configure::apply(&options, lock, logins, streams)?;
        if !import.json {
            streams.print(&done.diff.shown("Nothing to change"))?;
        }
        done.conclude().map(|()| Self::Done(done))
    }

    /// Whether a login is one of those that configure has looked at.
    fn has_told(&self, found: &FoundLogin) -> bool {
        match self {
            Self::Planned(plan) => plan.moving.iter().any(|moving| moving.found.is(found)),
            Self::Nothing | Self::Done(_) => false,
        }
    }
}

/// The keys of the registries that were named.
fn registries(named: &[String]) -> Result<Vec<String>> {
    let name = |host: &String| {
        registry_key(host).ok_or_else(|| {
            Error::new(Kind::Usage, format!("{host:?} is not the name of a registry"))
        })
    };
    named.iter().map(name).collect()
}

/// Checks, before a password is sent, that the files can be changed and tokens can be
/// kept.
fn check_ready(found: &[FoundLogin], is_real: bool, logins: &mut Logins<'_>) -> Result<()> {
    let mut files: Vec<&ConfigFile> = Vec::new();
    for found in found.iter().filter(|f| matches!(f.way, Way::Exchange | Way::Move)) {
        files.extend(found.file().filter(|file| !files.contains(file)));
    }
    for file in &files {
        let place = file.check_writable()?;
        note_place(file, place, true, logins);
    }
    let takes_any = found.iter().any(|f| matches!(f.way, Way::Exchange | Way::Move));
    // All of them would fail alike; the fallback takes none of these.
    if is_real && takes_any { logins.ready_to_keep().map(drop) } else { Ok(()) }
}

fn source(from: &str, logins: &mut Logins<'_>) -> Result<Vec<FoundLogin>> {
    match from {
        "docker-config" => {
            let file = ConfigFile::of_docker()?;
            file.tidy()?;
            found_login::in_file(&file)
        }
        "podman" => {
            note_closed(logins);
            in_podmans_files()
        }
        name => {
            let name: HelperName =
                name.parse().map_err(|why| Error::new(Kind::Usage, format!("--from {why}")))?;
            if find_on_path(&name.to_string()).is_none() {
                return Err(Error::new(Kind::Usage, format!("--from: {name} is not on PATH"))
                    .hint("name docker-config, podman or a helper that is installed"));
            }
            found_login::in_helper(&name, logins)
        }
    }
}

/// The logins in podman's own files, from the last one that it reads to the first, so that the
/// first one's is kept last.
fn in_podmans_files() -> Result<Vec<FoundLogin>> {
    let docker = ConfigFile::of_docker()?;
    let mut found = Vec::new();
    for file in podman::files_read()?.iter().rev().filter(|file| file.path() != docker.path()) {
        file.tidy()?;
        found.extend(found_login::in_file(file)?);
    }
    Ok(found)
}

/// The token is kept before the password is removed: killed at any point, one of them is there.
fn one(
    found: &FoundLogin,
    clients: &Clients,
    lock: &ConfigureLock,
    logins: &mut Logins<'_>,
) -> Row {
    if let Way::Stays(_) | Way::Unusable(_) = found.way {
        return Row::planned(found);
    }
    let exchange = found.credentials(logins).and_then(|credentials| logins.exchange(credentials));
    let kept = exchange.and_then(|exchange| match exchange {
        Exchange::Done(login) => {
            let is_new = found.way != Way::Move && !login.is_personal();
            let done = if is_new { Outcome::Exchanged } else { Outcome::Moved };
            logins.keep_login(&login).map(|()| Ok(done))
        }
        Exchange::Impossible { why, .. } => Ok(Err(why)),
    });
    match kept {
        Err(error) => Row::new(found, Outcome::Failed, Some(error.to_string())),
        Ok(Err(why)) => Row::new(found, Outcome::Stays, Some(why.to_string())),
        Ok(Ok(done)) => removed(found, done, clients, lock, logins),
    }
}

fn print(rows: &[Row], first: &First, import: &Import, streams: &mut Streams<'_>) -> Result<()> {
    #[derive(Serialize)]
    struct Report<'a> {
        dry_run: bool,
        /// The lines that configure changed.
        #[serde(skip_serializing_if = "Option::is_none")]
        changes: Option<Vec<String>>,
        logins: &'a [Row],
    }
    if import.json {
        let changes = match first {
            First::Done(done) => Some(done.diff.lines()),
            First::Nothing | First::Planned(_) => None,
        };
        return streams.print_json(&Report { dry_run: !import.yes, changes, logins: rows });
    }
    if rows.is_empty() { Ok(()) } else { streams.print(&outcome::table(rows)) }
}
