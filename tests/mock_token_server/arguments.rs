//! The command line of the mock token server.

use std::time::Duration;

use crate::mock_token_server::{At, Builder, DeviceFlow, Fault, Profile, Scope, TokenServer};

/// What was asked for.
pub struct Arguments {
    /// The server to be.
    pub builder: Builder,
    /// Each request is printed on stderr, secrets hashed.
    pub journal: bool,
    /// The end of stdin does not end the server.
    pub ignore_stdin: bool,
}

/// Flag, what its value is, what it does.
const FLAGS: [(&str, &str, &str); 21] = [
    ("--profile", "NAME", "behave like that registry (distribution)"),
    ("--user", "NAME:PASSWORD", "add a user; a test password, anyone here can read it"),
    ("--api-token", "NAME:TOKEN", "add a password without refresh tokens"),
    ("--user-scope", "NAME=TYPE:NAME:ACTIONS", "let a user do just that; repeatable"),
    ("--anonymous-scope", "TYPE:NAME:ACTIONS", "let anyone do that; repeatable"),
    ("--http", "", "plain HTTP"),
    ("--port", "N", "the registry's port (any free one)"),
    ("--separate", "", "the token endpoint on a port of its own"),
    ("--realm", "URL", "the realm in the challenge"),
    ("--service", "NAME", "the service (mock-registry)"),
    ("--no-service", "", "no service in the challenge"),
    ("--issuer", "NAME", "the issuer of the access tokens"),
    ("--challenge-scope", "SCOPE", "a scope in the challenge"),
    ("--bind-client-id", "", "refresh tokens belong to a client id"),
    ("--token-length", "N", "the length of refresh tokens"),
    ("--jwt-refresh-tokens", "SECONDS", "refresh tokens are JWTs that end"),
    ("--device-flow", "", "log in in a browser too (RFC 8628)"),
    ("--post-status", "N", "answer POST with that status"),
    ("--fault", "STEP=FAULT", "go wrong at that step; repeatable"),
    ("--journal", "", "print each request on stderr, secrets hashed"),
    ("--ignore-stdin", "", "serve on when stdin ends"),
];

/// The faults that need no value.
const PLAIN: [(&str, Fault); 30] = [
    ("refused", Fault::Refused),
    ("close-on-accept", Fault::CloseOnAccept),
    ("silent-on-accept", Fault::SilentOnAccept),
    ("tls-off", Fault::TlsOff),
    ("expired-certificate", Fault::ExpiredCertificate),
    ("wrong-host-certificate", Fault::WrongHostCertificate),
    ("unknown-ca", Fault::UnknownCa),
    ("reset", Fault::Reset),
    ("black-hole", Fault::BlackHole),
    ("close-without-bytes", Fault::CloseWithoutBytes),
    ("endless-informational", Fault::EndlessInformational),
    ("endless-body", Fault::EndlessBody),
    ("one-byte-a-second", Fault::OneByteASecond),
    ("truncated-body", Fault::TruncatedBody),
    ("captive-portal", Fault::CaptivePortal),
    ("overlong-body", Fault::OverlongBody),
    ("huge-headers", Fault::HugeHeaders),
    ("gzip-bomb", Fault::GzipBomb),
    ("invalid-json", Fault::InvalidJson),
    ("json-array", Fault::JsonArray),
    ("json-null", Fault::JsonNull),
    ("deep-nesting", Fault::DeepNesting),
    ("duplicate-keys", Fault::DuplicateKeys),
    ("wrong-types", Fault::WrongTypes),
    ("no-tokens", Fault::NoTokens),
    ("empty-tokens", Fault::EmptyTokens),
    ("unprintable-tokens", Fault::UnprintableTokens),
    ("overlong-tokens", Fault::OverlongTokens),
    ("only-token", Fault::OnlyToken),
    ("only-access-token", Fault::OnlyAccessToken),
];

/// The text of `--help`.
pub fn usage() -> String {
    let mut text = "A registry's login and its token server, for trying things by hand.\n\n\
        It prints its addresses as one JSON object, and serves until stdin ends or it is killed.\n\n\
        usage: mock-token-server [FLAG [VALUE]]...\n\n"
        .to_owned();
    let mut line = |name: &str, about: &str| {
        text.push_str(format!("  {name:42}  {about}").trim_end());
        text.push('\n');
    };
    for (flag, value, about) in FLAGS {
        line(&format!("{flag} {value}"), about);
    }
    line("", "");
    line("STEP", "challenge, exchange, exchange-post, exchange-get, proof, revocation, metadata,");
    line("", "device, device-poll, entra");
    line("FAULT", "status:503 oauth:400:invalid_grant retry-after:429:120 redirect:302:URL");
    line("", "challenge:HEADER body:TEXT raw:TEXT answer-hello:TEXT content-type:TYPE");
    line("", "remove-field:NAME token-type:TYPE date-off:YEARS, or one of");
    for names in PLAIN.chunks(5) {
        line("", &names.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" "));
    }
    line("", "");
    for profile in Profile::ALL {
        line(&format!("--profile {}", profile.name()), profile.about().trim());
    }
    text
}

