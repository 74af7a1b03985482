//! Revocation (RFC 7009) and the metadata that tells where it is (RFC 8414).

use serde_json::json;

use super::device;
use super::errors::oauth_error;
use super::journal::Origin;
use super::shared::{Shared, lock};
use super::wire::{Answer, Incoming};

/// Answers `POST /revoke`.
pub fn revoke(shared: &Shared, request: &Incoming) -> Answer {
    let config = shared.config();
    let Some(token) = request.form("token").filter(|token| !token.is_empty()) else {
        return oauth_error(400, "invalid_request", "missing token value");
    };
    let mut tokens = lock(&shared.tokens);
    let owner = tokens.find(token).map(|token| token.client_id.clone());
    let client_id = request.form("client_id").unwrap_or_default();
    if config.bind_client_id && owner.is_some_and(|owner| owner != client_id) {
        return oauth_error(401, "invalid_client", "the token was issued to another client");
    }
    // A token that is not known is as good as revoked: 200 either way (section 2.2).
    tokens.revoke(token);
    Answer { status: 200, headers: Vec::new(), body: Vec::new() }
}

/// Answers `GET /.well-known/oauth-authorization-server`.
pub fn metadata(shared: &Shared) -> Answer {
    let config = shared.config();
    let origin = shared.origin(Origin::Token);
    let mut body = json!({
        "issuer": shared.issuer(),
        "token_endpoint": shared.token_endpoint(),
        "response_types_supported": [],
        "grant_types_supported": ["password", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
    });
    if config.revocation {
        body["revocation_endpoint"] = json!(format!("{origin}/revoke"));
        body["revocation_endpoint_auth_methods_supported"] = json!(["none"]);
    }
    if config.device_flow.is_some() {
        body["device_authorization_endpoint"] = json!(format!("{origin}{}", device::PATH));
        body["grant_types_supported"] = json!(["password", "refresh_token", device::GRANT]);
    }
    for (name, value) in &config.metadata_fields {
        body[name] = value.clone();
    }
    Answer::json(200, &body)
}
