//! The registries' own APIs that make tokens: their names, for the settings and the records, and what a
//! record knows of a token that was made by one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An API by which users of a registry have tokens made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenApi {
    /// Gitea's `/api/v1`.
    Gitea,
    /// The same, of its fork.
    Forgejo,
    /// Docker Hub's `/v2/access-tokens`.
    DockerHub,
    /// JFrog's `/access/api/v1/tokens`.
    Artifactory,
}

impl TokenApi {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Gitea, Self::Forgejo, Self::DockerHub, Self::Artifactory];

    /// As settings and records name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gitea => "gitea",
            Self::Forgejo => "forgejo",
            Self::DockerHub => "docker-hub",
            Self::Artifactory => "artifactory",
        }
    }
}

impl fmt::Display for TokenApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether a password is to become a token of the registry's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Minting {
    /// Never.
    #[default]
    Off,
    /// By the API that the registry is seen to have.
    Auto,
    /// By this one.
    By(TokenApi),
}

impl Minting {
    /// As the settings take it.
    pub const WORDS: [&str; 6] = ["off", "auto", "gitea", "forgejo", "docker-hub", "artifactory"];
}

/// Not one of [`Minting::WORDS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not one of {}", Minting::WORDS.join(", "))]
pub struct UnknownApi;

impl FromStr for Minting {
    type Err = UnknownApi;

    fn from_str(text: &str) -> Result<Self, UnknownApi> {
        match text {
            "off" => Ok(Self::Off),
            "auto" => Ok(Self::Auto),
            _ => {
                let named = TokenApi::ALL.into_iter().find(|api| api.name() == text);
                named.map(Self::By).ok_or(UnknownApi)
            }
        }
    }
}

impl fmt::Display for Minting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Auto => f.write_str("auto"),
            Self::By(api) => f.write_str(api.name()),
        }
    }
}

/// What is known of a token that was made here: enough to have it deleted. No secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MintedToken {
    /// By which API.
    pub api: TokenApi,
    /// Where that is: a URL that its paths are appended to.
    pub url: String,
    /// What the API calls the token.
    pub id: String,
    /// What people see on the registry's page.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_settings_take_is_read_and_written() {
        for word in Minting::WORDS {
            assert_eq!(word.parse::<Minting>().map(|read| read.to_string()).as_deref(), Ok(word));
        }
        assert_eq!(Minting::WORDS.len(), TokenApi::ALL.len() + 2);
        assert!("Gitea".parse::<Minting>().is_err());
    }
}
