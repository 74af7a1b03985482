//! What can go wrong, on demand.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::errors::oauth_error;
use super::gzip;
use super::journal::Origin;
use super::wire::{Answer, http_date};

/// At which step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// `GET /v2/` without credentials.
    Challenge,
    /// A password goes to the token endpoint, by POST or GET.
    Exchange,
    /// The same, by POST only.
    ExchangePost,
    /// The same, by GET only.
    ExchangeGet,
    /// A refresh grant.
    Proof,
    /// `POST /revoke`.
    Revocation,
    /// RFC 8414 metadata.
    Metadata,
}

impl At {
    /// Whether a request at `step` is meant.
    fn covers(self, step: Self) -> bool {
        self == step
            || (self == Self::Exchange && matches!(step, Self::ExchangePost | Self::ExchangeGet))
    }

    /// The listener where that step happens.
    pub fn origin(self, one_origin: bool) -> Origin {
        if self == Self::Challenge || one_origin { Origin::Registry } else { Origin::Token }
    }
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    // With the connection. But for `Refused`, with one origin these hold from the first
    // connection on, whatever the step: use `separate_registry()` to keep the challenge well.
    /// Nobody listens once the steps before were answered.
    Refused,
    /// Closed as soon as it is accepted.
    CloseOnAccept,
    /// Accepted, and not a byte ever, not even of TLS.
    SilentOnAccept,
    /// These bytes in answer to the client's first ones, then closed.
    AnswerHello(Vec<u8>),
    /// Plain HTTP where TLS was expected: a hello is answered 400.
    TlsOff,
    /// A certificate out of date since 2020.
    ExpiredCertificate,
    /// A certificate for `other.example`.
    WrongHostCertificate,
    /// A certificate from an authority that nobody trusts.
    UnknownCa,

    // After the request was read, in place of an answer.
    /// Connection reset.
    Reset,
    /// No answer, ever.
    BlackHole,
    /// Closed without a byte.
    CloseWithoutBytes,
    /// `103 Early Hints` without end.
    EndlessInformational,
    /// These bytes, then closed.
    Raw(Vec<u8>),

    // In how the proper answer is sent.
    /// One byte a second.
    OneByteASecond,
    /// Half of the body, then closed.
    TruncatedBody,

    // Another answer.
    /// Any answer.
    Answer {
        /// The status code.
        status: u16,
        /// Names and values.
        headers: Vec<(String, String)>,
        /// All of it.
        body: String,
    },
    /// A status, with an OAuth error if one is given, and a `Retry-After` if one is given.
    Status {
        /// The status code.
        status: u16,
        /// The OAuth `error`.
        error: Option<String>,
        /// The header's value, as it is to be sent.
        retry_after: Option<String>,
    },
    /// A redirect with that status, to that URL.
    Redirect(u16, String),
    /// 401 with these `WWW-Authenticate` headers.
    Challenge(Vec<String>),
    /// 200 with a page of HTML.
    CaptivePortal,

    // The proper answer, changed.
    /// Another body, as it is.
    Body(String),
    /// Another `Content-Type`, or none.
    ContentType(Option<String>),
    /// Over 1 MiB of otherwise valid JSON.
    OverlongBody,
    /// 128 KiB of headers.
    HugeHeaders,
    /// `Content-Encoding: gzip`, small on the wire, 64 MiB unpacked.
    GzipBomb,
    /// Half of the JSON, with the length to match.
    InvalidJson,
    /// The object in an array.
    JsonArray,
    /// `null`.
    JsonNull,
    /// 100,000 levels.
    DeepNesting,
    /// Each key twice, another value first.
    DuplicateKeys,
    /// Text for numbers and numbers for text.
    WrongTypes,
    /// One field of the JSON set.
    SetField(String, Value),
    /// One field of the JSON taken out.
    RemoveField(String),
    /// No token under any name.
    NoTokens,
    /// Every token empty.
    EmptyTokens,
    /// Every token with a line break and a letter outside ASCII.
    UnprintableTokens,
    /// Every token of 16 KiB and one byte.
    OverlongTokens,
    /// The access token as `token` alone.
    OnlyToken,
    /// The access token as `access_token` alone.
    OnlyAccessToken,
    /// A `token_type`.
    TokenType(String),
    /// The `Date` header off by so many years.
    DateOff(i64),
}

