//! Device authorization (RFC 8628): a person approves the login in a browser, and the token server is
//! asked until that is done.

use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::exchange::{ProvenToken, prove_issued};
use super::seconds::seconds;
use super::{Answer, Refusal, TokenResponse, TokenServer, error_code};
use crate::environment::PROGRAM;
use crate::error::{Error, Kind, Remedy, Result};
use crate::http::Body;
use crate::origin::{self, Origin, same_site};
use crate::progress;
use crate::realm::TrustedUrl;
use crate::secret::{DeviceCode, check_token};
use crate::text::{printable, shell_word};
use crate::trace;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Section 3.2.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
/// A server that says 0 is not asked without a pause.
const MIN_INTERVAL: Duration = Duration::from_secs(1);
/// Section 3.5.
const SLOW_DOWN: Duration = Duration::from_secs(5);
/// Nobody waits longer for a person.
const MAX_LIFETIME: Duration = Duration::from_secs(60 * 60);
/// So many failures of the network in a row are too many.
const MAX_FAILURES: u32 = 5;
const USER_CODE_CHARS: usize = 64;

/// A login that waits for a person.
pub struct DeviceLogin {
    code: DeviceCode,
    /// What they enter.
    pub user_code: String,
    /// Where they do that.
    pub page: Url,
    /// The same page with the code filled in.
    pub complete_page: Option<Url>,
    /// Whether the page is on the token server's own site.
    pub is_on_its_site: bool,
    interval: Duration,
    end: Instant,
}

/// What came of it.
pub struct DeviceToken {
    /// The refresh token, seen to work.
    pub token: ProvenToken,
    /// Whose it is, if the access token tells.
    pub account: Option<String>,
}

impl DeviceLogin {
    /// How long it can still be approved.
    pub fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Reads the answer of a token server; none if it is not one.
    fn read(body: &[u8], server: &Origin) -> Option<Self> {
        #[derive(Deserialize)]
        struct Members {
            device_code: DeviceCode,
            user_code: String,
            verification_uri: String,
            verification_uri_complete: Option<Value>,
            expires_in: Value,
            interval: Option<Value>,
        }
        let members: Members = serde_json::from_slice(body).ok()?;
        check_token(members.device_code.expose()).ok()?;
        let page = |named: &str| {
            let (url, origin) = origin::parse(named).ok()?;
            // Whoever changes the page on the way there could name a code of their own.
            (origin.https || !server.https).then_some((url, origin))
        };
        let (address, at) = page(&members.verification_uri)?;
        let complete = members.verification_uri_complete.as_ref().and_then(Value::as_str);
        let complete = complete.and_then(page).filter(|(_, origin)| *origin == at);
        let duration = |told: &Value| u64::try_from(seconds(told)?).map(Duration::from_secs).ok();
        let interval = members.interval.as_ref().and_then(duration);
        let user_code = printable(members.user_code.trim(), USER_CODE_CHARS);
        (!user_code.is_empty()).then_some(Self {
            code: members.device_code,
            user_code,
            page: address,
            complete_page: complete.map(|(url, _)| url),
            is_on_its_site: same_site(&at.host, &server.host),
            interval: interval.unwrap_or(DEFAULT_INTERVAL).max(MIN_INTERVAL),
            end: Instant::now() + duration(&members.expires_in)?.min(MAX_LIFETIME),
        })
    }
}

