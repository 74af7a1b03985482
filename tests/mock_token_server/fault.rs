//! What can go wrong, on demand.

use serde_json::Value;

use super::journal::Origin;

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
    /// `POST /device_authorization`.
    Device,
    /// The token endpoint is asked whether a device code was approved.
    DevicePoll,
    /// Azure's `POST /oauth2/exchange`.
    Entra,
    /// The registry's own API says what it is.
    ApiVersion,
    /// That API lists tokens.
    ApiList,
    /// That API makes a token.
    ApiCreate,
    /// That API deletes a token.
    ApiDelete,
}

impl At {
    /// Whether a request at `step` is meant.
    pub(super) fn covers(self, step: Self) -> bool {
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
    /// 200 and a chunked body of white space without end.
    EndlessBody,
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
    /// The body in gzip, and this `Content-Encoding`.
    Gzip(String),
    /// The body as it is, and this `Content-Encoding` all the same.
    Coding(String),
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
                | Self::EndlessBody
                | Self::Raw(_)
        )
    }
}
