//! What a fault makes of an answer.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::errors::oauth_error;
use super::fault::Fault;
use super::gzip;
use super::wire::{Answer, http_date};

impl Fault {
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
            Self::Gzip(coding) => {
                answer.body = gzip::compress(&answer.body);
                return answer.with("Content-Encoding", coding.clone());
            }
            Self::Coding(coding) => return answer.with("Content-Encoding", coding.clone()),
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
