//! One registry: can it be reached, what does it ask for, may logins go where it sends them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::oauth;
use super::report::{LATER, Report};
use crate::error::{Error, Kind, Result};
use crate::http::Http;
use crate::http::proxy::Proxies;
use crate::logins::Logins;
use crate::origin::Origin;
use crate::registry::Registry;
use crate::server_url::{DOCKER_HUB, ServerUrl};
use crate::text::span::{MINUTE, span};
use crate::text::{SERVER_TEXT_CHARS, printable};
use crate::trace::redaction;

const NETWORK_DEADLINE: Duration = Duration::from_secs(30);
/// Tokens are issued and expire by the clock; servers tolerate about a minute.
const CLOCK_WARN: SignedDuration = SignedDuration::from_secs(60);
const CLOCK_FAIL: SignedDuration = SignedDuration::from_secs(600);

pub(super) fn parse(server: &str) -> Result<ServerUrl> {
    ServerUrl::parse(server).map_err(Error::from).and_then(|url| match url.registry() {
        Some(_) => Ok(url),
        None => Err(Error::new(Kind::Usage, "this server URL is not that of a registry")
            .hint(format!("ask for {DOCKER_HUB}"))),
    })
}

pub(super) fn check(url: &ServerUrl, logins: &Logins<'_>, report: &mut Report) -> Result<()> {
    proxies(url, report);
    let mut registry = match Registry::new(url, &logins.settings, &logins.certs_d) {
        Ok(registry) => registry,
        Err(error) => {
            report.error("certificates", &error, LATER);
            return Ok(());
        }
    };
    let http = Http::new(NETWORK_DEADLINE)?;
    let name = url.registry_key();
    let answer = registry.challenge(&http);
    // Of one that was not reached there is nothing to say.
    if answer.is_ok() || http.server_time().is_some() {
        clock(&http, report);
    }
    for note in registry.notes() {
        report.warn("certificates", note.clone(), "make it readable, if it is needed");
    }
    let challenge = match answer {
        Ok(challenge) => challenge,
        Err(error) if error.kind == Kind::NoRefreshToken => {
            oauth::no_refresh_tokens("registry", &error.fact, url, logins, None, report);
            return Ok(());
        }
        Err(error) => {
            report.error("registry", &error, LATER);
            return Ok(());
        }
    };
    let mut asks =
        format!("{name} asks for a token from {}", redaction::url_text(&challenge.realm));
    for (what, value) in [("service", &challenge.service), ("scope", &challenge.scope)] {
        if let Some(value) = value {
            asks.push_str(&format!(", {what} {}", printable(value, SERVER_TEXT_CHARS)));
        }
    }
    report.ok("registry", asks);
    match registry.judge(challenge) {
        Ok(endpoint) => {
            let why =
                if endpoint.realm.is_same_site() { "on its site" } else { "trusted by a setting" };
            report
                .ok("realm", format!("logins for {name} go to {}, {why}", endpoint.realm.origin()));
            oauth::check(url, logins, &http, &endpoint, report);
        }
        Err(error) => report.error("realm", &error, LATER),
    }
    Ok(())
}

fn clock(http: &Http, report: &mut Report) {
    let Some(theirs) = http.server_time() else {
        report.skip(
            "clock",
            "the server did not send its time",
            "compare this clock with another one",
        );
        return;
    };
    let off = Timestamp::now().duration_since(theirs).abs();
    let seconds = off.as_secs();
    let by = match seconds < 2 * MINUTE {
        true => format!("{seconds} s"),
        false => format!("about {}", span(seconds)),
    };
    let message = format!("it differs from the server's by {by}");
    let remedy = "set the clock (timedatectl set-ntp true), or tell the server's operator";
    if off >= CLOCK_FAIL {
        report.fail("clock", message, remedy);
    } else if off >= CLOCK_WARN {
        report.warn("clock", message, remedy);
    } else {
        report.ok("clock", message);
    }
}

/// Which proxies are set, without their passwords, and whether this registry is reached through one.
fn proxies(url: &ServerUrl, report: &mut Report) {
    let set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let proxies = Proxies::of_environment();
    let mut facts = Vec::new();
    for proxy in proxies.all() {
        match proxy {
            Ok(proxy) => facts.push(format!("{} {proxy}", proxy.variable)),
            Err(why) => {
                report.fail("proxy", why.to_string(), "correct that variable, or unset it");
                return;
            }
        }
    }
    let is_set = !facts.is_empty();
    let more = [("NO_PROXY", " is set as well"), ("no_proxy", " is set as well")];
    facts.extend(
        more.iter().find(|(name, _)| is_set && set(name)).map(|(n, is)| format!("{n}{is}")),
    );
    let unread = ["ALL_PROXY", "all_proxy"].into_iter().find(set);
    facts
        .extend(unread.map(|name| format!("{name} is not read, nor do docker and podman read it")));
    let registry = url
        .registry()
        .and_then(|(host, port)| Url::parse(&Origin { https: true, host, port }.to_string()).ok());
    if let Some(Ok(None)) = registry.filter(|_| is_set).map(|registry| proxies.of(&registry)) {
        facts.push(format!("{} is reached without one", url.registry_key()));
    }
    report.ok("proxy", if facts.is_empty() { "none is set".to_owned() } else { facts.join("; ") });
}
