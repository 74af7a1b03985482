//! Which proxy a request goes through: by the rules of Go's `golang.org/x/net/http/httpproxy`,
//! because docker, podman and skopeo follow those, and one set of variables serves them all.

use std::fmt;
use std::net::IpAddr;

use url::Url;
use zeroize::Zeroizing;

/// What the environment says about proxies.
pub struct Proxies {
    http: Option<Setting>,
    https: Option<Setting>,
    except: Vec<Exception>,
    /// A server runs this program for a stranger, whose header `Proxy` became `HTTP_PROXY`
    /// (<https://httpoxy.org>).
    is_cgi: bool,
}

/// A variable with a value, which may hold a password.
struct Setting {
    variable: &'static str,
    value: Zeroizing<String>,
}

/// A proxy that can be used.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// The variable that names it, for messages.
    pub variable: &'static str,
    url: Url,
}

/// Why a request that should go through a proxy cannot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Neither `http`, `https`, `socks5` nor `socks5h`.
    #[error("{0} names a proxy of the scheme {1}, which is not supported")]
    Scheme(&'static str, String),
    /// The value is not shown: a password may be in it.
    #[error("{0} is not the address of a proxy")]
    Malformed(&'static str),
    /// As in Go (CVE-2016-5386).
    #[error("{0} is not trusted where REQUEST_METHOD is set, as it is for a CGI program")]
    Cgi(&'static str),
}

/// One entry of `NO_PROXY`.
enum Exception {
    All,
    Network(IpAddr, u8),
    Address(IpAddr, String),
    /// With its leading dot; whether the name itself is meant as well as those below it; a port.
    Domain(String, bool, String),
}

impl Proxies {
    /// Reads the variables; as in Go the upper-case one wins, and an empty one is not set.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let value = |name: &str| variable(name).filter(|value| !value.is_empty());
        let setting = |names: [&'static str; 2]| {
            names.into_iter().find_map(|variable| {
                value(variable).map(|value| Setting {
                    variable,
                    value: Zeroizing::new(value.trim().to_owned()),
                })
            })
        };
        let except = value("NO_PROXY").or_else(|| value("no_proxy")).unwrap_or_default();
        Self {
            http: setting(["HTTP_PROXY", "http_proxy"]),
            https: setting(["HTTPS_PROXY", "https_proxy"]),
            except: except.split(',').filter_map(Exception::read).collect(),
            is_cgi: value("REQUEST_METHOD").is_some(),
        }
    }

    /// Those of this process.
    pub fn of_environment() -> Self {
        Self::read(&|name| Some(std::env::var_os(name)?.to_string_lossy().into_owned()))
    }

    /// The proxy for a URL, if one is set and `NO_PROXY` does not except the host.
    ///
    /// # Errors
    /// [`Unusable`]; a direct connection would go where nobody asked to go.
    pub fn of(&self, url: &Url) -> Result<Option<Proxy>, Unusable> {
        let is_http = url.scheme() == "http";
        let Some(setting) = (if is_http { &self.http } else { &self.https }) else {
            return Ok(None);
        };
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = url.port_or_known_default().unwrap_or_default();
        if self.is_excepted(host, &port.to_string()) {
            return Ok(None);
        }
        if is_http && self.is_cgi {
            return Err(Unusable::Cgi(setting.variable));
        }
        setting.proxy().map(Some)
    }

    /// The proxies that are set, for `https` and then for `http`.
    pub fn all(&self) -> impl Iterator<Item = Result<Proxy, Unusable>> {
        self.https.iter().chain(&self.http).map(Setting::proxy)
    }

    fn is_excepted(&self, host: &str, port: &str) -> bool {
        let address = host.parse().ok().map(|address: IpAddr| address.to_canonical());
        host == "localhost"
            || address.is_some_and(|address| address.is_loopback())
            || self.except.iter().any(|exception| exception.holds(host, address, port))
    }
}

impl Setting {
    fn proxy(&self) -> Result<Proxy, Unusable> {
        let (variable, malformed) = (self.variable, Unusable::Malformed(self.variable));
        let is_word = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
        let scheme = self.value.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        let scheme = scheme.filter(|scheme| !scheme.is_empty() && scheme.bytes().all(is_word));
        // Go refuses control characters too. Names in other alphabets would go through code of the URL
        // library that is not made for having no Unicode tables.
        let is_plain = |host: &str| host.is_ascii() && !host.contains('%');
        if self.value.contains(|c: char| c.is_control()) || !is_plain(self.written_host()) {
            return Err(malformed);
        }
        let url = match scheme.as_deref() {
            Some("http" | "https" | "socks5" | "socks5h") => Url::parse(&self.value),
            Some(other) => {
                return Err(Unusable::Scheme(variable, other.chars().take(20).collect()));
            }
            None => Url::parse(&format!("http://{}", self.value.as_str())),
        };
        let mut url = url.map_err(|_| malformed.clone())?;
        if url.host_str().is_none_or(str::is_empty) || url.port() == Some(0) {
            return Err(malformed);
        }
        if url.scheme() == "socks5" {
            // Go has the proxy resolve names under either name.
            url.set_scheme("socks5h").map_err(|()| malformed)?;
        }
        Ok(Proxy { variable, url })
    }

    /// The host with its port, as it stands between user and path.
    fn written_host(&self) -> &str {
        let rest = self.value.split_once("://").map_or(self.value.as_str(), |(_, rest)| rest);
        let rest = rest.trim_start_matches(['/', '\\']);
        let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
        authority.rsplit('@').next().unwrap_or_default()
    }
}

impl Proxy {
    /// With its credentials, for the HTTP client alone.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Whether it is itself reached over TLS.
    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }
}

