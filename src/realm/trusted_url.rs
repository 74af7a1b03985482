//! A URL that a secret may be sent to. There is no other way to make one than the rules here and in
//! [`Realm::judge`](super::Realm::judge), and [`Http::send`](crate::http::Http::send) takes nothing else.

use url::Url;

use crate::origin::{Origin, parse, same_site};

/// A URL that a rule has let through.
#[derive(Debug, Clone)]
pub struct TrustedUrl {
    url: Url,
    origin: Origin,
}

impl TrustedUrl {
    /// One that was judged.
    pub(super) fn judged(url: Url, origin: Origin) -> Self {
        Self { url, origin }
    }

    /// The `/v2/` of the registry that the user named, reached as it was found to be.
    ///
    /// # Errors
    /// It does not make a URL.
    pub fn of_registry(origin: &Origin) -> Result<Self, url::ParseError> {
        let url = Url::parse(&format!("{origin}/v2/"))?;
        Ok(Self { url, origin: origin.clone() })
    }

    /// What a token server's metadata name: on its own origin alone.
    pub fn named_by(server: &Origin, named: &str) -> Option<Self> {
        let (url, origin) = parse(named).ok()?;
        (origin == *server).then_some(Self { url, origin })
    }

    /// What the settings name for tokens of a realm: without TLS only on the site of a realm without.
    pub fn set_for(realm: &Origin, set: &str) -> Option<Self> {
        let (url, origin) = parse(set).ok()?;
        let is_plain_too = !realm.https && same_site(&origin.host, &realm.host);
        (origin.https || is_plain_too).then_some(Self { url, origin })
    }

    /// The same with more in its query.
    #[must_use]
    pub fn with_query<'q>(&self, pairs: impl IntoIterator<Item = (&'q str, &'q str)>) -> Self {
        let mut with = self.clone();
        with.url.query_pairs_mut().extend_pairs(pairs);
        with
    }

    /// Another path of the same origin, without a query.
    #[must_use]
    pub fn at(&self, path: &str) -> Self {
        let mut at = self.clone();
        at.url.set_path(path);
        at.url.set_query(None);
        at
    }

    /// A path below this one, each segment escaped.
    #[must_use]
    pub fn below(&self, segments: &[&str]) -> Self {
        let mut below = self.clone();
        if let Ok(mut path) = below.url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        below
    }

    /// The URL itself.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Scheme, host and port of it.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        text.parse().unwrap()
    }

    #[test]
    fn endpoints_named_by_metadata_must_share_its_origin() {
        let server = origin("https://auth.example.com");
        let named = TrustedUrl::named_by(&server, "https://auth.example.com/revoke").unwrap();
        assert_eq!(
            (named.url().path(), named.origin().to_string()),
            ("/revoke", server.to_string())
        );
        for elsewhere in [
            "http://auth.example.com/revoke",
            "https://auth.example.com:8443/revoke",
            "https://www.example.com/revoke",
            "https://auth.example.org/revoke",
            "/revoke",
        ] {
            assert!(TrustedUrl::named_by(&server, elsewhere).is_none(), "{elsewhere}");
        }
    }

    #[test]
    fn a_configured_endpoint_may_use_http_only_on_the_site_of_an_http_realm() {
        let is_taken = |realm: &str, set: &str| TrustedUrl::set_for(&origin(realm), set).is_some();
        for realm in ["https://auth.example.com", "http://auth.example.com"] {
            assert!(is_taken(realm, "https://auth.example.com/revoke"), "{realm}");
            assert!(is_taken(realm, "https://elsewhere.example.org/revoke"), "{realm}");
            assert!(!is_taken(realm, "http://elsewhere.example.org/revoke"), "{realm}");
            assert!(!is_taken(realm, "ftp://auth.example.com/revoke"), "{realm}");
        }
        assert!(is_taken("http://auth.example.com", "http://www.example.com/revoke"));
        assert!(!is_taken("https://auth.example.com", "http://auth.example.com/revoke"));
    }

    #[test]
    fn what_is_made_of_one_stays_on_its_origin() {
        let one = TrustedUrl::of_registry(&origin("https://h.example:5000")).unwrap();
        assert_eq!(one.url().as_str(), "https://h.example:5000/v2/");
        let with = one.with_query([("a b", "c&d")]);
        assert_eq!(with.url().as_str(), "https://h.example:5000/v2/?a+b=c%26d");
        assert_eq!(with.at("//evil.example/x").url().host_str(), Some("h.example"));
        assert_eq!(with.at("/token").url().as_str(), "https://h.example:5000/token");
        let below = one.below(&["..", "a/b"]);
        assert_eq!(below.url().host_str(), Some("h.example"));
        assert!(below.url().as_str().ends_with("/a%2Fb"), "{}", below.url());
    }
}
