//! Which request is which step, and who answers it.

use super::artifactory;
use super::behaviour::TokenApi;
use super::device;
use super::docker_hub;
use super::entra;
use super::fault::At;
use super::gitea;
use super::journal::Origin;
use super::registry;
use super::revocation;
use super::shared::Shared;
use super::token_endpoint;
use super::token_post;
use super::wire::{Answer, Authorization, Incoming};

/// The path of the RFC 8414 metadata.
const METADATA: &str = "/.well-known/oauth-authorization-server";

/// Where the registries' own APIs keep their users' tokens.
const APIS: [&str; 3] = ["/api/v1/users/", "/v2/access-tokens", "/access/api/v1/tokens"];

/// The step of a login that a request belongs to.
pub fn step(shared: &Shared, request: &Incoming) -> Option<At> {
    let config = shared.config();
    let grant_type = request.form("grant_type");
    let refresh = grant_type == Some("refresh_token");
    let by_device = grant_type == Some(device::GRANT);
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", path) if path == config.behaviour.token_path && refresh => Some(At::Proof),
        ("POST", path) if path == config.behaviour.token_path && by_device => Some(At::DevicePoll),
        ("POST", path) if path == config.behaviour.token_path => Some(At::ExchangePost),
        ("GET", path) if path == config.behaviour.token_path => Some(At::ExchangeGet),
        ("GET", "/v2/") if matches!(request.authorization(), Authorization::None) => {
            Some(At::Challenge)
        }
        ("POST", device::PATH) => Some(At::Device),
        ("POST", entra::PATH) => Some(At::Entra),
        ("POST", "/revoke") => Some(At::Revocation),
        ("GET", METADATA) => Some(At::Metadata),
        ("GET", "/api/v1/version") => Some(At::ApiVersion),
        (method, path) if APIS.iter().any(|api| path.starts_with(api)) => match method {
            "GET" => Some(At::ApiList),
            "POST" => Some(At::ApiCreate),
            _ => Some(At::ApiDelete),
        },
        _ => None,
    }
}

/// The proper answer.
pub fn answer(shared: &Shared, origin: Origin, request: &Incoming) -> Answer {
    let config = shared.config();
    let tokens_here = origin == Origin::Token || shared.one_origin();
    let api = match config.behaviour.token_api {
        _ if !tokens_here => None,
        TokenApi::None => None,
        TokenApi::Gitea(version) => gitea::answer(shared, version, request),
        TokenApi::DockerHub => docker_hub::answer(shared, request),
        TokenApi::Artifactory => artifactory::answer(shared, request),
    };
    if let Some(answer) = api {
        return answer.with("Cache-Control", "no-store");
    }
    let answer = match (request.method.as_str(), request.path.as_str()) {
        (method, path) if tokens_here && path == config.behaviour.token_path => match method {
            "GET" if config.behaviour.get => token_endpoint::get(shared, request),
            "POST" => token_post::post(shared, request),
            "GET" => not_found(),
            _ => Answer::text(405, "method not allowed\n"),
        },
        ("POST", entra::PATH) if tokens_here && config.behaviour.null_guid => {
            entra::exchange(shared, request)
        }
        ("POST", device::PATH) if tokens_here && let Some(flow) = &config.device_flow => {
            device::authorize(shared, flow, request)
        }
        ("GET" | "POST", device::PAGE) if tokens_here && config.device_flow.is_some() => {
            device::page(shared, request)
        }
        ("POST", "/revoke") if tokens_here && config.revocation && config.behaviour.revocation => {
            revocation::revoke(shared, request)
        }
        ("GET", METADATA) if tokens_here && config.metadata && config.behaviour.revocation => {
            revocation::metadata(shared)
        }
        (_, path) if origin == Origin::Registry && path.starts_with("/v2/") => {
            return registry::answer(shared, request);
        }
        _ => not_found(),
    };
    // RFC 6749 section 5.1: whatever holds a token or may hold one is not to be stored.
    answer.with("Cache-Control", "no-store").with("Pragma", "no-cache")
}

fn not_found() -> Answer {
    Answer::text(404, "404 page not found\n")
}
