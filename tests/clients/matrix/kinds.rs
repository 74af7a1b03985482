//! The registries of the matrix, a real one of each kind, with the same image in all of them.

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use tempfile::TempDir;

use crate::basic;
use crate::mock_token_server::{Access, Profile, RealRegistry, TokenServer};
use crate::names;
use crate::round_trip::clients::{PASSWORD, push_image};

/// In two parts, so that no scanner of secrets takes it for somebody's.
const PERSONAL_TOKEN: &str = concat!("glpat", "-0123456789abcdefghij");
/// Where the names lead, of this test alone: Docker checks no certificate at a loopback address.
const ADDRESS: &str = "192.0.2.1";
/// Where clients, daemon and helper look for the CA and the client certificate of a registry.
const FOLDERS: &str = "/etc/docker/certs.d";

/// What the helper keeps of a login.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    RefreshToken,
    /// In the fallback.
    Password,
    PersonalToken,
    MintedToken,
}

/// How clients know the registry's CA.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// As one of the system's.
    System,
    /// From a folder of `certs.d`.
    Folder,
    /// There, with a certificate of their own, which the registry and its token server ask for.
    FolderWithClient,
    /// There is no TLS.
    Plain,
}

struct Plan {
    name: &'static str,
    /// The hosts of the registry and its token server.
    hosts: [&'static str; 2],
    kept: Kept,
    trust: Trust,
    /// No other way leads there; the names are not known here.
    is_proxied: bool,
}

const TOKEN: Plan = Plan {
    name: "token",
    hosts: ["registry.token.example"; 2],
    kept: Kept::RefreshToken,
    trust: Trust::System,
    is_proxied: false,
};

/// `run` makes these names known, but for those behind the proxy.
const PLANS: [Plan; 9] = [
    TOKEN,
    Plan {
        name: "Basic only",
        hosts: ["registry.basic.example"; 2],
        kept: Kept::Password,
        ..TOKEN
    },
    Plan {
        name: "token server on another host",
        hosts: ["registry.site.example", "auth.site.example"],
        ..TOKEN
    },
    Plan {
        name: "private CA",
        hosts: ["registry.private.example"; 2],
        trust: Trust::Folder,
        ..TOKEN
    },
    Plan {
        name: "client certificate",
        hosts: ["registry.client.example"; 2],
        trust: Trust::FolderWithClient,
        ..TOKEN
    },
    Plan {
        name: "proxy",
        hosts: ["registry.proxied.example", "auth.proxied.example"],
        is_proxied: true,
        ..TOKEN
    },
    Plan { name: "http on loopback", hosts: ["127.0.0.1"; 2], trust: Trust::Plain, ..TOKEN },
    Plan {
        name: "personal token",
        hosts: ["registry.personal.example"; 2],
        kept: Kept::PersonalToken,
        ..TOKEN
    },
    Plan {
        name: "minted token",
        hosts: ["registry.minted.example"; 2],
        kept: Kept::MintedToken,
        ..TOKEN
    },
];

/// Their names in the table.
pub fn names() -> impl Iterator<Item = &'static str> {
    PLANS.iter().map(|plan| plan.name)
}

/// A registry that runs, with its token server.
pub struct Kind {
    pub name: &'static str,
    /// As a user names it.
    pub host: String,
    pub kept: Kept,
    pub is_plain: bool,
    pub server: TokenServer,
    /// Only one at a time has its image in the one Docker Engine.
    pub turn: Mutex<()>,
    trust: Trust,
    proxy: Option<String>,
    registry: RealRegistry,
    _folder: TempDir,
}

