//! HTTP as far as the exchange needs it: no redirects, capped answers, deadlines, one client per
//! set of trusted certificates.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use url::Url;
use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};
use crate::progress;
use crate::realm::TrustedUrl;
use crate::trace;

use super::body::{Body, describe};
use super::failure::{Failure, classify};
use super::proxy::{Proxies, Proxy};
use super::roots::Roots;
use super::trust::Trust;

/// All network of one `store`, or of one command for one login.
pub const NETWORK_DEADLINE: Duration = Duration::from_secs(30);
/// For one attempt in passing: a logout stays quick.
pub const QUICK_DEADLINE: Duration = Duration::from_secs(5);
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
const REQUEST_DEADLINE: Duration = Duration::from_secs(15);
pub(super) const MAX_BODY_BYTES: usize = 1024 * 1024;
const MAX_HEADER_BYTES: usize = 64 * 1024;
const USER_AGENT: &str = concat!("docker-credential-refresh/", env!("CARGO_PKG_VERSION"));
/// Pauses before another try where nothing can have arrived.
const BACK_OFF: [Duration; 2] = [Duration::from_millis(250), Duration::from_millis(750)];

/// All network of one operation, inside one deadline. The clock stops between requests,
/// where a person may be asked to unlock a keychain.
pub struct Http {
    runtime: Option<tokio::runtime::Runtime>,
    left: Cell<Duration>,
    roots: Arc<Roots>,
    proxies: Proxies,
    /// Whether a certificate was verified during the last request.
    has_verified: Arc<AtomicBool>,
    clients: RefCell<Vec<(Trust, Option<Proxy>, reqwest::Client)>>,
    /// The last `Date` of a server.
    date: RefCell<Option<String>>,
}

