//! What takes long: a push or a pull over a slow link, by one of three clients.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::image;
use super::link::Link;
use crate::docker_cli::{DockerCli, HELPER};
use crate::docker_engine::DockerEngine;
use crate::mock_token_server::{RealRegistry, TokenServer};
use crate::process::Finished;
use crate::scenario::USER;

pub const PASSWORD: &str = "a password of alice";
/// How long an access token lasts: clients take no shorter one for true.
pub const LIFETIME: Duration = Duration::from_secs(60);

/// A registry with a token server, a Docker Engine, and a user of all clients.
pub struct Place {
    pub server: TokenServer,
    pub cli: DockerCli,
    registry: RealRegistry,
    engine: DockerEngine,
}

impl Place {
    pub fn open() -> Self {
        let server = TokenServer::builder().user(USER, PASSWORD).access_token_lifetime(LIFETIME);
        let server = server.plain_http().start();
        let registry = RealRegistry::start(&server).expect("a registry");
        let mut cli = DockerCli::new([]).with_storage();
        cli.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "file");
        cli.program(HELPER, &["keygen", "--install"]).success();
        let settings = cli.root().join("home/.config/containers/registries.conf.d");
        std::fs::create_dir_all(&settings).expect("a folder");
        let helper = "credential-helpers = [\"refresh\"]\n";
        std::fs::write(settings.join("helper.conf"), helper).expect("the settings");
        Self { server, cli, registry, engine: DockerEngine::start(None) }
    }

    /// Logs in through this link, and answers with the refresh token.
    pub fn log_in(&self, link: &Link) -> String {
        let login = ["login", link.host(), "--username", USER, "--password-stdin"];
        self.cli.program_with(HELPER, &login, PASSWORD).success();
        self.token(link)
    }

    /// The one that clients get.
    pub fn token(&self, link: &Link) -> String {
        let answer = self.cli.helper("get", link.host()).success().stdout;
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        answer["Secret"].as_str().expect("a secret").to_owned()
    }

    /// With how many access tokens this refresh token was answered.
    pub fn access_tokens(&self, refresh_token: &str) -> usize {
        let journal = self.server.journal();
        let given = journal.iter().filter(|request| {
            request.has("refresh_token", refresh_token) && request.status == Some(200)
        });
        given.count()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Client {
    Docker,
    Podman,
    Skopeo,
}

/// A client that pushes or pulls an image of its own, over a link of its own.
pub struct Job {
    pub name: &'static str,
    pub link: Link,
    client: Client,
    is_push: bool,
    archive: PathBuf,
    image: String,
}

const JOBS: [(&str, Client, bool); 6] = [
    ("docker push", Client::Docker, true),
    ("docker pull", Client::Docker, false),
    ("podman push", Client::Podman, true),
    ("podman pull", Client::Podman, false),
    ("skopeo copy to the registry", Client::Skopeo, true),
    ("skopeo copy from the registry", Client::Skopeo, false),
];

/// One of each kind, with images of so many bytes.
pub fn all(place: &Place, bytes: u64) -> Vec<Job> {
    let job = |(name, client, is_push): (&'static str, Client, bool)| {
        let link = Link::to(&place.registry.host());
        let short = name.replace(' ', "-");
        let image = format!("{}/{USER}/{short}:1", link.host());
        let archive = image::write(&place.cli.root().join(&short), &image, bytes);
        Job { name, link, client, is_push, archive, image }
    };
    JOBS.map(job).into()
}

impl Job {
    /// Logged in, puts the image where the work begins; answers with the refresh token.
    pub fn prepare(&self, place: &Place) -> String {
        let token = place.log_in(&self.link);
        let archive = self.archive.to_str().expect("UTF-8");
        match self.client {
            Client::Docker => self.docker(place, &["load", "--input", archive]).success(),
            Client::Podman => place.cli.program("podman", &["load", "--input", archive]).success(),
            Client::Skopeo if self.is_push => return token,
            Client::Skopeo => self.copy(place, &self.in_archive(), &self.at_registry()).success(),
        };
        if !self.is_push && self.client != Client::Skopeo {
            self.push(place).success();
            self.forget(place);
        }
        token
    }

    /// Does the work: what the client said, and how long it took.
    pub fn run(&self, place: &Place) -> (Finished, Duration) {
        let begin = Instant::now();
        let done = match self.client {
            _ if self.is_push => self.push(place),
            Client::Docker => self.docker(place, &["pull", &self.image]),
            Client::Podman => {
                place.cli.program("podman", &["pull", "--tls-verify=false", &self.image])
            }
            Client::Skopeo => self.copy(place, &self.at_registry(), &self.in_folder(place)),
        };
        (done, begin.elapsed())
    }

    fn push(&self, place: &Place) -> Finished {
        match self.client {
            Client::Docker => self.docker(place, &["push", &self.image]),
            Client::Podman => {
                place.cli.program("podman", &["push", "--tls-verify=false", &self.image])
            }
            Client::Skopeo => self.copy(place, &self.in_archive(), &self.at_registry()),
        }
    }

    fn forget(&self, place: &Place) {
        match self.client {
            Client::Docker => self.docker(place, &["rmi", &self.image]).success(),
            _ => place.cli.program("podman", &["rmi", &self.image]).success(),
        };
    }

    fn docker(&self, place: &Place, arguments: &[&str]) -> Finished {
        place.cli.docker(&place.engine.host(), arguments, "")
    }

    fn copy(&self, place: &Place, from: &str, to: &str) -> Finished {
        let plain = ["--src-tls-verify=false", "--dest-tls-verify=false"];
        place.cli.program("skopeo", &["copy", plain[0], plain[1], from, to])
    }

    fn in_archive(&self) -> String {
        format!("docker-archive:{}", self.archive.display())
    }

    fn at_registry(&self) -> String {
        format!("docker://{}", self.image)
    }

    fn in_folder(&self, place: &Place) -> String {
        let name = self.link.host().replace(':', "-");
        format!("dir:{}", place.cli.root().join(name).display())
    }
}
