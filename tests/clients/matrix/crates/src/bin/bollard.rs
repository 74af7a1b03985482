//! bollard, with the login that `docker_credential` finds: pulls `$APP`, and pushes it as `$NEW`.

use bollard::Docker;
use bollard::auth::DockerCredentials;
use bollard::query_parameters::{
    CreateImageOptionsBuilder, PushImageOptionsBuilder, TagImageOptionsBuilder,
};
use docker_credential::DockerCredential;
use futures_util::TryStreamExt as _;

type Error = Box<dyn std::error::Error>;

fn variable(name: &str) -> String {
    std::env::var(name).expect("a variable")
}

fn login(registry: &str) -> Result<DockerCredentials, Error> {
    let mut login =
        DockerCredentials { serveraddress: Some(registry.into()), ..Default::default() };
    match docker_credential::get_credential(registry)? {
        DockerCredential::IdentityToken(token) => login.identitytoken = Some(token),
        DockerCredential::UsernamePassword(name, password) => {
            login.username = Some(name);
            login.password = Some(password);
        }
    }
    Ok(login)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (registry, app, new) = (variable("REGISTRY"), variable("APP"), variable("NEW"));
    let login = login(&registry)?;
    let docker = Docker::connect_with_defaults()?;
    let from = CreateImageOptionsBuilder::default().from_image(&app).build();
    docker.create_image(Some(from), None, Some(login.clone())).try_collect::<Vec<_>>().await?;
    let (repository, tag) = new.rsplit_once(':').expect("a tag");
    let to = TagImageOptionsBuilder::default().repo(repository).tag(tag).build();
    docker.tag_image(&app, Some(to)).await?;
    let to = PushImageOptionsBuilder::default().tag(tag).build();
    docker.push_image(repository, Some(to), Some(login)).try_collect::<Vec<_>>().await?;
    Ok(())
}
