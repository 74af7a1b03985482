//! Device authorization (RFC 8628): the codes, the page where a person approves, and the grant.

use std::time::{Duration, Instant};

use serde_json::{Map, json};

use super::errors::{oauth_error, registry_error};
use super::journal::{Origin, hash};
use super::policy::Verdict;
use super::random;
use super::shared::{Config, Shared, lock};
use super::token_endpoint::success;
use super::wire::{Answer, Incoming};

pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// The device authorization endpoint.
pub const PATH: &str = "/device_authorization";
/// The verification page.
pub const PAGE: &str = "/device";

/// How a server does it.
#[derive(Clone, Debug)]
pub struct DeviceFlow {
    /// `interval` in seconds; left out where there is none, which means 5.
    pub interval: Option<u64>,
    /// `expires_in`.
    pub expires_in: Duration,
    /// Whether the token comes with a refresh token.
    pub refresh: bool,
    /// Who approves each login as soon as it begins, if anybody.
    pub approver: Option<&'static str>,
}

impl Default for DeviceFlow {
    fn default() -> Self {
        Self { interval: None, expires_in: Duration::from_secs(900), refresh: true, approver: None }
    }
}

/// What a person decided.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Decision {
    Pending,
    Denied,
    Approved(String),
}

struct Code {
    device_code: String,
    user_code: String,
    client_id: String,
    service: String,
    end: Instant,
    interval: Duration,
    polled: Option<Instant>,
    decision: Decision,
}

/// The codes that were given out and not used up.
#[derive(Default)]
pub struct Codes(Vec<Code>);

impl Codes {
    /// Notes what a person decided; whether there is such a code.
    pub fn decide(&mut self, user_code: &str, account: Option<&str>) -> bool {
        let is_it = |code: &&mut Code| code.user_code == user_code && Instant::now() < code.end;
        let Some(code) = self.0.iter_mut().find(is_it) else { return false };
        code.decision = account.map_or(Decision::Denied, |name| Decision::Approved(name.into()));
        true
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// Answers `POST /device_authorization` (section 3.2).
pub fn authorize(shared: &Shared, flow: &DeviceFlow, request: &Incoming) -> Answer {
    let Some(client_id) = request.form("client_id").filter(|id| !id.is_empty()) else {
        return oauth_error(400, "invalid_request", "missing client_id value");
    };
    let service = shared.config().service.clone();
    let code = Code {
        device_code: random::text(40),
        user_code: user_code(),
        client_id: client_id.to_owned(),
        service: request.form("service").unwrap_or(&service).to_owned(),
        end: Instant::now() + flow.expires_in,
        interval: Duration::from_secs(flow.interval.unwrap_or(5)),
        polled: None,
        decision: flow.approver.map_or(Decision::Pending, |name| Decision::Approved(name.into())),
    };
    let page = format!("{}{PAGE}", shared.origin(Origin::Token));
    let mut body = json!({
        "device_code": code.device_code,
        "user_code": code.user_code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={}", code.user_code),
        "expires_in": flow.expires_in.as_secs(),
    });
    if let Some(interval) = flow.interval {
        body["interval"] = json!(interval);
    }
    lock(&shared.device_codes).0.push(code);
    Answer::json(200, &body)
}

/// Eight consonants (section 6.1): no words, and no letters that are taken for others.
fn user_code() -> String {
    const ALPHABET: &[u8; 16] = b"BCDFGHJKLMNPQRST";
    let letter = |c: char| char::from(ALPHABET[c as usize % ALPHABET.len()]);
    let letters: String = random::text(8).chars().map(letter).collect();
    format!("{}-{}", &letters[..4], &letters[4..])
}

/// `GET /device`: the page; `POST /device`: `user_code`, `username`, `password`, and `deny` for no.
pub fn page(shared: &Shared, request: &Incoming) -> Answer {
    if request.method == "GET" {
        // What is asked for goes into the page only if it is a code.
        let asked = request.query("user_code").unwrap_or_default();
        let is_code = asked.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
        let html = format!(
            "<!doctype html><title>Log in</title><form method=post><input name=user_code value=\"{}\">\
             <input name=username><input name=password type=password>\
             <button>Approve</button> <button name=deny value=1>Deny</button></form>\n",
            if is_code { asked } else { "" }
        );
        return Answer::text(200, &html).replace("Content-Type", "text/html; charset=utf-8");
    }
    let field = |name| request.form(name).unwrap_or_default();
    let user = field("username");
    let known = shared.config().users.check(user, field("password"));
    if !matches!(known, Verdict::Password | Verdict::ApiToken) {
        return registry_error(401, "UNAUTHORIZED", "authentication required", "");
    }
    let account = request.form("deny").is_none().then_some(user);
    match lock(&shared.device_codes).decide(field("user_code"), account) {
        true => Answer::text(200, "Done; you may close this page\n"),
        false => Answer::text(404, "There is no such code\n"),
    }
}

/// The grant at the token endpoint (section 3.4).
pub fn grant(shared: &Shared, config: &Config, flow: &DeviceFlow, request: &Incoming) -> Answer {
    let given = request.form("device_code").unwrap_or_default();
    let client_id = request.form("client_id").unwrap_or_default();
    let mut codes = lock(&shared.device_codes);
    let refused = |error: &str| oauth_error(400, error, "see RFC 8628, section 3.5");
    let is_it = |code: &Code| hash(&code.device_code) == hash(given) && code.client_id == client_id;
    let Some(at) = codes.0.iter().position(is_it) else { return refused("invalid_grant") };
    let now = Instant::now();
    if now >= codes.0[at].end {
        codes.0.remove(at);
        return refused("expired_token");
    }
    let code = &mut codes.0[at];
    let since = code.polled.replace(now).map(|before| now - before);
    match code.decision.clone() {
        // A little early is no offence: clocks differ.
        Decision::Pending
            if since.is_some_and(|s| s + Duration::from_millis(100) < code.interval) =>
        {
            code.interval += Duration::from_secs(5);
            refused("slow_down")
        }
        Decision::Pending => refused("authorization_pending"),
        Decision::Denied => {
            codes.0.remove(at);
            refused("access_denied")
        }
        Decision::Approved(account) => {
            let service = codes.0.remove(at).service;
            let token = shared.issue_access_token(&account, &service, &[]);
            let mut body = Map::new();
            body.insert("access_token".into(), token.into());
            if flow.refresh && request.form("access_type") == Some("offline") {
                let refresh = shared.issue_refresh_token(&account, &service, client_id);
                body.insert("refresh_token".into(), refresh.into());
            }
            success(shared, config, body)
        }
    }
}
