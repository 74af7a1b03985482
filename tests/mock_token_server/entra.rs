//! Azure's `POST /oauth2/exchange`: a Microsoft Entra access token for a refresh token (Azure/acr,
//! docs/AAD-OAuth.md).

use serde_json::json;

use super::errors::{registry_error, unauthorized};
use super::journal::hash;
use super::shared::Shared;
use super::wire::{Answer, Incoming};

pub const PATH: &str = "/oauth2/exchange";

/// Answers it; `tenant` may be left out, and must be right where it is not.
pub fn exchange(shared: &Shared, request: &Incoming) -> Answer {
    let config = shared.config();
    let is_of_service = request.form("service") == Some(&config.service);
    if request.form("grant_type") != Some("access_token") || !is_of_service {
        return registry_error(400, "UNSUPPORTED", "grant_type or service", "");
    }
    let given = request.form("access_token").unwrap_or_default();
    let is_good = config.entra_token.as_ref().is_some_and(|(tenant, token)| {
        *token == hash(given) && request.form("tenant").is_none_or(|asked| asked == tenant)
    });
    if !is_good {
        return unauthorized("invalid token");
    }
    let refresh = shared.issue_refresh_token("alice", &config.service, "");
    Answer::json(200, &json!({"refresh_token": refresh}))
}
