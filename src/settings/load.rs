//! The file first, and the environment over it.

use std::path::Path;

use super::{Settings, Variables, file};
use crate::error::{Error, Result};

const FILE_NAME: &str = "config.toml";

impl Settings {
    /// Reads the file, if there is one, and the environment.
    ///
    /// # Errors
    /// A file that cannot be read or understood, or an invalid value; naming the file and line
    /// or the variable, never quoting it.
    pub fn load(directory: &Path, variables: &Variables) -> Result<Self> {
        let file = directory.join(FILE_NAME);
        let mut settings = match file::read(&file)? {
            Some(text) => file::parse(file, &text)?,
            None => Self::empty(file),
        };
        settings.apply(variables)?;
        Ok(settings)
    }

    /// Nothing is set, and it is known why: for what must go on where [`Settings::load`] failed.
    pub fn broken(error: Error, directory: &Path) -> Self {
        let warnings = Variables::of_process().unknown().collect();
        Self { warnings, broken: Some(error), ..Self::empty(directory.join(FILE_NAME)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::PREFIX;
    use crate::external_helper::TokenCommand;
    use crate::server_url::{Host, ServerUrl};
    use crate::token_api::{Minting, TokenApi};

    fn load(toml: &str, variables: &[(&str, &str)]) -> Result<Settings> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(FILE_NAME), toml).unwrap();
        let named = |(name, value): &(&str, &str)| (format!("{PREFIX}{name}").into(), value.into());
        Settings::load(directory.path(), &Variables::of(variables.iter().map(named)))
    }

    #[test]
    fn every_setting_is_read_and_the_environment_wins() {
        let toml = r#"
            keychain = "kernel"
            fallback = "pass"
            personal_tokens = "keep"
            mint = "auto"
            revoke_on_erase = true
            profile = "work"
            secret_service_session = "encrypted"
            [registry."https://r.example.com/"]
            insecure = true
            trust_realm = ["https://auth.other.example"]
            client_id = "docker"
            ca_file = "/ca.pem"
            fallback = "none"
            personal_tokens = "refuse"
            mint = "gitea"
            renew = ["az", "acr", "login"]
            revocation_endpoint = "https://r.example.com/revoke"
        "#;
        let settings = load(toml, &[]).unwrap();
        assert_eq!(settings.keychain, "kernel".parse().unwrap());
        assert_eq!(settings.profile, "work");
        assert!(settings.revoke_on_erase && settings.encrypted_session);
        assert!(settings.warnings.is_empty());
        let url = ServerUrl::parse("r.example.com/team/app").unwrap();
        let registry = settings.registry(&url);
        assert!(registry.insecure);
        assert_eq!(registry.trust_realm, ["https://auth.other.example".parse().unwrap()]);
        assert_eq!(registry.client_id.as_deref(), Some("docker"));
        assert_eq!(registry.renew.as_ref().map(TokenCommand::program), Some("az"));
        assert_eq!(settings.renewals().count(), 1);
        assert_eq!(settings.fallback_for(&url), None);
        let other = ServerUrl::parse("other.example").unwrap();
        assert_eq!(settings.fallback_for(&other), Some("pass".parse().unwrap()));
        assert!(settings.keeps_personal_tokens(&other) && !settings.keeps_personal_tokens(&url));

        let gitea = Minting::By(TokenApi::Gitea);
        assert_eq!((settings.minting(&other), settings.minting(&url)), (Minting::Auto, gitea));

        let settings = load(
            toml,
            &[
                ("KEYCHAIN", "secret-service"),
                ("FALLBACK", "none"),
                ("PERSONAL_TOKENS", "refuse"),
                ("MINT", "off"),
                ("REVOKE_ON_ERASE", "0"),
                ("PROFILE", "job-7"),
                ("SECRET_SERVICE_SESSION", "plain"),
                ("INSECURE", "a.example:5000, b.example"),
                (
                    "TRUST_REALM",
                    "a.example:5000=https://c.example,b.example=https://d.example:8443",
                ),
            ],
        )
        .unwrap();
        assert_eq!(settings.keychain, "secret-service".parse().unwrap());
        assert_eq!((settings.fallback.clone(), settings.revoke_on_erase), (None, false));
        assert_eq!((settings.profile.as_str(), settings.encrypted_session), ("job-7", false));
        assert!(!settings.keeps_personal_tokens(&other));
        assert_eq!(settings.minting(&other), Minting::Off);
        let url = ServerUrl::parse("a.example:5000").unwrap();
        assert!(settings.registry(&url).insecure);
        assert_eq!(settings.registry(&url).trust_realm, ["https://c.example".parse().unwrap()]);
        let name = |host: &str| Host::parse(host).unwrap();
        assert!(settings.may_be_plain(&name("b.example"), 443));
        assert!(settings.may_be_plain(&name("127.0.0.9"), 1));
        assert!(!settings.may_be_plain(&name("a.example"), 5001));
        assert!(!settings.may_be_plain(&name("c.example"), 443));
    }

    #[test]
    fn an_unknown_key_is_named_with_the_nearest_known_one() {
        let settings = load("fallbak = 'x'\n[registry.h]\ninsecur = true", &[]).unwrap();
        assert_eq!(settings.warnings.len(), 2);
        assert!(
            settings.warnings[0].ignored().contains("did you mean fallback?"),
            "{:?}",
            settings.warnings
        );
        assert!(
            settings.warnings[1].ignored().contains("did you mean insecure?"),
            "{:?}",
            settings.warnings
        );
    }

    #[test]
    fn cve_2020_8564_a_broken_config_is_not_quoted() {
        for toml in ["x = 1\nprofile = \"hunter2", "profile = ['hunter2']", "profile = 'hunter2 x'"]
        {
            let error = load(toml, &[]).unwrap_err().to_string();
            assert!(error.contains("config.toml") && !error.contains("hunter2"), "{error}");
        }
        let error = load("x = 1\nprofile = \"hunter2", &[]).unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn values_that_are_none_are_refused() {
        for toml in [
            "keychain = 'x'",
            "fallback = '../x'",
            "personal_tokens = true",
            "mint = true",
            "registry.'h h'.insecure = true",
        ] {
            assert!(load(toml, &[]).is_err(), "{toml}");
        }
        for pair in [
            ("PROFILE", "../x"),
            ("INSECURE", "h h"),
            ("TRUST_REALM", "h"),
            ("REVOKE_ON_ERASE", "maybe"),
        ] {
            assert!(load("", &[pair]).is_err(), "{pair:?}");
        }
    }
}
