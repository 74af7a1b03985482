//! The token server behind a registry: does it refresh, and can a token be revoked there.

use super::report::Report;
use crate::http::Http;
use crate::logins::Logins;
use crate::registry::TokenEndpoint;
use crate::revocation::Endpoint;
use crate::server_url::ServerUrl;
use crate::token::{Answer, TokenServer};
use crate::trace::redaction;

pub(super) fn check(
    url: &ServerUrl,
    logins: &Logins<'_>,
    http: &Http,
    endpoint: &TokenEndpoint,
    report: &mut Report,
) {
    offered(url, logins, http, endpoint, report);
    revocation(url, logins, http, endpoint, report);
}

/// Asks for a refresh without a token: nothing secret is sent, and no attempt to log in is made.
fn offered(
    url: &ServerUrl,
    logins: &Logins<'_>,
    http: &Http,
    endpoint: &TokenEndpoint,
    report: &mut Report,
) {
    match TokenServer::new(http, endpoint).ask_without_token() {
        Ok(Answer::Tokens(_)) => {
            let message =
                "the token server grants a refresh to anyone, without checking the refresh token";
            no_refresh_tokens("oauth", message, url, logins, report);
        }
        Ok(Answer::Refused(refusal))
            if matches!(refusal.status, 404 | 405 | 501)
                || refusal.code == Some("unsupported_grant_type") =>
        {
            let message = format!("the token server does not support refresh tokens ({refusal})");
            no_refresh_tokens("oauth", &message, url, logins, report);
        }
        Ok(Answer::Refused(refusal)) if refusal.code.is_some() => {
            report.ok(
                "oauth",
                format!("the token server speaks OAuth 2 ({refusal} without a token)"),
            );
        }
        // RFC 6749 would have named an error; registries' own servers often do not.
        Ok(Answer::Refused(refusal)) => report.ok(
            "oauth",
            format!(
                "the token server may support refresh tokens ({refusal} without one); a login will tell"
            ),
        ),
        Err(error) => report.network("oauth", &error, http),
    }
}

/// Logins there have nothing to keep here: they need another helper.
pub(super) fn no_refresh_tokens(
    check: &'static str,
    message: &str,
    url: &ServerUrl,
    logins: &Logins<'_>,
    report: &mut Report,
) {
    match logins.settings.fallback_for(url) {
        Some(name) => report.ok(check, format!("{message}; its logins go to the fallback {name}")),
        None if logins.settings.keeps_personal_tokens(url) => {
            report.ok(check, format!("{message}; its personal tokens are kept as they are"));
        }
        None => {
            let remedy = "docker-credential-refresh configure --fallback NAME hands logins there to \
                          another helper; with --keep-tokens, personal tokens, such as GitHub's and \
                          GitLab's, are kept here";
            report.warn(check, message, remedy);
        }
    }
}

fn revocation(
    url: &ServerUrl,
    logins: &Logins<'_>,
    http: &Http,
    endpoint: &TokenEndpoint,
    report: &mut Report,
) {
    let own = logins.settings.registry(url);
    let configured = own.revocation_endpoint.as_deref();
    let from = if configured.is_some() { "the settings name" } else { "the metadata names" };
    match Endpoint::find(http, endpoint.realm.origin(), &endpoint.trust, configured) {
        Ok(Some(known)) => {
            report.ok("revocation", format!("{from} {}", redaction::url(known.url())));
        }
        Ok(None) => report.warn(
            "revocation",
            "the token server has no metadata that names a revocation endpoint",
            "set revocation_endpoint if there is one; otherwise, revoke tokens at the registry",
        ),
        Err(error) => report.network("revocation", &error, http),
    }
}
