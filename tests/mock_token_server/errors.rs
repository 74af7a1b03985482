//! The two ways in which token servers word their errors.

use serde_json::json;

use super::behaviour::ErrorStyle;
use super::wire::Answer;

/// What is wrong with a token request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A field that must be there is not.
    Missing(&'static str),
    /// A field's value is not one that we know.
    Unsupported(&'static str),
    /// No such grant type here.
    GrantType,
    /// Username and password do not go together.
    Credentials,
    /// The refresh token is unknown, dead, or another service's or client's.
    RefreshToken,
    /// The scope is missing or malformed.
    Scope,
    /// The service is not ours.
    Service,
}

impl Failure {
    fn detail(self) -> String {
        match self {
            Self::Missing(field) => format!("missing {field} value"),
            Self::Unsupported(field) => format!("unknown {field} value"),
            Self::GrantType => "unknown grant_type value".into(),
            Self::Credentials => "invalid credentials".into(),
            Self::RefreshToken => "invalid refresh token".into(),
            Self::Scope => "invalid scope".into(),
            Self::Service => "unknown service".into(),
        }
    }

    /// The answer in that style.
    pub fn answer(self, style: ErrorStyle) -> Answer {
        let detail = self.detail();
        match style {
            ErrorStyle::OAuth2 => {
                let error = match self {
                    Self::Missing(_) | Self::Unsupported(_) | Self::Service => "invalid_request",
                    Self::GrantType => "unsupported_grant_type",
                    Self::Credentials | Self::RefreshToken => "invalid_grant",
                    Self::Scope => "invalid_scope",
                };
                oauth_error(400, error, &detail)
            }
            ErrorStyle::Registry => match self {
                Self::Credentials | Self::RefreshToken => unauthorized(&detail),
                Self::Missing(_) => {
                    let message = "a required field was missing";
                    registry_error(400, "MISSING_REQUIRED_FIELD", message, &detail)
                }
                Self::GrantType => {
                    let message = "The operation is unsupported.";
                    registry_error(400, "UNSUPPORTED", message, "password grant type not supported")
                }
                _ => {
                    registry_error(400, "UNSUPPORTED_VALUE", "the value is not supported", &detail)
                }
            },
        }
    }
}

/// RFC 6749 section 5.2.
pub fn oauth_error(status: u16, error: &str, description: &str) -> Answer {
    Answer::json(status, &json!({"error": error, "error_description": description}))
}

/// The registry's own form.
pub fn registry_error(status: u16, code: &str, message: &str, detail: &str) -> Answer {
    let error = json!({"code": code, "message": message, "detail": detail});
    Answer::json(status, &json!({"errors": [error]}))
}

/// The registry's 401.
pub fn unauthorized(detail: &str) -> Answer {
    registry_error(401, "UNAUTHORIZED", "authentication required", detail)
}

/// A status without an OAuth error, as a server without that route answers.
pub fn refused(status: u16) -> Answer {
    match status {
        401 => unauthorized("no OAuth2 here"),
        404 => Answer::text(404, "404 page not found\n"),
        405 => Answer::text(405, "method not allowed\n"),
        _ => Answer::text(status, "refused\n"),
    }
}