/// Without the credentials, which may be in the URL.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.url.scheme().trim_end_matches('h');
        let port = self.url.port_or_known_default().unwrap_or(1080);
        write!(f, "{scheme}://{}:{port}", self.url.host_str().unwrap_or_default())
    }
}

impl Exception {
    fn read(entry: &str) -> Option<Self> {
        let entry = entry.trim().to_ascii_lowercase();
        if entry.is_empty() {
            return None;
        }
        if entry == "*" {
            return Some(Self::All);
        }
        if let Some(network) = network(&entry) {
            return Some(network);
        }
        let (host, port) = split_port(&entry).unwrap_or((&entry, ""));
        if let Ok(address) = host.parse::<IpAddr>() {
            return Some(Self::Address(address.to_canonical(), port.to_owned()));
        }
        let host = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
        match host.strip_prefix('.') {
            _ if host.is_empty() => None,
            Some(_) => Some(Self::Domain(host.to_owned(), false, port.to_owned())),
            None => Some(Self::Domain(format!(".{host}"), true, port.to_owned())),
        }
    }

    fn holds(&self, host: &str, address: Option<IpAddr>, port: &str) -> bool {
        match self {
            Self::All => true,
            Self::Network(network, bits) => {
                address.is_some_and(|address| is_within(address, *network, *bits))
            }
            Self::Address(one, at) => {
                address == Some(*one) && (at.is_empty() || at.as_str() == port)
            }
            Self::Domain(domain, itself, at) => {
                (host.ends_with(domain) || (*itself && host == &domain[1..]))
                    && (at.is_empty() || at.as_str() == port)
            }
        }
    }
}

/// `10.0.0.0/8`, `fd00::/8`.
fn network(entry: &str) -> Option<Exception> {
    // Go takes no sign.
    let (address, bits) = entry.split_once('/').filter(|(_, bits)| !bits.starts_with('+'))?;
    let (address, bits): (IpAddr, u8) = (address.parse().ok()?, bits.parse().ok()?);
    match (address, address.to_canonical()) {
        (IpAddr::V6(_), short @ IpAddr::V4(_)) if (96..=128).contains(&bits) => {
            Some(Exception::Network(short, bits - 96))
        }
        (IpAddr::V4(_), _) if bits > 32 => None,
        (IpAddr::V6(_), _) if bits > 128 => None,
        _ => Some(Exception::Network(address, bits)),
    }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let same = |one: u128, other: u128, width: u32| {
        let rest = width - u32::from(bits);
        one.checked_shr(rest).unwrap_or(0) == other.checked_shr(rest).unwrap_or(0)
    };
    match (address, network) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            same(one.to_bits().into(), other.to_bits().into(), 32)
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => same(one.to_bits(), other.to_bits(), 128),
        _ => false,
    }
}

