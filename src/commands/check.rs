//! `check`: what a registry asks for, and what logging in there would store, before any
//! configuration and without a password. With one it tries, keeps nothing, and revokes what it got.

use serde::Serialize;

use super::login::registry_of;
use super::streams::Streams;
use crate::cli::Check;
use crate::error::{Error, Kind, Result};
use crate::http::{Http, NETWORK_DEADLINE};
use crate::keychain::DEFAULT_PROFILE;
use crate::logins::{Exchange, Logins};
use crate::mint;
use crate::protocol::Credentials;
use crate::registry::{Registry, TokenEndpoint};
use crate::revocation::{Endpoint, Metadata};
use crate::secret::Password;
use crate::server_url::{DOCKER_HUB, ServerUrl};
use crate::settings::to_type;
use crate::text::{SERVER_TEXT_CHARS, printable, shell_word};
use crate::token::{Answer, TokenServer};
use crate::token_api::{Minting, TokenApi};
use crate::trace::redaction;

mod known;

use known::known;

const REFRESH_TOKEN: &str = "refresh token";
const AS_IT_IS: &str = "as it is";
const NOTHING: &str = "nothing";
const IF_ISSUED: &str = "refresh token, if the server issues one";
const MINTED: &str = "minted token";
const IF_ISSUED_OR_MINTED: &str = "refresh token, if the server issues one, or minted token";

/// All that was found out, and what follows from it.
#[derive(Default)]
struct Found {
    server: String,
    /// `bearer`, `basic` or `nothing`.
    asks_for: &'static str,
    realm: Option<String>,
    service: Option<String>,
    /// Why logins may not go there.
    refused: Option<String>,
    /// `yes`, `no` or `maybe`.
    oauth: Option<&'static str>,
    metadata: bool,
    revocation: Option<String>,
    device_flow: bool,
    /// By which API it makes tokens for its users.
    token_api: Option<TokenApi>,
    kind: Option<&'static str>,
    /// What would be kept of each.
    password: &'static str,
    personal_token: &'static str,
    entra_token: &'static str,
    next: String,
    /// What came of a login, where one was tried.
    tried: Option<Tried>,
}

/// One fact, for people and scripts alike.
#[derive(Serialize)]
#[serde(untagged)]
enum Fact {
    Text(Option<String>),
    Is(bool),
}

/// How far the APIs for tokens were tried (docs/registries.md).
const MOCK_ONLY: &str = "a mock server only";

struct Tried {
    kept: &'static str,
    why: Option<String>,
}

pub(super) fn run(check: &Check, logins: &mut Logins<'_>, streams: &mut Streams<'_>) -> Result<()> {
    let server = registry_of(check.server.as_deref().unwrap_or(DOCKER_HUB));
    let url = ServerUrl::parse(&server)?;
    let mut found = look(&url, logins)?;
    conclude(&mut found, &url, DEFAULT_PROFILE, logins);
    let mut outcome = Ok(());
    if let Some(username) = &check.username {
        let (username, secret) = (username.clone(), streams.piped_secret("password")?);
        let tried = attempt(Credentials { server_url: server, username, secret }, logins);
        found.tried = Some(tried.unwrap_or_else(|error| {
            let why = Some(error.to_string());
            outcome = Err(error);
            Tried { kept: NOTHING, why }
        }));
    }
    if check.json {
        streams.print_json(&Json(&found))?;
    } else {
        streams.print(&text(&found))?;
    }
    outcome
}

/// What to type to log in there, in the profile that is set.
pub(super) fn next_step(url: &ServerUrl, logins: &mut Logins<'_>) -> Result<String> {
    let profile = logins.settings.profile.clone();
    let mut found = look(url, logins)?;
    conclude(&mut found, url, &profile, logins);
    Ok(found.next)
}