impl Kind {
    fn start(plan: &Plan) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let profile = match plan.kept {
            Kept::PersonalToken => Profile::Gitlab,
            Kept::MintedToken => Profile::Gitea,
            Kept::RefreshToken | Kept::Password => Profile::PostOnly,
        };
        let server = TokenServer::builder().profile(profile).names(&plan.hosts);
        let server = server.user("alice", secret(plan.kept));
        let mut server = server.user_scope("alice", "repository:alice/*:*");
        if plan.trust == Trust::Plain {
            server = server.plain_http();
        }
        if plan.trust == Trust::FolderWithClient {
            server = server.require_client_certificate();
        }
        let server = server.start();
        let [name, token_name] = plan.hosts;
        let realm = server.token_endpoint().replace("127.0.0.1", token_name);
        let htpasswd = folder.path().join("htpasswd");
        let access = if plan.kept == Kept::Password {
            basic::write_htpasswd(&htpasswd);
            Access::Htpasswd(&htpasswd)
        } else {
            Access::Realm(&realm)
        };
        let clients = (plan.trust == Trust::FolderWithClient).then(|| server.ca_file());
        let registry = RealRegistry::start_as(&server, access, clients.as_deref());
        let registry = registry.expect("a registry");
        let port = names::port_of(&registry.host());
        let token_port = names::port_of(&server.registry_host());
        let proxy = plan
            .is_proxied
            .then(|| names::proxy(move |host| if host == token_name { token_port } else { port }));
        if plan.trust != Trust::Plain && !plan.is_proxied {
            for port in [port, token_port] {
                names::relay(TcpListener::bind((ADDRESS, port)).expect("the address"), port);
            }
        }
        let kind = Self {
            name: plan.name,
            host: format!("{name}:{port}"),
            kept: plan.kept,
            is_plain: plan.trust == Trust::Plain,
            server,
            turn: Mutex::new(()),
            trust: plan.trust,
            proxy,
            registry,
            _folder: folder,
        };
        if matches!(kind.trust, Trust::Folder | Trust::FolderWithClient) {
            kind.write_folder();
        }
        kind
    }

    /// The registry's folder of `certs.d`.
    fn write_folder(&self) {
        let folder = Path::new(FOLDERS).join(&self.host);
        fs::create_dir_all(&folder).expect("a folder");
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file");
        write("ca.crt", &self.server.ca_pem().expect("TLS"));
        if self.trust == Trust::FolderWithClient {
            let pair = self.server.client_certificate().expect("TLS");
            write("client.cert", &pair.certificate);
            write("client.key", &pair.key);
        }
    }

    /// What alice gives as the password.
    pub fn secret(&self) -> &'static str {
        secret(self.kept)
    }
}

fn secret(kept: Kept) -> &'static str {
    if kept == Kept::PersonalToken { PERSONAL_TOKEN } else { PASSWORD }
}

/// All of them, and what a program has to be told to reach them.
pub struct Kinds {
    pub all: Vec<Kind>,
    pub environment: Vec<(OsString, OsString)>,
    _folder: TempDir,
}

impl Kinds {
    pub fn start() -> Self {
        let mounts = fs::read_to_string("/proc/self/mounts").expect("mounts");
        let is_private = mounts.contains(" /etc/docker ") && mounts.contains(" /etc/hosts ");
        assert!(is_private, "tests/clients/matrix/run runs this, with an /etc/docker of its own");
        let all: Vec<_> = PLANS.iter().map(Kind::start).collect();
        let first = all.iter().find(|kind| kind.is_plain).expect("one without TLS");
        push_image(&first.host);
        for kind in all.iter().filter(|kind| !kind.is_plain) {
            let [from, to] = [first, kind].map(|kind| kind.registry.directory());
            let copied = Command::new("cp").arg("-a").args([from.join("storage"), to]).status();
            assert!(copied.expect("cp").success());
        }
        let folder = tempfile::tempdir().expect("a folder");
        let bundle = folder.path().join("ca.crt");
        let trusted = all.iter().filter(|kind| kind.trust == Trust::System);
        let text: String = trusted.map(|kind| kind.server.ca_pem().expect("TLS")).collect();
        fs::write(&bundle, text).expect("a file");
        let bundles = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"];
        let bundles = bundles.map(|name| (name.into(), bundle.clone().into()));
        let proxy = all.iter().find_map(|kind| kind.proxy.clone()).expect("a proxy");
        let direct = PLANS.iter().filter(|plan| !plan.is_proxied).flat_map(|plan| plan.hosts);
        let direct = direct.collect::<Vec<_>>().join(",");
        let proxies = [("HTTPS_PROXY".into(), proxy.into()), ("NO_PROXY".into(), direct.into())];
        let environment = bundles.into_iter().chain(proxies).collect();
        Self { all, environment, _folder: folder }
    }
}
