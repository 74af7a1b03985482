//! `doctor`: everything that has to be right for a login to work, each with the remedy.
//!
//! Names, paths, hosts and modes are shown; never a secret, a file's content or the environment.

use super::streams::Streams;
use crate::cli::Doctor;
use crate::error::{Error, Kind, Result};
use crate::logins::Logins;

mod auth_file;
mod docker;
mod files;
mod keychains;
mod oauth;
mod path;
mod podman;
mod records;
mod renew;
mod report;
mod server;
mod system;

use report::{LATER, Report};

pub(super) fn run(
    doctor: &Doctor,
    logins: &mut Logins<'_>,
    streams: &mut Streams<'_>,
) -> Result<()> {
    let mut report = Report::default();
    let server = doctor.server.as_deref().map(server::parse).transpose()?;
    system::check(&mut report);
    if let Some(error) = &logins.settings.broken {
        report.error("settings", error, "correct or remove it");
    }
    for unknown in &logins.settings.warnings {
        report.error("settings", &unknown.refused(), LATER);
    }
    system::fallbacks(logins, &mut report);
    path::check(&logins.settings, &mut report);
    renew::check(&logins.settings, &mut report);
    files::check(logins, &mut report);
    docker::check(server.as_ref(), logins, &mut report);
    podman::check(logins, &mut report);
    let unread = keychains::check(logins, &mut report);
    records::check(server.as_ref(), &unread, logins, &mut report);
    if let Some(url) = server {
        let failed = report.failed();
        server::check(&url, logins, &mut report)?;
        // A registry that is out of reach cannot be asked for a token either.
        let reached = report.failed() == failed;
        records::of_server(&url, reached, logins, &mut report);
    }
    if doctor.json {
        streams.print_json(&report.json())?;
    } else {
        streams.print(&report.text(streams.colour))?;
    }
    match report.failed() {
        0 => Ok(()),
        1 => Err(Error::new(Kind::Other, "1 check failed")),
        failed => Err(Error::new(Kind::Other, format!("{failed} checks failed"))),
    }
}