/// Asks the registry and its token server; nothing secret is sent.
fn look(url: &ServerUrl, logins: &mut Logins<'_>) -> Result<Found> {
    let (settings, certs_d) = (logins.settings.clone(), logins.certs_d.clone());
    let mut registry = Registry::new(url, &settings, &certs_d)?;
    let http = Http::new(NETWORK_DEADLINE)?;
    let challenge = registry.challenge(&http);
    registry.notes().iter().for_each(|note| logins.note(note));
    let mut found = Found { server: url.registry_key().to_owned(), ..Found::default() };
    let challenge = match challenge {
        Ok(challenge) => challenge,
        Err(why) if why.kind == Kind::NoRefreshToken => {
            found.asks_for = if registry.offers_basic(&http)? { "basic" } else { "nothing" };
            return Ok(found);
        }
        Err(error) => return Err(error),
    };
    found.asks_for = "bearer";
    found.realm = Some(redaction::url_text(&challenge.realm));
    found.service = challenge.service.as_deref().map(|text| printable(text, SERVER_TEXT_CHARS));
    match registry.judge(challenge) {
        Ok(endpoint) => look_at(&endpoint, &http, url, logins, &mut found)?,
        Err(why) if why.kind == Kind::Trust => found.refused = Some(why.to_string()),
        Err(error) => return Err(error),
    }
    Ok(found)
}

fn look_at(
    endpoint: &TokenEndpoint,
    http: &Http,
    url: &ServerUrl,
    logins: &Logins<'_>,
    found: &mut Found,
) -> Result<()> {
    found.oauth = Some(match TokenServer::new(http, endpoint).ask_without_token()? {
        Answer::Tokens(_) => "no",
        Answer::Refused(no) if matches!(no.status, 404 | 405 | 501) => "no",
        Answer::Refused(no) if no.code == Some("unsupported_grant_type") => "no",
        Answer::Refused(no) if no.code.is_some() => "yes",
        Answer::Refused(_) => "maybe",
    });
    let realm = &endpoint.realm;
    let metadata = Metadata::fetch(http, realm.origin(), &endpoint.trust)?;
    found.metadata = metadata.is_some();
    let device = metadata.as_ref().and_then(|metadata| metadata.device_authorization.as_ref());
    found.device_flow = device.is_some_and(|endpoint| endpoint.is_ok());
    let own = logins.settings.registry(url);
    let revocation = match own.revocation_endpoint.as_deref() {
        None => metadata.and_then(|metadata| metadata.revocation),
        set => Endpoint::find(http, realm.origin(), &endpoint.trust, set)?,
    };
    found.revocation = revocation.map(|endpoint| redaction::url(endpoint.url()));
    let minting = match logins.settings.minting(url) {
        Minting::Off => Minting::Auto,
        set => set,
    };
    found.token_api = match mint::find(minting, endpoint, &logins.certs_d, http) {
        Err(too_old) if too_old.kind == Kind::NoRefreshToken => None,
        api => api?.map(|api| api.kind),
    };
    Ok(())
}

/// What this helper would do with each secret, and what to type.
fn conclude(found: &mut Found, url: &ServerUrl, profile: &str, logins: &Logins<'_>) {
    let path = found.realm.as_deref().and_then(|realm| url::Url::parse(realm).ok());
    let path = path.as_ref().map(url::Url::path).unwrap_or_default();
    let kind = known(url.registry_key(), path);
    found.kind = kind.as_ref().map(|kind| kind.name);
    let is_azure = path == "/oauth2/token";
    let may_go_there = found.asks_for == "bearer" && found.refused.is_none();
    let has_form = kind.as_ref().is_none_or(|kind| kind.has_form);
    let issues = kind.and_then(|kind| kind.issues).unwrap_or(found.oauth != Some("no"));
    let mints = found.token_api.is_some() && logins.settings.minting(url) != Minting::Off;
    found.password = match (may_go_there && issues, mints) {
        (true, false) => IF_ISSUED,
        (true, true) => IF_ISSUED_OR_MINTED,
        (false, true) => MINTED,
        (false, false) => NOTHING,
    };
    let is_checkable = may_go_there || found.asks_for == "basic";
    let keeps = is_checkable && has_form && logins.settings.keeps_personal_tokens(url);
    found.personal_token = match (may_go_there && issues, keeps) {
        (true, true) => "refresh token, or as it is",
        (true, false) => IF_ISSUED,
        (false, true) => AS_IT_IS,
        (false, false) => NOTHING,
    };
    found.entra_token = if may_go_there && is_azure { REFRESH_TOKEN } else { NOTHING };
    let server = shell_word(url.registry_key());
    let to_fallback = logins.settings.fallback_for(url).map(|fallback| {
        let login = to_type(profile, &format!("login {server}"));
        format!("{login} (the fallback, {}, keeps the password)", fallback.as_str())
    });
    found.next = match found.asks_for {
        "nothing" => "nothing: the registry asks for no login".to_owned(),
        _ if is_azure => to_type(profile, &format!("login --aad-token-stdin {server}")),
        _ if found.device_flow && may_go_there => {
            to_type(profile, &format!("login --web {server}"))
        }
        _ if found.password != NOTHING => to_type(profile, &format!("login {server}")),
        _ if found.refused.is_some() => {
            "trust the token server (see Refused), or do not log in here".to_owned()
        }
        _ if to_fallback.is_some() => to_fallback.unwrap_or_default(),
        _ if found.token_api.is_some() => format!(
            "docker-credential-refresh configure --registry {server} --mint auto --fallback none, \
             and log in"
        ),
        _ if keeps => to_type(profile, &format!("login {server}")),
        _ if !has_form => format!(
            "docker-credential-refresh configure --registry {server} --fallback NAME, for another \
             helper that keeps the password, and log in"
        ),
        _ => format!(
            "docker-credential-refresh configure --registry {server} --keep-tokens --fallback none, \
             and log in with a personal token"
        ),
    };
}

