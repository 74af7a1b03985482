//! A login that has its token, and is not kept yet.

use super::ready::Destination;
use crate::keychain::KeychainName;
use crate::login_record::{Credential, LoginRecord};
use crate::mint::Fresh;
use crate::personal_token::PersonalToken;
use crate::registry::TokenEndpoint;
use crate::secret::RefreshToken;
use crate::server_url::ServerUrl;
use crate::token::{ProvenToken, account_of, expiry_of};

/// A login that has its token, and is not kept yet.
pub struct NewLogin {
    pub(super) url: ServerUrl,
    pub(super) account: String,
    pub(super) destination: Destination,
    pub(super) token: LoginToken,
}

impl NewLogin {
    /// Whether it is a personal token, which is kept as it is.
    pub fn is_personal(&self) -> bool {
        matches!(self.token, LoginToken::Personal { .. })
    }

    /// Whether it is a token that the registry's API made.
    pub fn is_minted(&self) -> bool {
        matches!(self.token, LoginToken::Minted { .. })
    }
}

/// The token of a new login: the only kinds that may be kept.
pub(super) enum LoginToken {
    /// Exchanged or given, and seen to work.
    Proven { token: ProvenToken, endpoint: TokenEndpoint },
    /// Seen to be accepted as it is, at the token endpoint or, where there is none, at the registry.
    Personal { token: PersonalToken, endpoint: Option<TokenEndpoint> },
    /// Made by the registry's API, and seen to be accepted as it is.
    Minted { fresh: Box<Fresh>, endpoint: TokenEndpoint },
    /// A client's own: kept as it came, without network.
    AsItCame(RefreshToken),
}

impl LoginToken {
    pub(super) fn secret(&self) -> &RefreshToken {
        match self {
            Self::Proven { token, .. } => token.secret(),
            Self::Personal { token, .. } => token.to_keep(),
            Self::Minted { fresh, .. } => &fresh.token,
            Self::AsItCame(token) => token,
        }
    }

    pub(super) fn record(
        &self,
        profile: &str,
        url: &ServerUrl,
        account: &str,
        keychain: &KeychainName,
    ) -> LoginRecord {
        let mut record = LoginRecord::new(profile, url.key(), keychain.clone());
        record.server_url = url.asked().to_owned();
        record.account = account.to_owned();
        match self {
            Self::AsItCame(token) => {
                record.expires = expiry_of(token);
                if record.account.is_empty() {
                    record.account = account_of(token).unwrap_or_default();
                }
            }
            Self::Personal { endpoint, .. } => {
                record.proven = true;
                record.credential = Credential::PersonalToken;
                record.realm = endpoint.as_ref().map(|at| at.realm.url().to_string());
                record.service = endpoint.as_ref().and_then(|at| at.service.clone());
            }
            Self::Minted { fresh, endpoint } => {
                record.proven = true;
                record.credential = Credential::PersonalToken;
                record.minted = Some(fresh.minted.clone());
                record.realm = Some(endpoint.realm.url().to_string());
                record.service.clone_from(&endpoint.service);
                record.expires = fresh.expires;
            }
            Self::Proven { token, endpoint } => {
                record.proven = true;
                record.realm = Some(endpoint.realm.url().to_string());
                record.service.clone_from(&endpoint.service);
                record.obtained_as.clone_from(&token.obtained_as);
                record.proven_as = Some(token.proven_as.to_owned());
                record.expires = token.expires;
            }
        }
        record
    }
}
