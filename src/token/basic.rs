//! HTTP Basic at the token endpoint: the token specification's first form, and what clients do with a
//! personal token.

use super::{Answer, TokenResponse, TokenServer, USED_AS};
use crate::error::Result;
use crate::http::Body;
use crate::scope::Scope;
use crate::secret::{Password, Secret};

impl TokenServer<'_> {
    /// Asks for a refresh token by HTTP Basic, unless `offline` says not to.
    pub(super) fn basic_get(
        &self,
        client_id: &str,
        username: &str,
        password: &Password,
        offline: bool,
    ) -> Result<Answer> {
        let mut query = vec![("account", username), ("client_id", client_id)];
        query.extend(offline.then_some(("offline_token", "true")));
        self.get(&query, username, password).inspect(|answer| {
            self.note_accepted(answer);
            if let Answer::Tokens(TokenResponse { access: Some(_), .. }) = answer {
                self.accepted_basic.set(true);
            }
        })
    }

    /// Asks for an access token by HTTP Basic, as clients do with a personal token.
    ///
    /// # Errors
    /// As [`TokenServer::refresh`].
    pub fn access(
        &self,
        username: &str,
        password: &dyn Secret,
        scopes: &[Scope],
    ) -> Result<Answer> {
        let scopes: Vec<String> = scopes.iter().map(Scope::to_string).collect();
        let mut query = vec![("account", username), ("client_id", USED_AS)];
        query.extend(scopes.iter().map(|scope| ("scope", scope.as_str())));
        self.get(&query, username, password)
    }

    /// `GET` with Basic auth; the realm's own query is kept.
    fn get(&self, query: &[(&str, &str)], username: &str, password: &dyn Secret) -> Result<Answer> {
        let query = self.service().into_iter().chain(query.iter().copied());
        let url = self.endpoint.realm.trusted().with_query(query);
        let body = Body::Basic(username, password);
        let answer =
            self.understand("log in", self.http.send(&url, &self.endpoint.trust, &body))?;
        self.readable(answer)
    }
}
