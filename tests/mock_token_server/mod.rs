//! A registry's login and its token server, for tests and for trying things by hand.
//!
//! | route | what | where |
//! |---|---|---|
//! | `GET /v2/` | 401 with the challenge; 200 with a good access token | registry |
//! | `GET /v2/NAME/tags/list` | needs `repository:NAME:pull`; an empty list | registry |
//! | `GET /v2/_catalog` | needs `registry:catalog:*`; an empty list | registry |
//! | `GET <token path>` | Basic → access token, with `offline_token=true` a refresh token | token |
//! | `POST <token path>` | `grant_type=password`, `refresh_token` (RFC 6749), device code | token |
//! | `POST /oauth2/exchange` | Azure: an Entra token for a refresh token | token |
//! | `POST /device_authorization` | codes for a login in a browser (RFC 8628) | token |
//! | `GET`, `POST /device` | where a person approves or denies that | token |
//! | `/v2/auth/token`, `/v2/access-tokens…` | Docker Hub: the same (`docker_hub.rs`) | token |
//! | `/access/api/v1/tokens…` | Artifactory: the same (`artifactory.rs`) | token |
//! | `/api/v1/…` | Gitea and Forgejo: tokens made, listed and deleted by a user (`gitea.rs`) | token |
//! | `POST /revoke` | ends a refresh token (RFC 7009) | token |
//! | `GET /.well-known/oauth-authorization-server` | metadata (RFC 8414) | token |
//!
//! "registry" and "token" are one origin, or two with [`Builder::separate_registry`]. The token
//! path is the profile's (`/token/` for distribution). It listens on the loopback address, with
//! TLS by an authority of its own unless told otherwise, and stops when it is dropped.
#![allow(dead_code, reason = "compiled into several targets, none of which uses all of it")]
#![allow(unused_imports, reason = "the same")]

mod artifactory;
mod behaviour;
mod builder;
mod chunked;
pub mod client;
mod connection;
mod device;
mod docker_hub;
mod entra;
mod errors;
pub mod fault;
mod fault_effect;
mod faults;
mod gitea;
mod gzip;
pub mod journal;
mod jwt;
mod listener;
mod minted;
mod policy;
pub mod profile;
mod random;
pub mod real_registry;
mod registry;
mod revocation;
mod routes;
mod server;
mod shared;
mod stream;
mod tls;
mod token_endpoint;
mod token_post;
mod tokens;
mod wire;
mod wording;

pub use behaviour::{
    Behaviour, Challenge, ErrorStyle, Post, Rotation, ServiceRule, TokenApi, TokenNames,
};
pub use builder::Builder;
pub use client::Client;
pub use device::DeviceFlow;
pub use fault::{At, Fault};
pub use journal::{AuthorizationKind, Journal, Opening, Origin, Request, hash};
pub use minted::Minted;
pub use policy::Scope;
pub use profile::Profile;
pub use real_registry::{Access, RealRegistry};
pub use server::TokenServer;
pub use shared::NULL_GUID;
pub use tls::{Authority, Pair};
pub use tokens::LiveToken;
