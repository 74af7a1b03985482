//! `configure` and `import --configure` for advice: so that they work as they are typed.

use crate::docker_config::{ConfigFile, Setting};
use crate::logins::Logins;
use crate::protocol::HELPER_NAME;
use crate::settings::OwnSetting;

/// What both need where nothing says yet which helper takes logins that cannot be exchanged.
pub fn fallback_option(logins: &Logins<'_>) -> &'static str {
    let written = logins.settings.written(OwnSetting::Fallback, None);
    // A file that cannot be read is told by what reads it.
    let docker = ConfigFile::of_docker().and_then(|file| file.read()).ok();
    let store = docker.and_then(|document| document.helper(&Setting::Store));
    let is_known =
        written.is_ok_and(|name| name.is_some()) || store.is_some_and(|name| name != HELPER_NAME);
    if is_known { "" } else { " --fallback none" }
}

/// `configure` with these options, which begin with a space.
pub fn configure(options: &str, logins: &Logins<'_>) -> String {
    format!("docker-credential-refresh configure{options}{}", fallback_option(logins))
}