/// Reads the command line.
///
/// # Errors
/// One line that names the flag.
pub fn parse(given: &[String]) -> Result<Arguments, String> {
    let (mut journal, mut ignore_stdin) = (false, false);
    let mut builder = TokenServer::builder();
    let mut given = given.iter();
    while let Some(flag) = given.next() {
        let known = FLAGS.iter().find(|(name, ..)| name == flag);
        let (_, wanted, _) = known.ok_or_else(|| format!("unknown argument {flag}"))?;
        let value = match *wanted {
            "" => "",
            wanted => given.next().ok_or_else(|| format!("{flag} needs {wanted}"))?,
        };
        let bad = || format!("{flag} needs {wanted}, not {value}");
        let number = || value.parse::<u32>().map_err(|_| bad());
        let pair = |at: char| value.split_once(at).ok_or_else(bad);
        builder = match flag.as_str() {
            "--profile" => builder.profile(Profile::from_name(value).ok_or_else(bad)?),
            "--user" => pair(':').map(|(name, password)| builder.user(name, password))?,
            "--api-token" => pair(':').map(|(name, token)| builder.api_token(name, token))?,
            "--user-scope" => {
                let (name, scope) = pair('=')?;
                Scope::parse(scope).ok_or_else(bad)?;
                builder.user_scope(name, scope)
            }
            "--anonymous-scope" => {
                Scope::parse(value).ok_or_else(bad)?;
                builder.anonymous_scope(value)
            }
            "--http" => builder.plain_http(),
            "--port" => builder.port(value.parse().map_err(|_| bad())?),
            "--separate" => builder.separate_registry(),
            "--realm" => builder.realm(value),
            "--service" => builder.service(value),
            "--no-service" => builder.no_service(),
            "--issuer" => builder.issuer(value),
            "--challenge-scope" => builder.challenge_scope(value),
            "--bind-client-id" => builder.bind_client_id(),
            "--token-length" => builder.token_length(number()? as usize),
            "--jwt-refresh-tokens" => {
                builder.jwt_refresh_tokens(Duration::from_secs(number()?.into()))
            }
            "--device-flow" => builder.device_flow(DeviceFlow::default()),
            "--post-status" => builder.post_status(value.parse().map_err(|_| bad())?),
            "--fault" => {
                let (step, text) = pair('=')?;
                builder.fault(at(step).ok_or_else(bad)?, fault(text).ok_or_else(bad)?)
            }
            "--journal" => {
                journal = true;
                builder
            }
            "--ignore-stdin" => {
                ignore_stdin = true;
                builder
            }
            _ => return Err(bad()),
        };
    }
    Ok(Arguments { builder, journal, ignore_stdin })
}

fn at(name: &str) -> Option<At> {
    Some(match name {
        "challenge" => At::Challenge,
        "exchange" => At::Exchange,
        "exchange-post" => At::ExchangePost,
        "exchange-get" => At::ExchangeGet,
        "proof" => At::Proof,
        "revocation" => At::Revocation,
        "metadata" => At::Metadata,
        "device" => At::Device,
        "device-poll" => At::DevicePoll,
        "entra" => At::Entra,
        _ => return None,
    })
}

fn fault(text: &str) -> Option<Fault> {
    let (name, value) = text.split_once(':').unwrap_or((text, ""));
    let (first, second) = value.split_once(':').unwrap_or((value, ""));
    let status = || first.parse::<u16>().ok();
    Some(match name {
        "answer-hello" => Fault::AnswerHello(value.into()),
        "raw" => Fault::Raw(value.into()),
        "status" => Fault::status(status()?),
        "oauth" => Fault::oauth(status()?, second),
        "retry-after" => Fault::retry_after(status()?, second),
        "redirect" => Fault::Redirect(status()?, second.into()),
        "challenge" => Fault::Challenge(vec![value.into()]),
        "body" => Fault::Body(value.into()),
        "content-type" => Fault::ContentType((!value.is_empty()).then(|| value.into())),
        "remove-field" => Fault::RemoveField(value.into()),
        "token-type" => Fault::TokenType(value.into()),
        "date-off" => Fault::DateOff(value.parse().ok()?),
        _ => return PLAIN.into_iter().find(|(plain, _)| *plain == text).map(|(_, fault)| fault),
    })
}