/// Go's `net.SplitHostPort`: an IPv6 address with a port is in brackets.
fn split_port(entry: &str) -> Option<(&str, &str)> {
    match entry.strip_prefix('[') {
        Some(rest) => rest.split_once("]:"),
        None => entry.rsplit_once(':').filter(|(host, _)| !host.contains(':')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        Proxies::read(&|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    /// The proxy that is used for a URL, if any.
    fn of(variables: &[(&str, &str)], url: &str) -> Result<Option<String>, Unusable> {
        let proxy = proxies(variables).of(&Url::parse(url).unwrap())?;
        Ok(proxy.map(|proxy| proxy.to_string()))
    }

    fn goes_directly(no_proxy: &str, url: &str) -> bool {
        let variables = [("HTTPS_PROXY", "p:1"), ("HTTP_PROXY", "p:2"), ("NO_PROXY", no_proxy)];
        of(&variables, url).unwrap().is_none()
    }

    #[test]
    fn no_proxy_is_read_as_go_reads_it() {
        for (no_proxy, url, directly) in [
            ("*.corp.example", "https://reg.corp.example/", true),
            ("*.corp.example", "https://a.b.corp.example/", true),
            ("*.corp.example", "https://corp.example/", false),
            (".corp.example", "https://reg.corp.example/", true),
            (".corp.example", "https://corp.example/", false),
            ("corp.example", "https://corp.example/", true),
            ("corp.example", "https://reg.corp.example/", true),
            ("corp.example", "https://notcorp.example/", false),
            ("CORP.Example", "https://REG.corp.example/", true),
            ("corp.example:443", "https://corp.example/", true),
            ("corp.example:443", "https://corp.example:5000/", false),
            ("corp.example:5000", "https://reg.corp.example:5000/", true),
            ("*.corp.example:80", "http://reg.corp.example/", true),
            ("corp.example:", "https://corp.example:5000/", true),
            (" a.example ,\t.corp.example , ", "https://reg.corp.example/", true),
            ("a.example .corp.example", "https://reg.corp.example/", false),
            ("a.example;corp.example", "https://corp.example/", false),
            ("*", "https://any.example/", true),
            ("x.example, * ", "https://any.example:7/", true),
            ("*.*", "https://any.example/", false),
            ("reg*.example", "https://reg1.example/", false),
            ("10.0.0.0/8", "https://10.1.2.3/", true),
            ("10.0.0.0/8", "https://11.1.2.3/", false),
            ("10.1.2.3", "https://10.1.2.3:5000/", true),
            ("10.1.2.3:5000", "https://10.1.2.3:5000/", true),
            ("10.1.2.3:5001", "https://10.1.2.3:5000/", false),
            ("10.1", "https://10.1.2.3/", false),
            ("0.0.0.0/0", "https://10.1.2.3/", true),
            ("0.0.0.0/0", "https://name.example/", false),
            ("::/0", "https://10.1.2.3/", false),
            ("::ffff:10.0.0.0/104", "https://10.1.2.3/", true),
            ("::ffff:10.0.0.0/104", "https://11.1.2.3/", false),
            ("::ffff:10.0.0.0/90", "https://10.1.2.3/", false),
            ("::ffff:10.1.2.3/128", "https://10.1.2.3/", true),
            ("10.1.2.3/32", "https://10.1.2.3/", true),
            ("10.0.0.0/33", "https://10.0.0.0/", false),
            ("10.0.0.0/+8", "https://10.1.2.3/", false),
            ("10.0.0.0/08", "https://10.1.2.3/", true),
            ("fd12::/129", "https://[fd12::]/", false),
            ("fd12::1/128", "https://[fd12::1]/", true),
            ("fd00::/8", "https://[fd12::1]:5000/", true),
            ("fd00::/8", "https://[fe12::1]:5000/", false),
            ("fd12::1", "https://[fd12::1]/", true),
            ("[fd12::1]:5000", "https://[fd12::1]:5000/", true),
            ("[fd12::1]:5000", "https://[fd12::1]/", false),
            // These match nothing in Go either.
            ("[fd12::1]", "https://[fd12::1]/", false),
            (":5000", "https://any.example:5000/", false),
            (":5000", "https://any.example.:5000/", false),
            ("http://corp.example", "https://corp.example/", false),
            ("", "https://any.example/", false),
            (",,", "https://any.example/", false),
        ] {
            assert_eq!(goes_directly(no_proxy, url), directly, "{no_proxy:?} {url}");
        }
    }

    #[test]
    fn this_machine_is_never_asked_for_through_a_proxy() {
        for url in [
            "https://localhost:5000/",
            "http://127.0.0.1/",
            "https://127.8.7.6/",
            "https://[::1]:5000/",
            "https://[::ffff:127.0.0.1]/",
        ] {
            assert!(goes_directly("", url), "{url}");
        }
        for url in ["https://a.localhost/", "https://10.0.0.1/", "https://0.0.0.0/"] {
            assert!(!goes_directly("", url), "{url}");
        }
    }

    #[test]
    fn the_variables_and_their_order_are_gos() {
        let url = "https://r.example/";
        let one = |name| of(&[(name, "p.example:3128")], url).unwrap();
        let proxy = Some("http://p.example:3128".to_owned());
        for name in ["HTTPS_PROXY", "https_proxy"] {
            assert_eq!(one(name), proxy, "{name}");
        }
        for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            assert_eq!(one(name), None, "{name}");
        }
        assert_eq!(of(&[("http_proxy", "p.example:3128")], "http://r.example/").unwrap(), proxy);
        assert_eq!(of(&[("https_proxy", "b"), ("HTTPS_PROXY", "p.example:3128")], url), Ok(proxy));
        let lower = [("https_proxy", "b:1"), ("HTTPS_PROXY", ""), ("no_proxy", "x")];
        assert_eq!(of(&lower, url).unwrap().unwrap(), "http://b:1");
        let upper_wins = [("HTTPS_PROXY", "b:1"), ("NO_PROXY", "x"), ("no_proxy", "*")];
        assert!(of(&upper_wins, url).unwrap().is_some());
    }

    #[test]
    fn a_proxys_address_may_lack_the_scheme_and_is_shown_without_its_password() {
        for (value, shown) in [
            ("p.example:3128", "http://p.example:3128"),
            ("p.example", "http://p.example:80"),
            ("10.0.0.1:3128", "http://10.0.0.1:3128"),
            ("user:p@ss:w@p.example:3128", "http://p.example:3128"),
            (" HTTP://u:pw@P.example/ ", "http://p.example:80"),
            ("https://p.example", "https://p.example:443"),
            ("socks5://u:pw@p.example", "socks5://p.example:1080"),
            ("u%40x:p%25w@p_1:3128/%41", "http://p_1:3128"),
            ("socks5h://[::1]:9050", "socks5://[::1]:9050"),
        ] {
            let proxy = of(&[("HTTPS_PROXY", value)], "https://r.example/");
            assert_eq!(proxy, Ok(Some(shown.to_owned())), "{value}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_an_error_and_never_a_direct_connection() {
        let variable = "HTTPS_PROXY";
        for (value, expected) in [
            ("socks4://p.example", Unusable::Scheme(variable, "socks4".into())),
            ("ftp://u:pw@p.example", Unusable::Scheme(variable, "ftp".into())),
            ("file:///p", Unusable::Scheme(variable, "file".into())),
            ("http://", Unusable::Malformed(variable)),
            ("http://u:pw@:80", Unusable::Malformed(variable)),
            ("socks5://:1080", Unusable::Malformed(variable)),
            ("p.example:99999", Unusable::Malformed(variable)),
            ("p.example:0", Unusable::Malformed(variable)),
            ("p q", Unusable::Malformed(variable)),
            ("p\tq", Unusable::Malformed(variable)),
            ("pw@P%41.example", Unusable::Malformed(variable)),
            ("http:///p%FF.example", Unusable::Malformed(variable)),
            ("pr\u{f6}xy.example", Unusable::Malformed(variable)),
            ("://p.example", Unusable::Malformed(variable)),
            (" ", Unusable::Malformed(variable)),
        ] {
            let error = of(&[(variable, value)], "https://r.example/").unwrap_err();
            assert_eq!(error, expected, "{value}");
            assert!(error.to_string().contains(variable) && !error.to_string().contains("pw"));
            let unused = [(variable, value), ("NO_PROXY", "r.example")];
            assert_eq!(of(&unused, "https://r.example/"), Ok(None), "{value}");
        }
    }

    #[test]
    fn all_that_are_set_are_named_with_their_variables() {
        let all = |variables: &[(&str, &str)]| -> Vec<String> {
            let named = |proxy: Result<Proxy, Unusable>| match proxy {
                Ok(proxy) => format!("{} {proxy} {}", proxy.variable, proxy.is_tls()),
                Err(unusable) => unusable.to_string(),
            };
            proxies(variables).all().map(named).collect()
        };
        assert!(all(&[("ALL_PROXY", "p:1")]).is_empty());
        assert_eq!(
            all(&[("http_proxy", "p:1"), ("HTTPS_PROXY", "https://q"), ("NO_PROXY", "*")]),
            ["HTTPS_PROXY https://q:443 true", "http_proxy http://p:1 false"]
        );
        let long = all(&[("HTTP_PROXY", "abcdefghijklmnopqrstuvwxyz://p")]);
        let shown =
            "HTTP_PROXY names a proxy of the scheme abcdefghijklmnopqrst, which is not supported";
        assert_eq!(long, [shown]);
    }

    #[test]
    fn cve_2016_5386_a_cgi_program_takes_no_proxy_from_its_client() {
        for name in ["HTTP_PROXY", "http_proxy"] {
            let cgi = [(name, "p:1"), ("HTTPS_PROXY", "p:2"), ("REQUEST_METHOD", "GET")];
            assert_eq!(of(&cgi, "http://r.example/"), Err(Unusable::Cgi(name)));
            assert_eq!(of(&cgi, "https://r.example/").unwrap().unwrap(), "http://p:2");
        }
    }
}