impl Fault {
    /// A status without an OAuth error.
    pub fn status(status: u16) -> Self {
        Self::Status { status, error: None, retry_after: None }
    }

    /// A status with an OAuth error.
    pub fn oauth(status: u16, error: &str) -> Self {
        Self::Status { status, error: Some(error.into()), retry_after: None }
    }

    /// A status with a `Retry-After`.
    pub fn retry_after(status: u16, value: &str) -> Self {
        Self::Status { status, error: None, retry_after: Some(value.into()) }
    }

    /// Whether it is decided before a request is read.
    pub fn is_of_connection(&self) -> bool {
        matches!(
            self,
            Self::Refused
                | Self::CloseOnAccept
                | Self::SilentOnAccept
                | Self::AnswerHello(_)
                | Self::TlsOff
                | Self::ExpiredCertificate
                | Self::WrongHostCertificate
                | Self::UnknownCa
        )
    }

    /// Whether there is no answer at all.
    pub fn leaves_unanswered(&self) -> bool {
        matches!(
            self,
            Self::Reset
                | Self::BlackHole
                | Self::CloseWithoutBytes
                | Self::EndlessInformational
                | Self::Raw(_)
        )
    }

    /// The answer in place of the proper one, which is then not even made.
    pub fn replacement(&self) -> Option<Answer> {
        Some(match self {
            Self::Answer { status, headers, body } => {
                Answer { status: *status, headers: headers.clone(), body: body.clone().into() }
            }
            Self::Status { status, error, retry_after } => {
                let answer = match error {
                    Some(error) => oauth_error(*status, error, "asked for by the test"),
                    None => Answer::text(*status, "asked for by the test\n"),
                };
                match retry_after {
                    Some(value) => answer.with("Retry-After", value),
                    None => answer,
                }
            }
            Self::Redirect(status, to) => Answer::text(*status, "").with("Location", to),
            Self::Challenge(headers) => headers
                .iter()
                .fold(Answer::text(401, ""), |answer, h| answer.with("WWW-Authenticate", h)),
            Self::CaptivePortal => {
                let page = "<!DOCTYPE html><html><body><h1>Welcome to the Wi-Fi</h1></body></html>";
                Answer::text(200, page).replace("Content-Type", "text/html")
            }
            _ => return None,
        })
    }

    /// The proper answer, changed.
    pub fn change(&self, mut answer: Answer) -> Answer {
        match self {
            Self::ContentType(value) => {
                answer.headers.retain(|(name, _)| name != "Content-Type");
                return value.iter().fold(answer, |answer, v| answer.with("Content-Type", v));
            }
            Self::HugeHeaders => {
                return (0..64).fold(answer, |answer, n| {
                    answer.with(&format!("X-Huge-{n}"), "h".repeat(2048))
                });
            }
            Self::DateOff(years) => {
                let seconds = Timestamp::now().as_second() + years * 31_556_952;
                let date = Timestamp::from_second(seconds).expect("some year from 1 to 9999");
                return answer.replace("Date", http_date(date));
            }
            Self::GzipBomb => {
                answer.body = gzip::bomb(&answer.body);
                return answer.with("Content-Encoding", "gzip");
            }
            Self::Body(body) => answer.body = body.clone().into_bytes(),
            Self::InvalidJson => answer.body.truncate(answer.body.len() / 2),
            Self::JsonArray => {
                answer.body.insert(0, b'[');
                answer.body.push(b']');
            }
            Self::JsonNull => answer.body = b"null".to_vec(),
            Self::DeepNesting => answer.body = nested(100_000).into_bytes(),
            Self::OverlongBody => {
                // White space before the last brace: valid, and only its length is wrong.
                let end = answer.body.len().saturating_sub(1);
                let last = answer.body.split_off(end);
                answer.body.resize(end + 1024 * 1024, b' ');
                answer.body.extend(last);
            }
            Self::DuplicateKeys => {
                if let Some(fields) = fields(&answer) {
                    let twins: String = fields.keys().map(|k| format!("{k:?}:\"twin\",")).collect();
                    answer.body.splice(1..1, twins.into_bytes());
                }
            }
            _ => {
                if let Some(mut fields) = fields(&answer) {
                    self.change_fields(&mut fields);
                    answer.body = Value::Object(fields).to_string().into_bytes();
                }
            }
        }
        answer
    }

