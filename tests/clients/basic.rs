//! Real registries that know nothing but Basic: Debian's docker-registry with htpasswd, and nginx with
//! `auth_basic`. The mock's `basic-only` profile answers as they do, and the helper treats all three alike.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::docker_cli::{DockerCli, HELPER};
use crate::mock_token_server::client::Reply;
use crate::mock_token_server::{Client, Profile, RealRegistry, TokenServer};
use crate::process::Running;

const PASSWORD: &str = "a password of alice";
const BASIC: &str = "Basic YWxpY2U6YSBwYXNzd29yZCBvZiBhbGljZQ==";
/// Prints `alice`, a colon and what crypt(3) makes of the password, bcrypt being all that docker-registry takes.
const HTPASSWD: &str =
    r#"print "alice:", crypt("a password of alice", '$2b$04$abcdefghijklmnopqrstuu'), "\n""#;

/// Without its fields it ends.
struct Server {
    host: String,
    _process: Running,
    _folder: TempDir,
}

/// With alice in it.
pub fn write_htpasswd(file: &Path) {
    let made = Command::new("perl").args(["-e", HTPASSWD]).output().expect("perl");
    fs::write(file, made.stdout).expect("a file");
}

fn start(command: impl Fn(&Path, u16) -> Command) -> Server {
    let folder = tempfile::tempdir().expect("a folder");
    write_htpasswd(&folder.path().join("htpasswd"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    let mut process = Running::start(&mut command(folder.path(), port), &folder.path().join("log"));
    process.wait_until(Duration::from_secs(20), || TcpStream::connect(("127.0.0.1", port)).is_ok());
    Server { host: format!("127.0.0.1:{port}"), _process: process, _folder: folder }
}

fn docker_registry() -> Server {
    start(|folder, port| {
        let at = folder.display();
        let config = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {at}/storage\n\
             http:\n  addr: 127.0.0.1:{port}\n  secret: only-for-tests\n\
             auth:\n  htpasswd:\n    realm: a registry\n    path: {at}/htpasswd\n"
        );
        fs::write(folder.join("config.yml"), config).expect("a file");
        let mut command = Command::new(RealRegistry::program().expect("docker-registry"));
        command.arg("serve").arg(folder.join("config.yml"));
        command
    })
}

fn nginx() -> Server {
    start(|folder, port| {
        let at = folder.display();
        let user = if rustix::process::geteuid().is_root() { "user root;\n" } else { "" };
        let config = format!(
            "{user}daemon off;\npid {at}/pid;\nerror_log {at}/errors;\nevents {{}}\nhttp {{\n\
             access_log off;\nclient_body_temp_path {at}/body;\nproxy_temp_path {at}/proxy;\n\
             fastcgi_temp_path {at}/fastcgi;\nuwsgi_temp_path {at}/uwsgi;\nscgi_temp_path {at}/scgi;\n\
             server {{\nlisten 127.0.0.1:{port};\nlocation /v2/ {{\nauth_basic \"a registry\";\n\
             auth_basic_user_file {at}/htpasswd;\nroot {at}/www;\nindex index.json;\ndefault_type application/json;\n}}\n}}\n}}\n"
        );
        fs::create_dir_all(folder.join("www/v2")).expect("a folder");
        fs::write(folder.join("www/v2/index.json"), "{}").expect("a file");
        fs::write(folder.join("nginx.conf"), config).expect("a file");
        let mut command = Command::new("nginx");
        command.arg("-e").arg(folder.join("errors")).arg("-c").arg(folder.join("nginx.conf"));
        command
    })
}

/// What a client sees of a server: challenge, and status with the right and a wrong password.
fn seen(client: &Client, host: &str) -> (u16, String, u16, u16) {
    let url = format!("http://{host}/v2/");
    let get = |authorization: Option<&str>| -> Reply {
        let header = authorization.map(|value| ("Authorization", value));
        client.get(&url, header.as_slice()).expect("an answer")
    };
    let challenge = get(None);
    let headers = challenge.all("www-authenticate").join(" + ");
    let realm = headers.replace("mock registry", "a registry");
    (challenge.status, realm, get(Some(BASIC)).status, get(Some("Basic YWxpY2U6d3Jvbmc=")).status)
}

#[test]
fn docker_registry_and_nginx_with_basic_are_what_the_mock_is_and_are_refused() {
    let mock = TokenServer::builder().profile(Profile::BasicOnly).user("alice", PASSWORD);
    let mock = mock.plain_http().start();
    let client = Client::new(&mock);
    let expected = (401, "Basic realm=\"a registry\"".to_owned(), 200, 401);
    let (registry, nginx) = (docker_registry(), nginx());
    for host in [&mock.registry_host(), &registry.host, &nginx.host] {
        assert_eq!(seen(&client, host), expected, "{host}");
        let cli = DockerCli::new([("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN".into(), "file".into())]);
        cli.program(HELPER, &["keygen", "--install"]).success();
        let log_in = |password: &str| {
            let login = ["login", host, "-u", "alice", "--password-stdin"];
            cli.program_with(HELPER, &login, password)
        };
        let refused = log_in(PASSWORD);
        assert_eq!(refused.status.code(), Some(5), "no refresh token to be had: {refused}");
        // With a fallback the password is checked, and only a good one handed over.
        cli.other_helper();
        let settings = cli.root().join("home/.config/docker-credential-refresh/config.toml");
        fs::write(settings, "fallback = \"other\"\n").expect("a file");
        let wrong = log_in("wrong");
        assert_eq!(wrong.status.code(), Some(4), "{wrong}");
        assert!(!cli.helper("get", host).status.success());
        log_in(PASSWORD).success();
        let answer = cli.helper("get", host).success().stdout;
        assert!(answer.contains(PASSWORD), "the fallback has it");
    }
}
