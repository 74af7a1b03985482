//! HTTP as far as the exchange needs it. The only folder that imports the HTTP client.

mod body;
pub mod call;
pub mod certs_d;
pub mod client;
mod coding;
pub mod failure;
pub mod proxy;
mod response;
mod roots;
pub mod trust;
mod verifier;

pub use body::Body;
pub use call::{Call, Caller, Verb};
pub use client::{Http, NETWORK_DEADLINE, QUICK_DEADLINE, Response};
pub use failure::Failure;