    fn change_fields(&self, fields: &mut Map<String, Value>) {
        const TOKENS: [&str; 3] = ["access_token", "token", "refresh_token"];
        let mut set_tokens = |value: &str| {
            for (_, token) in fields.iter_mut().filter(|(name, _)| TOKENS.contains(&name.as_str()))
            {
                *token = json!(value);
            }
        };
        match self {
            Self::EmptyTokens => set_tokens(""),
            Self::UnprintableTokens => set_tokens("line\nbreak and \u{e9}"),
            Self::OverlongTokens => set_tokens(&"x".repeat(16 * 1024 + 1)),
            Self::NoTokens => fields.retain(|name, _| !TOKENS.contains(&name.as_str())),
            Self::WrongTypes => fields.values_mut().for_each(|value| {
                *value = if value.is_string() { json!(17) } else { json!("soon") };
            }),
            Self::SetField(name, value) => {
                fields.insert(name.clone(), value.clone());
            }
            Self::RemoveField(name) => {
                fields.remove(name);
            }
            Self::OnlyToken => rename(fields, "access_token", "token"),
            Self::OnlyAccessToken => rename(fields, "token", "access_token"),
            Self::TokenType(value) => {
                fields.insert("token_type".into(), json!(value));
            }
            _ => {}
        }
    }
}

fn fields(answer: &Answer) -> Option<Map<String, Value>> {
    serde_json::from_slice(&answer.body).ok()
}

fn rename(fields: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = fields.remove(from) {
        fields.insert(to.into(), value);
    }
}

fn nested(levels: usize) -> String {
    format!("{}1{}", "{\"access_token\":".repeat(levels), "}".repeat(levels))
}

struct Active {
    at: At,
    fault: Fault,
    left: Option<usize>,
}

/// The faults that are switched on.
#[derive(Default)]
pub struct Faults(Vec<Active>);

impl Faults {
    /// Adds one, for so many requests or connections, or for all.
    pub fn add(&mut self, at: At, fault: Fault, times: Option<usize>) {
        self.0.push(Active { at, fault, left: times });
    }

    /// Takes out those at one step.
    pub fn remove(&mut self, at: At) {
        self.0.retain(|active| active.at != at);
    }

    /// Takes out all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The steps from which on nobody is to listen.
    pub fn refused(&self) -> impl Iterator<Item = At> + '_ {
        self.0.iter().filter(|active| active.fault == Fault::Refused).map(|active| active.at)
    }

    /// What happens to a new connection.
    pub fn take_for_connection(&mut self, origin: Origin, one_origin: bool) -> Option<Fault> {
        self.take(|active| {
            active.fault.is_of_connection()
                && active.fault != Fault::Refused
                && active.at.origin(one_origin) == origin
        })
        .pop()
    }

    /// What happens to a request at that step.
    pub fn take_for_request(&mut self, step: At) -> Vec<Fault> {
        self.take(|active| !active.fault.is_of_connection() && active.at.covers(step))
    }

    fn take(&mut self, wanted: impl Fn(&Active) -> bool) -> Vec<Fault> {
        let mut taken = Vec::new();
        for active in self.0.iter_mut().filter(|active| wanted(active)) {
            match &mut active.left {
                Some(0) => continue,
                Some(left) => *left -= 1,
                None => {}
            }
            taken.push(active.fault.clone());
        }
        taken
    }
}