impl TokenServer<'_> {
    /// Asks for a code (section 3.1), without a scope, as everywhere.
    ///
    /// # Errors
    /// [`Kind::NoRefreshToken`] where this client may not log in so; network and TLS.
    pub fn start_device_login(&self, at: &TrustedUrl, client_id: &str) -> Result<DeviceLogin> {
        let mut form: Vec<_> = self.service().into_iter().collect();
        form.push(("client_id", client_id));
        let origin = self.endpoint.realm.origin();
        let failed =
            |f: crate::http::Failure| f.during(&format!("cannot start a login at {origin}"));
        let body = Body::Form(&form);
        let answer = self.http.send(at, &self.endpoint.trust, &body).map_err(failed)?;
        if answer.status == 200 {
            let content = answer.content().map_err(failed)?;
            return DeviceLogin::read(&content, origin).ok_or_else(|| {
                let fact = format!("{origin} answered with something that is not a device login");
                Error::new(Kind::Network, fact).hint("tell the operator of the registry")
            });
        }
        let code = answer.content().ok().and_then(|content| error_code(&content));
        let said =
            code.map_or_else(|| answer.describe(), |code| format!("{} {code}", answer.describe()));
        let fact = format!("{origin} refused to start a login in a browser ({said})");
        let refusal = Refusal { status: answer.status, code };
        Err(match answer.status {
            429 | 500.. => Error::new(Kind::Network, fact).try_again_later(),
            _ if refusal.is_trouble() => Error::new(Kind::Network, fact).try_again_later(),
            _ => self.not_for_this_client(fact),
        })
    }

    /// Asks until the person has approved (sections 3.4 and 3.5), and proves what comes. What goes
    /// wrong on the way is told to `note`, once.
    ///
    /// # Errors
    /// [`Kind::Rejected`] where it was denied, or the code is not accepted; [`Kind::Other`] where nobody approved it in time;
    /// [`Kind::NoRefreshToken`]; network and TLS.
    pub fn finish_device_login(
        &self,
        login: &DeviceLogin,
        client_id: &str,
        note: &mut dyn FnMut(&str),
    ) -> Result<DeviceToken> {
        let tokens = self.await_approval(login, client_id, note)?;
        let TokenResponse { refresh: Some(token), refresh_expires, account, .. } = tokens else {
            let fact = format!("{} issues no refresh tokens; nothing was stored", self.name());
            let check = format!("{PROGRAM} check {}", shell_word(&self.endpoint.registry));
            let remedy = Remedy::Run(check).when("to see what it offers");
            return Err(Error::new(Kind::NoRefreshToken, fact).remedy(remedy));
        };
        let token = prove_issued(self, token, refresh_expires, client_id)?;
        Ok(DeviceToken { token, account })
    }

    fn await_approval(
        &self,
        login: &DeviceLogin,
        client_id: &str,
        note: &mut dyn FnMut(&str),
    ) -> Result<TokenResponse> {
        let _waiting = progress::waiting_until(|| "the approval".to_owned(), login.end);
        let name = self.name();
        let late = || {
            let fact = format!("the login at {name} was not approved in time");
            Error::new(Kind::Other, fact).hint("run the command again for a new code")
        };
        let (mut interval, mut failures) = (login.interval, 0);
        loop {
            if interval >= login.left() {
                return Err(late());
            }
            thread::sleep(interval);
            let polled = match self.poll(login, client_id) {
                Ok(Answer::Refused(refusal)) if refusal.is_trouble() => {
                    Err(self.in_trouble(&refusal))
                }
                polled => polled,
            };
            let refusal = match polled {
                Ok(Answer::Tokens(tokens)) => return Ok(tokens),
                Ok(Answer::Refused(refusal)) => refusal,
                Err(error) if error.kind == Kind::Network && failures + 1 < MAX_FAILURES => {
                    if failures == 0 {
                        note(&format!("{}; still trying", error.fact));
                    }
                    failures += 1;
                    // Section 3.5: exponential back-off.
                    interval *= 2;
                    continue;
                }
                Err(error) => return Err(error),
            };
            failures = 0;
            match refusal.code {
                Some("authorization_pending") => {}
                Some("slow_down") => interval += SLOW_DOWN,
                Some("expired_token") => return Err(late()),
                Some("access_denied") => {
                    let fact = format!("the login at {name} was denied");
                    return Err(Error::new(Kind::Rejected, fact)
                        .hint("run the command again, and approve it in the browser"));
                }
                // RFC 6749 section 5.2: it is invalid, has expired, or is another client's.
                Some("invalid_grant") => {
                    let fact = format!("{name} no longer accepts the code ({refusal})");
                    return Err(Error::new(Kind::Rejected, fact)
                        .hint("run the command again for a new code"));
                }
                _ => {
                    let fact = format!("{name} refused the login in a browser ({refusal})");
                    return Err(self.not_for_this_client(fact));
                }
            }
        }
    }

    fn poll(&self, login: &DeviceLogin, client_id: &str) -> Result<Answer> {
        let mut form = vec![("grant_type", GRANT)];
        form.extend(self.service());
        form.extend([
            ("client_id", client_id),
            // As with a password: the token server's sign to issue a refresh token.
            ("access_type", "offline"),
            ("device_code", login.code.expose()),
        ]);
        trace::step(|| "token server: is the login approved?".to_owned());
        // Not the metadata's token endpoint: clients refresh at the realm.
        let url = self.endpoint.realm.trusted();
        let answer = self.http.send(url, &self.endpoint.trust, &Body::Form(&form));
        let answer = self.understand("log in", answer)?;
        self.readable(answer)
    }

    fn not_for_this_client(&self, fact: String) -> Error {
        let name = self.name();
        Error::new(Kind::NoRefreshToken, fact).hint(format!(
            "ask its operator for a client id that may, and set client_id under [registry.\"{name}\"]"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<DeviceLogin> {
        DeviceLogin::read(json.as_bytes(), &"https://auth.example.com".parse().unwrap())
    }

    const PAGE: &str = "https://auth.example.com/device";

    /// The example of section 3.2, and one with nothing that may be left out.
    #[test]
    fn answers_as_servers_write_them() {
        let login = read(&format!(
            r#"{{"device_code":"GmRh","user_code":"WDJB-MJHT","verification_uri":"{PAGE}","x":{{}},
                "verification_uri_complete":"{PAGE}?user_code=WDJB-MJHT","expires_in":1800,"interval":7}}"#
        ));
        let login = login.unwrap();
        assert_eq!((&login.user_code[..], login.page.as_str()), ("WDJB-MJHT", PAGE));
        assert_eq!(login.complete_page.unwrap().query(), Some("user_code=WDJB-MJHT"));
        assert!(login.is_on_its_site && login.interval == Duration::from_secs(7));
        let base = |more: &str| {
            read(&format!(
                r#"{{"device_code":"d","user_code":"u","verification_uri":"{PAGE}"{more}}}"#
            ))
        };
        let login = base(r#","expires_in":"600""#).unwrap();
        assert!(
            login.left() > Duration::from_secs(590) && login.left() <= Duration::from_secs(600)
        );
        assert!(login.interval == DEFAULT_INTERVAL && login.complete_page.is_none());
        assert!(base("").is_none(), "a code that never expires");
        for (interval, expected) in [("0", 1), ("null", 5), ("-1", 5), ("[]", 5), ("2.9", 2)] {
            let login = base(&format!(r#","expires_in":60,"interval":{interval}"#)).unwrap();
            assert_eq!(login.interval.as_secs(), expected, "{interval}");
        }
        // What no clock can add to its time.
        for absurd in ["1e12", "999999999999999", "9e18", "18446744073709551615", "1e300"] {
            let login = base(&format!(r#","expires_in":{absurd}"#));
            assert!(login.is_none_or(|login| login.left() <= MAX_LIFETIME), "{absurd}");
        }
        assert!(base(r#","expires_in":999999999999999"#).is_some());
    }

    #[test]
    fn a_page_without_tls_or_a_code_that_is_none_is_refused() {
        let of = |device: &str, user: &str, page: &str| {
            read(&format!(
                r#"{{"device_code":"{device}","user_code":"{user}","verification_uri":"{page}","expires_in":60}}"#
            ))
        };
        assert!(!of("d", "u", "https://login.example.net/device").unwrap().is_on_its_site);
        assert_eq!(of("d", "A\\u001b[2J", PAGE).unwrap().user_code, "A?[2J");
        for (device, user, page) in [
            ("", "u", PAGE),
            ("d\\n", "u", PAGE),
            ("d", " ", PAGE),
            ("d", "u", "http://auth.example.com/device"),
            ("d", "u", "/device"),
            ("d", "u", "file:///etc/passwd"),
            ("d", "u", "javascript://auth.example.com/x"),
            ("d", "u", "https://auth.example.com@evil.example/device"),
            ("d", "u", "https://auth.example.com/\\u001b[2J"),
        ] {
            assert!(of(device, user, page).is_none(), "{device} {user} {page}");
        }
        let elsewhere = format!(
            r#"{{"device_code":"d","user_code":"u","verification_uri":"{PAGE}","expires_in":60,
                "verification_uri_complete":"https://evil.example/device?user_code=u"}}"#
        );
        assert!(read(&elsewhere).unwrap().complete_page.is_none());
    }
}
