//! What goes with a request to a URL that is trusted.

use url::Url;

use super::call::Call;
use crate::secret::Secret;
use crate::trace::redaction;

/// What is sent.
pub enum Body<'a> {
    /// `GET` with HTTP Basic (RFC 7617).
    Basic(&'a str, &'a dyn Secret),
    /// `POST` of a form.
    Form(&'a [(&'a str, &'a str)]),
    /// A request to a registry's own API.
    Call(&'a Call<'a>),
}

/// A request for the trace.
pub(super) fn describe(url: &Url, body: Option<&Body<'_>>) -> String {
    let url = redaction::url(url);
    match body {
        None => format!("GET {url}"),
        Some(Body::Basic(..)) => format!("GET {url} (Basic ***)"),
        Some(Body::Form(fields)) => format!("POST {url} ({})", redaction::form(fields)),
        Some(Body::Call(call)) => {
            let (verb, shown) = call.describe();
            format!("{verb} {url}{shown}")
        }
    }
}
