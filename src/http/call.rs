//! A request to a registry's own API: a method, who asks, and JSON.

use reqwest::{Client, Method, RequestBuilder, header};
use url::Url;

use crate::secret::Secret;

/// A request to an API.
pub struct Call<'a> {
    /// What is to be done there.
    pub verb: Verb,
    /// Who asks.
    pub caller: Caller<'a>,
    /// What is sent, if anything.
    pub json: Option<&'a [u8]>,
}

/// The methods that such APIs use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `DELETE`
    Delete,
}

/// Who asks.
#[derive(Clone, Copy)]
pub enum Caller<'a> {
    /// Nobody in particular, or what is sent tells.
    Anyone,
    /// HTTP Basic (RFC 7617).
    Basic(&'a str, &'a dyn Secret),
    /// A bearer token (RFC 6750).
    Bearer(&'a str),
}

impl Call<'_> {
    pub(super) fn request(&self, client: &Client, url: &Url) -> RequestBuilder {
        let method = match self.verb {
            Verb::Get => Method::GET,
            Verb::Post => Method::POST,
            Verb::Delete => Method::DELETE,
        };
        let request = client.request(method, url.clone());
        let request = match self.caller {
            Caller::Anyone => request,
            Caller::Basic(username, password) => {
                request.basic_auth(username, Some(password.expose()))
            }
            Caller::Bearer(token) => request.bearer_auth(token),
        };
        match self.json {
            Some(json) => {
                request.header(header::CONTENT_TYPE, "application/json").body(json.to_vec())
            }
            None => request,
        }
    }

    /// For the trace, before and after the URL.
    pub(super) fn describe(&self) -> (&'static str, &'static str) {
        let verb = match self.verb {
            Verb::Get => "GET",
            Verb::Post => "POST",
            Verb::Delete => "DELETE",
        };
        let shown = match (self.caller, self.json.is_some()) {
            (Caller::Anyone, false) => "",
            (Caller::Anyone, true) => " (JSON ***)",
            (Caller::Basic(..), _) => " (Basic ***)",
            (Caller::Bearer(_), _) => " (Bearer ***)",
        };
        (verb, shown)
    }
}
