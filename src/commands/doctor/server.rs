//! One registry: can it be reached, what does it ask for, may logins go where it sends them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::oauth;
use super::report::Report;
use crate::error::{Error, Kind, Result};
use crate::http::Http;
use crate::logins::Logins;
use crate::registry::Registry;
use crate::server_url::{DOCKER_HUB, ServerUrl};
use crate::text::{SERVER_TEXT_CHARS, printable};
use crate::trace::redaction;

const NETWORK_DEADLINE: Duration = Duration::from_secs(30);
/// Tokens are issued and end by the clock; servers forgive about a minute.
const CLOCK_WARN: SignedDuration = SignedDuration::from_secs(60);
const CLOCK_FAIL: SignedDuration = SignedDuration::from_secs(600);

pub(super) fn parse(server: &str) -> Result<ServerUrl> {
    ServerUrl::parse(server)
        .map_err(|why| Error::new(Kind::Usage, format!("the server URL {why}")))
        .and_then(|url| match url.registry() {
            Some(_) => Ok(url),
            None => Err(Error::new(Kind::Usage, "this server URL is not a registry's")
                .hint(format!("ask for {DOCKER_HUB}"))),
        })
}

pub(super) fn check(url: &ServerUrl, logins: &Logins<'_>, report: &mut Report) -> Result<()> {
    proxies(report);
    let mut registry = match Registry::new(url, &logins.settings, &logins.certs_d) {
        Ok(registry) => registry,
        Err(error) => {
            fail("certificates", &error, &[], report);
            return Ok(());
        }
    };
    let http = Http::new(NETWORK_DEADLINE)?;
    let name = url.registry_key();
    let answer = registry.challenge(&http);
    clock(&http, report);
    let challenge = match answer {
        Ok(challenge) => challenge,
        Err(error) if error.kind == Kind::NoRefreshToken => {
            let remedy = "name a fallback helper for such logins, in the setting fallback";
            report.warn("registry", error.fact, remedy);
            return Ok(());
        }
        Err(error) => {
            fail("registry", &error, &http.last_failure(), report);
            return Ok(());
        }
    };
    let mut asks = format!("{name} asks for a token of {}", redaction::url_text(&challenge.realm));
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
        Err(error) => fail("realm", &error, &[], report),
    }
    Ok(())
}

/// An error with all its causes, so that nobody has to guess.
pub(super) fn fail(check: &'static str, error: &Error, causes: &[String], report: &mut Report) {
    let mut error = error.clone();
    if !causes.is_empty() {
        error.fact.push_str(&format!(" (causes: {})", causes.join(": ")));
    }
    report.error(check, &error, "try again later");
}

fn clock(http: &Http, report: &mut Report) {
    let Some(theirs) = http.server_time() else {
        report.skip("clock", "the server told no time", "compare it with another one yourself");
        return;
    };
    let off = Timestamp::now().duration_since(theirs).abs();
    let message = format!("it differs from the server's by {} s", off.as_secs());
    let remedy = "set the clock (timedatectl set-ntp true), or tell the server's operator";
    if off >= CLOCK_FAIL {
        report.fail("clock", message, remedy);
    } else if off >= CLOCK_WARN {
        report.warn("clock", message, remedy);
    } else {
        report.ok("clock", message);
    }
}

/// Which variables the HTTP client reads, and the proxy's host: its URL may hold a password.
fn proxies(report: &mut Report) {
    let mut used = Vec::new();
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"]
    {
        let Ok(value) = std::env::var(name) else { continue };
        if value.is_empty() {
            continue;
        }
        let text = if value.contains("://") { value } else { format!("http://{value}") };
        let proxy = url::Url::parse(&text).ok();
        let host = proxy.as_ref().and_then(|proxy| proxy.host_str()).unwrap_or("no valid URL");
        let port = proxy.as_ref().and_then(|proxy| proxy.port()).map(|port| format!(":{port}"));
        used.push(format!("{name} {host}{}", port.unwrap_or_default()));
    }
    let except = ["NO_PROXY", "no_proxy"].iter().any(|name| std::env::var_os(name).is_some());
    if used.is_empty() {
        report.ok("proxy", "none is set");
    } else {
        let except = if except { "; NO_PROXY is set as well" } else { "" };
        report.ok("proxy", format!("{}{except}", used.join(", ")));
    }
}