/// An answer, whatever its status.
pub struct Response {
    /// The status code.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// As it came, at most 1 MiB; wiped, because tokens are in it.
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl Http {
    /// Allows the network this much time in total.
    ///
    /// # Errors
    /// The runtime's, where the system gives no more descriptors.
    pub fn new(limit: Duration) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::new(Kind::Other, format!("cannot use the network: {e}")))?;
        Ok(Self {
            runtime: Some(runtime),
            left: Cell::new(limit),
            roots: Arc::default(),
            proxies: Proxies::of_environment(),
            has_verified: Arc::default(),
            clients: RefCell::default(),
            date: RefCell::default(),
        })
    }

    /// `GET` without credentials; redirects are answers.
    ///
    /// # Errors
    /// [`Failure`]; where nothing can have arrived, after two more tries.
    pub fn ask(&self, url: &Url, trust: &Trust) -> std::result::Result<Response, Failure> {
        self.request(url, trust, None)
    }

    /// Sends a form or a password; redirects are answers.
    ///
    /// # Errors
    /// As [`Http::ask`].
    pub fn send(
        &self,
        to: &TrustedUrl,
        trust: &Trust,
        body: &Body<'_>,
    ) -> std::result::Result<Response, Failure> {
        self.request(to.url(), trust, Some(body))
    }

    fn request(
        &self,
        url: &Url,
        trust: &Trust,
        body: Option<&Body<'_>>,
    ) -> std::result::Result<Response, Failure> {
        let mut pauses = BACK_OFF.into_iter();
        let _waiting = progress::waiting(|| url.host_str().unwrap_or("the server").to_owned());
        loop {
            let outcome = trace::timed(
                || describe(url, body),
                || self.send_once(url, trust, body),
                |outcome| match outcome {
                    Ok(answer) => format!("status {}, {} bytes", answer.status, answer.body.len()),
                    Err(failure) => failure.to_string(),
                },
            );
            match outcome {
                Err(Failure::Connect(why)) => match pauses.next() {
                    Some(pause) if pause < self.left.get() => self.pause(pause),
                    _ => return Err(Failure::Connect(why)),
                },
                outcome => return outcome,
            }
        }
    }

    /// What time it was at the server when it last answered, if it said so.
    pub fn server_time(&self) -> Option<Timestamp> {
        let date = self.date.borrow();
        DateTimeParser::new().parse_timestamp(date.as_deref()?).ok()
    }

    /// Waits before another try, on the clock.
    pub fn pause(&self, pause: Duration) {
        std::thread::sleep(pause);
        self.left.set(self.left.get().saturating_sub(pause));
    }

    fn send_once(
        &self,
        url: &Url,
        trust: &Trust,
        body: Option<&Body<'_>>,
    ) -> std::result::Result<Response, Failure> {
        let (left, start) = (self.left.get(), Instant::now());
        if left.is_zero() {
            return Err(Failure::Timeout);
        }
        let runtime = self.runtime.as_ref().ok_or(Failure::Timeout)?;
        let proxy = self.proxies.of(url).map_err(Failure::Proxy)?;
        if url.scheme() == "https" {
            self.roots.read_ahead();
        }
        let client = self.client(trust, proxy.as_ref())?;
        self.has_verified.store(false, Ordering::Relaxed);
        let failed = |error: &reqwest::Error| self.failed(error, proxy.as_ref());
        let request = match body {
            None => client.get(url.clone()),
            Some(Body::Basic(username, password)) => {
                client.get(url.clone()).basic_auth(username, Some(password.expose()))
            }
            Some(Body::Form(fields)) => {
                let mut form =
                    url::form_urlencoded::Serializer::new(String::with_capacity(32 * 1024));
                form.extend_pairs(*fields);
                client
                    .post(url.clone())
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(form.finish())
            }
            Some(Body::Call(call)) => call.request(&client, url),
        };
        let request = request
            .header(header::ACCEPT, HeaderValue::from_static("application/json"))
            .header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))
            .timeout(left.min(REQUEST_DEADLINE));
        let outcome = runtime.block_on(async {
            let mut answer = request.send().await.map_err(|e| failed(&e))?;
            let date = answer.headers().get(header::DATE).and_then(|date| date.to_str().ok());
            *self.date.borrow_mut() = date.map(str::to_owned);
            let size: usize =
                answer.headers().iter().map(|(k, v)| k.as_str().len() + v.len()).sum();
            if size > MAX_HEADER_BYTES {
                return Err(Failure::TooLarge);
            }
            let mut body = Zeroizing::new(Vec::with_capacity(32 * 1024));
            while let Some(chunk) = answer.chunk().await.map_err(|e| failed(&e))? {
                if body.len() + chunk.len() > MAX_BODY_BYTES {
                    return Err(Failure::TooLarge);
                }
                body.extend_from_slice(&chunk);
            }
            let headers = std::mem::take(answer.headers_mut());
            Ok(Response { status: answer.status().as_u16(), headers, body })
        });
        self.left.set(left.saturating_sub(start.elapsed()));
        outcome
    }

    fn failed(&self, error: &reqwest::Error, proxy: Option<&Proxy>) -> Failure {
        let Some(Proxy { variable, .. }) = proxy else { return classify(error) };
        match classify(error) {
            Failure::Connect(why) => {
                Failure::Connect(format!("{why} (through the proxy in {variable})"))
            }
            // It was the proxy itself that did not, which says nothing about the host behind it.
            Failure::NotTls
                if proxy.is_some_and(Proxy::is_tls)
                    && !self.has_verified.load(Ordering::Relaxed) =>
            {
                Failure::Tls(format!("the proxy in {variable} does not speak TLS"))
            }
            failure => failure,
        }
    }

    /// One client for each set of certificates and each proxy, so that connections are used again.
    fn client(
        &self,
        trust: &Trust,
        proxy: Option<&Proxy>,
    ) -> std::result::Result<reqwest::Client, Failure> {
        let mut clients = self.clients.borrow_mut();
        let known = clients.iter().find(|(t, p, _)| t == trust && p.as_ref() == proxy);
        if let Some((.., client)) = known {
            return Ok(client.clone());
        }
        if let (Some(proxy), Some(pair)) = (proxy.filter(|proxy| proxy.is_tls()), trust.pair()) {
            // The proxy would be shown the certificate as well.
            return Err(Failure::Tls(format!(
                "the client certificate in {} cannot be used through the https:// proxy in {}",
                pair.display(),
                proxy.variable
            )));
        }
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(
                trust
                    .client_config(&self.roots, self.has_verified.clone())
                    .map_err(Failure::Tls)?,
            )
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT_DEADLINE);
        if let Some(proxy) = proxy {
            let every = reqwest::Proxy::all(proxy.url().clone()).map_err(|e| classify(&e))?;
            builder = builder.proxy(every);
        }
        let client = builder.build().map_err(|e| classify(&e))?;
        clients.push((trust.clone(), proxy.cloned(), client.clone()));
        Ok(client)
    }
}

impl Drop for Http {
    /// A name look-up that hangs must not hold up the exit.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
