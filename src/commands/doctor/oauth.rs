//! The token server behind a registry: does it refresh, and can a token be revoked there.

use super::report::{LATER, Report};
use crate::http::Http;
use crate::logins::Logins;
use crate::mint;
use crate::registry::TokenEndpoint;
use crate::revocation::Endpoint;
use crate::server_url::ServerUrl;
use crate::text::shell_word;
use crate::token::{Answer, TokenServer};
use crate::token_api::{Minting, TokenApi};
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
    let token_api = || {
        // What cannot be found out is not offered.
        let api = mint::find(Minting::Auto, endpoint, &logins.certs_d, http).ok().flatten();
        api.map(|api| api.kind)
    };
    match TokenServer::new(http, endpoint).ask_without_token() {
        Ok(Answer::Tokens(_)) => {
            let message =
                "the token server grants a refresh to anyone, without checking the refresh token";
            no_refresh_tokens("oauth", message, url, logins, token_api(), report);
        }
        Ok(Answer::Refused(refusal))
            if matches!(refusal.status, 404 | 405 | 501)
                || refusal.code == Some("unsupported_grant_type") =>
        {
            let message = format!("the token server does not support refresh tokens ({refusal})");
            no_refresh_tokens("oauth", &message, url, logins, token_api(), report);
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
        Err(error) => report.error("oauth", &error, LATER),
    }
}

/// Logins there have nothing to keep here: they need another helper.
pub(super) fn no_refresh_tokens(
    check: &'static str,
    message: &str,
    url: &ServerUrl,
    logins: &Logins<'_>,
    token_api: Option<TokenApi>,
    report: &mut Report,
) {
    const FALLBACK: &str = "run docker-credential-refresh configure --fallback NAME to use another \
                            helper for it, or add --keep-tokens to store personal tokens, such as \
                            GitHub's and GitLab's";
    let is_set = logins.settings.minting(url) != Minting::Off;
    match (token_api.filter(|_| is_set), token_api, logins.settings.fallback_for(url)) {
        (Some(api), ..) => report.ok(
            check,
            format!("{message}; the API of {api} makes a token in the place of the password"),
        ),
        (None, _, Some(name)) => {
            report.ok(check, format!("{message}; its logins go to the fallback {name}"));
        }
        (None, _, None) if logins.settings.keeps_personal_tokens(url) => {
            report.ok(check, format!("{message}; its personal tokens are kept as they are"));
        }
        (None, Some(api), None) => {
            let name = shell_word(url.registry_key());
            report.warn(
                check,
                format!("{message}, but its {api} API can make tokens"),
                format!(
                    "to have one made from the password, run: docker-credential-refresh configure \
                     --registry {name} --mint auto --fallback none"
                ),
            );
        }
        (None, None, None) => report.warn(check, message, FALLBACK),
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
        // Logins work all the same: it is not among the first things to do.
        Ok(None) => report.skip(
            "revocation",
            "the token server has no metadata that names a revocation endpoint",
            "set revocation_endpoint if there is one; otherwise, revoke tokens at the registry",
        ),
        Err(error) => report.error("revocation", &error, LATER),
    }
}
