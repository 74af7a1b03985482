//! oci-client, with the login that `docker_credential` finds, or with the access token `$ACCESS_TOKEN`:
//! reads the manifest of `$APP`.

use docker_credential::DockerCredential;
use oci_client::client::{Client, ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;

type Error = Box<dyn std::error::Error>;

fn login(registry: &str) -> Result<RegistryAuth, Error> {
    if let Ok(token) = std::env::var("ACCESS_TOKEN") {
        return Ok(RegistryAuth::Bearer(token));
    }
    Ok(match docker_credential::get_credential(registry)? {
        DockerCredential::UsernamePassword(name, password) => RegistryAuth::Basic(name, password),
        // It has no word for it; its users go on so.
        DockerCredential::IdentityToken(_) => RegistryAuth::Anonymous,
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    rustls::crypto::ring::default_provider().install_default().expect("the first");
    let protocol = match std::env::var_os("PLAIN") {
        Some(_) => ClientProtocol::Http,
        None => ClientProtocol::Https,
    };
    let client = Client::new(ClientConfig { protocol, ..Default::default() });
    let login = login(&std::env::var("REGISTRY")?)?;
    client.pull_manifest(&std::env::var("APP")?.parse()?, &login).await?;
    Ok(())
}
