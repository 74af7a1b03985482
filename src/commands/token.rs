//! `token`: a fresh access token, alone on stdout.

use serde::Serialize;

use super::Streams;
use crate::cli::Token;
use crate::error::{Error, Kind, Result};
use crate::logins::Logins;
use crate::logins::refresh::not_granted;
use crate::scope::Scope;
use crate::text::{SERVER_TEXT_CHARS, printable};

pub(super) fn run(token: &Token, logins: &mut Logins<'_>, streams: &mut Streams<'_>) -> Result<()> {
    let asked: Vec<Scope> = token
        .scope
        .iter()
        .flat_map(|text| text.split(' '))
        .map(|text| {
            let shown = printable(text, SERVER_TEXT_CHARS);
            text.parse().map_err(|why| Error::new(Kind::Usage, format!("{shown} {why}")))
        })
        .collect::<Result<_>>()?;
    let record = logins.find_login(&token.server)?;
    let granted = logins.refresh(&record, &asked)?;
    let missing = not_granted(&asked, &granted);
    if !missing.is_empty() && !token.allow_partial {
        let missing = missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let message = format!("{} did not grant {missing}", record.server_url);
        return Err(Error::new(Kind::Other, printable(&message, 1000))
            .hint("ask the owner for access, or take what there is with --allow-partial"));
    }
    let access = granted.access.as_ref().map(|access| access.expose()).unwrap_or_default();
    if token.header {
        return streams.print(&format!("Authorization: Bearer {access}"));
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
    let scope = granted
        .scope
        .clone()
        .unwrap_or_else(|| asked.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
    let answer = Answer {
        token: access,
        expires_in: granted.expires_in,
        issued_at: format!("{:.0}", granted.issued_at),
        scope,
    };
    let json = serde_json::to_string(&answer)
        .map_err(|e| Error::new(Kind::Other, format!("cannot write JSON: {e}")))?;
    streams.print(&json)
}
