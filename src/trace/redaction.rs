//! What of a URL or a form may be shown: by an allow-list, so anything new is hidden.

use url::{Url, form_urlencoded};

use crate::text::{SERVER_TEXT_CHARS, printable};

/// Shown with their values: none of them is a credential.
const SHOWN: [&str; 7] = [
    "grant_type",
    "service",
    "client_id",
    "scope",
    "access_type",
    "offline_token",
    "token_type_hint",
];
/// Shown without their values. The account is among them: people type passwords there.
const NAMED: [&str; 5] = ["account", "username", "password", "refresh_token", "token"];
/// Stands in for what is not shown.
const HIDDEN: &str = "***";

/// A URL without what could be secret in its query; of unknown parameters not even the name is
/// shown, since `?SECRET` has no value. There is no userinfo in it.
pub fn url(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    let mut shown = format!("{}://{host}{port}{}", url.scheme(), url.path());
    shown = printable(&shown, SERVER_TEXT_CHARS);
    if let Some(query) = url.query() {
        shown.push('?');
        shown.push_str(&parameters(form_urlencoded::parse(query.as_bytes()), "&"));
    }
    shown
}

/// A URL that a record or a server names; what cannot be read as one is hidden whole.
pub fn url_text(text: &str) -> String {
    Url::parse(text).map_or_else(|_| HIDDEN.to_owned(), |parsed| url(&parsed))
}

/// The fields of a form.
pub fn form(fields: &[(&str, &str)]) -> String {
    parameters(fields.iter().copied(), " ")
}

fn parameters<N: AsRef<str>, V: AsRef<str>>(
    all: impl Iterator<Item = (N, V)>,
    separator: &str,
) -> String {
    let shown = all.map(|(name, value)| {
        let (name, value) = (name.as_ref(), value.as_ref());
        if SHOWN.contains(&name) {
            format!("{name}={}", printable(value, SERVER_TEXT_CHARS))
        } else if NAMED.contains(&name) {
            format!("{name}={HIDDEN}")
        } else {
            HIDDEN.to_owned()
        }
    });
    shown.collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_on_the_list_is_hidden() {
        let shown = |text: &str| url_text(text);
        assert_eq!(
            shown("https://h.example:8443/token?service=s&scope=repository:a:pull&account=hunter2"),
            "https://h.example:8443/token?service=s&scope=repository:a:pull&account=***"
        );
        assert_eq!(shown("https://h/t?api_key=hunter2&hunter2"), "https://h/t?***&***");
        assert_eq!(shown("https://hunter2:hunter2@h/t#hunter2"), "https://h/t");
        assert_eq!(shown("https://h/t?SERVICE=hunter2"), "https://h/t?***");
        assert_eq!(shown("hunter2"), "***");
        assert_eq!(
            form(&[("grant_type", "password"), ("password", "hunter2"), ("otp", "hunter2")]),
            "grant_type=password password=*** ***"
        );
    }
}
