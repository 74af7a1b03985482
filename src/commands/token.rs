//! `token`: a fresh access token, alone on stdout.

use std::fmt::Display;

use serde::Serialize;
use zeroize::Zeroizing;

use super::streams::Streams;
use crate::cli::Token;
use crate::error::{Error, Kind, Result};
use crate::logins::{Checked, Logins};
use crate::scope::Scope;
use crate::server_url::{DOCKER_HUB, ServerUrl};
use crate::text::{SERVER_TEXT_CHARS, printable};

pub(super) fn run(token: &Token, logins: &mut Logins<'_>, streams: &mut Streams<'_>) -> Result<()> {
    let asked = asked(token)?;
    let found = logins.find_login(&token.server);
    let record = logins.or_elsewhere(&token.server, found)?;
    let granted = logins.refresh(&record, &asked);
    // Said by status, too; that a login works is of interest where the opposite was seen before.
    let seen = Checked::of(&record, granted.as_ref().map(|granted| granted.account.as_deref()));
    if let Some(seen) = seen.filter(|seen| seen.is_news()) {
        // The answer counts, and not whether it is remembered.
        let _unremembered = logins.remember(&[seen]);
    }
    let granted = granted?;
    let missing = granted.missing(&asked);
    if !missing.is_empty() && !token.allow_partial {
        let message = format!("{} did not grant {}", record.server_url, Scope::join(&missing));
        return Err(Error::new(Kind::Other, printable(&message, 1000))
            .hint("ask the owner for access, or accept less with --allow-partial"));
    }
    let access = granted.access.as_ref().map(|access| access.expose()).unwrap_or_default();
    if token.header {
        return streams.print(&Zeroizing::new(format!("Authorization: Bearer {access}")));
    }
    if !token.json {
        return streams.print(access);
    }
    #[derive(Serialize)]
    struct Answer<'a> {
        token: &'a str,
        expires_in: u64,
        issued_at: String,
        scope: String,
    }
    let answer = Answer {
        token: access,
        expires_in: granted.expires_in,
        issued_at: format!("{:.0}", granted.issued_at),
        scope: Scope::join(granted.scopes.as_ref().unwrap_or(&asked)),
    };
    streams.print_json(&answer)
}

/// What `--scope`, `--pull` and `--push` ask for together.
fn asked(token: &Token) -> Result<Vec<Scope>> {
    fn read<E: Display>(text: &str, scope: std::result::Result<Scope, E>) -> Result<Scope> {
        let shown = printable(text, SERVER_TEXT_CHARS);
        scope.map_err(|why| Error::new(Kind::Usage, format!("{shown} {why}")))
    }
    let on_docker_hub =
        ServerUrl::parse(&token.server).is_ok_and(|url| url.registry_key() == DOCKER_HUB);
    let repository = |name: &String, actions: &[&str]| {
        // Docker's own spelling of `alpine`.
        let full = if on_docker_hub && !name.contains('/') { "library/" } else { "" };
        read(name, Scope::repository(&format!("{full}{name}"), actions))
    };
    let words = token.scope.iter().flat_map(|text| text.split(' '));
    let scopes = words.map(|text| read(text, text.parse()));
    let pull = token.pull.iter().map(|name| repository(name, &["pull"]));
    let push = token.push.iter().map(|name| repository(name, &["pull", "push"]));
    scopes.chain(pull).chain(push).collect::<Result<_>>().map(Scope::merged)
}
