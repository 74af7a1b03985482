//! `import`: exchanges passwords that lie about, and only then removes them.

use serde::Serialize;

use super::clients::found_login::{self, FoundLogin, Way};
use super::clients::{note_closed, registries};
use super::streams::Streams;
use crate::cli::Import;
use crate::docker_config::ConfigFile;
use crate::error::{Error, Kind, Result};
use crate::external_helper::{HelperName, find_on_path};
use crate::logins::Logins;
use crate::logins::store::Exchange;

mod outcome;

use outcome::{Outcome, Row};

pub(super) fn run(
    import: &Import,
    logins: &mut Logins<'_>,
    streams: &mut Streams<'_>,
) -> Result<()> {
    let wanted = registries(&import.registry)?;
    let mut found = source(&import.from, logins)?;
    if !wanted.is_empty() {
        found.retain(|found| found.registry().is_some_and(|name| wanted.contains(&name)));
    }
    let mut rows = Vec::new();
    for found in &found {
        let row = if import.yes { one(found, logins) } else { Row::planned(found) };
        if import.yes || row.outcome == Outcome::Stays {
            logins.note(&row.sentence());
        }
        rows.push(row);
    }
    print(&rows, import, streams)?;
    if found.is_empty() {
        let of = match &import.registry[..] {
            [] => String::new(),
            named => format!(" for {}", named.join(", ")),
        };
        logins.note(&format!("no login{of} lies in {}", import.from));
    } else if !import.yes {
        logins.note("nothing was changed; add --yes to do it");
    }
    let failed = rows.iter().filter(|row| row.outcome == Outcome::Failed).count();
    if failed > 0 {
        let message = format!("{failed} of {} logins could not be imported", rows.len());
        return Err(Error::new(Kind::Other, message)
            .hint("each of them is where it was; import may be repeated"));
    }
    Ok(())
}

fn source(from: &str, logins: &mut Logins<'_>) -> Result<Vec<FoundLogin>> {
    match from {
        "docker-config" => found_login::in_file(&ConfigFile::of_docker()?),
        "podman" => {
            note_closed(logins);
            found_login::in_auth_files()
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

/// The token is kept before the password is removed: killed at any point, there is always one.
fn one(found: &FoundLogin, logins: &mut Logins<'_>) -> Row {
    if let Way::Stays(_) = found.way {
        return Row::planned(found);
    }
    let exchange = found.credentials(logins).and_then(|credentials| logins.exchange(&credentials));
    let kept = exchange.and_then(|exchange| match exchange {
        Exchange::Done(exchanged) => logins.keep_exchanged(&exchanged).map(|()| None),
        Exchange::Impossible(why) => Ok(Some(why)),
    });
    match kept {
        Err(error) => Row::new(found, Outcome::Failed, Some(error.to_string())),
        Ok(Some(why)) => Row::new(found, Outcome::Stays, Some(why.to_string())),
        Ok(None) => removed(found, logins),
    }
}

fn removed(found: &FoundLogin, logins: &Logins<'_>) -> Row {
    let why = match found.remove(logins) {
        Ok(true) => {
            let done = if found.way == Way::Move { Outcome::Moved } else { Outcome::Exchanged };
            return Row::new(found, done, None);
        }
        Ok(false) => "its token is kept, but another login came there meanwhile".to_owned(),
        Err(error) => format!("its token is kept, but the password is still there: {error}"),
    };
    Row::new(found, Outcome::Failed, Some(why))
}

fn print(rows: &[Row], import: &Import, streams: &mut Streams<'_>) -> Result<()> {
    #[derive(Serialize)]
    struct Report<'a> {
        dry_run: bool,
        logins: &'a [Row],
    }
    if import.json {
        return streams.print_json(&Report { dry_run: !import.yes, logins: rows });
    }
    if rows.is_empty() { Ok(()) } else { streams.print(&outcome::table(rows)) }
}