/// A login up to the point where it would be kept; what it got is revoked.
fn attempt(credentials: Credentials<Password>, logins: &mut Logins<'_>) -> Result<Tried> {
    if credentials.secret.expose().is_empty() {
        return Err(Error::new(Kind::Usage, "the password is empty")
            .hint("check that the variable or secret that holds it is set here"));
    }
    Ok(match logins.exchange(credentials)? {
        Exchange::Done(login) => {
            logins.give_up(&login);
            let kept = match &login {
                login if login.is_personal() => AS_IT_IS,
                login if login.is_minted() => MINTED,
                _ => REFRESH_TOKEN,
            };
            Tried { kept, why: None }
        }
        Exchange::Impossible { why, .. } => Tried { kept: NOTHING, why: Some(why.to_string()) },
    })
}

/// Each with its name in JSON and its name for people.
fn facts(found: &Found) -> [(&'static str, &'static str, Fact); 18] {
    let text = |text: &str| Fact::Text(Some(text.to_owned()));
    let word = |word: Option<&str>| Fact::Text(word.map(str::to_owned));
    let tried = found.tried.as_ref();
    [
        ("server", "Registry", text(&found.server)),
        ("kind", "Kind", word(found.kind)),
        ("asks_for", "Asks for", text(found.asks_for)),
        ("realm", "Realm", Fact::Text(found.realm.clone())),
        ("service", "Service", Fact::Text(found.service.clone())),
        ("refused", "Refused", Fact::Text(found.refused.clone())),
        ("oauth", "OAuth 2", word(found.oauth)),
        ("metadata", "Metadata", Fact::Is(found.metadata)),
        ("revocation", "Revocation", Fact::Text(found.revocation.clone())),
        ("device_flow", "Device flow", Fact::Is(found.device_flow)),
        ("token_api", "Token API", word(found.token_api.map(TokenApi::name))),
        ("token_api_tried_on", "Tried on", word(found.token_api.map(|_| MOCK_ONLY))),
        ("password", "With password", text(found.password)),
        ("personal_token", "With personal token", text(found.personal_token)),
        ("entra_token", "With Entra token", text(found.entra_token)),
        ("next", "Next", text(&found.next)),
        ("tried", "Tried", word(tried.map(|tried| tried.kept))),
        ("why", "Because", Fact::Text(tried.and_then(|tried| tried.why.clone()))),
    ]
}

struct Json<'a>(&'a Found);

impl Serialize for Json<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        to.collect_map(facts(self.0).map(|(key, _, fact)| (key, fact)))
    }
}

fn text(found: &Found) -> String {
    let mut lines = Vec::new();
    for (_, name, fact) in facts(found) {
        let value = match fact {
            Fact::Text(value) => value,
            // Of a token server alone.
            Fact::Is(is) => found.oauth.map(|_| if is { "yes" } else { "no" }.to_owned()),
        };
        if let Some(value) = value {
            lines.push(format!("{:<21}{}", format!("{name}:"), printable(&value, 2048)));
        }
    }
    lines.join("\n")
}
