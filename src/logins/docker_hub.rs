//! Docker Hub's own login (docker/cli `internal/oauth/manager`): without `-u`, Docker stores an access
//! token and a refresh token under keys of their own, and then a personal token that it had Docker Hub
//! create.

use super::{Logins, parse_url};
use crate::login_record::{LoginRecord, Lookup};
use crate::server_url::{DOCKER_HUB, DOCKER_HUB_OAUTH, ServerUrl};

impl Logins<'_> {
    /// Whether a login is the last step of Docker Hub's own: Docker has kept its pair for the account.
    pub(super) fn completes_docker_hub_login(&self, url: &ServerUrl, account: &str) -> bool {
        let has_pair = || self.docker_hub_pair(account).len() == DOCKER_HUB_OAUTH.len();
        url.key() == DOCKER_HUB && has_pair()
    }

    /// After the last step failed: what the first two kept goes, unless an earlier login is made of it.
    pub(super) fn forget_incomplete_pair(&mut self, server_url: &str, account: &str) {
        let Ok(url) = parse_url(server_url) else { return };
        if !self.completes_docker_hub_login(&url, account) {
            return;
        }
        let completed = self.recorded(DOCKER_HUB).map(|login| login.since);
        for login in self.docker_hub_pair(account) {
            if completed.is_some_and(|since| since >= login.since) {
                continue;
            }
            let name = &login.server_url;
            let erased = parse_url(&login.key).and_then(|url| self.erase_ours(&url, ""));
            match erased {
                Ok(_) => self.note(&format!("{name} was removed again, since the login failed")),
                Err(error) => {
                    self.note(&format!("{name} stays, although the login failed: {error}"));
                }
            }
        }
    }

    fn docker_hub_pair(&self, account: &str) -> Vec<LoginRecord> {
        let recorded = DOCKER_HUB_OAUTH.into_iter().filter_map(|key| self.recorded(key));
        recorded.filter(|login| login.account == account).collect()
    }

    fn recorded(&self, key: &str) -> Option<LoginRecord> {
        match self.records.look_up(&self.settings.profile, std::iter::once(key)) {
            Ok(Lookup::Found(login)) => Some(*login),
            _ => None,
        }
    }
}
