//! HTTP as far as the exchange needs it. The only folder that imports the HTTP client.

pub mod call;
pub mod client;
mod coding;
pub mod failure;
pub mod proxy;
mod response;
pub mod trust;
mod verifier;

pub use call::{Call, Caller, Verb};
pub use client::{Body, Http, NETWORK_DEADLINE, QUICK_DEADLINE, Response};
pub use failure::Failure;
