//! The tokens that users had made by the registry's own API, each a password of a kind.

use super::journal::hash;

/// A token as an API lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minted {
    /// What the API calls it.
    pub id: String,
    /// Whose it is.
    pub user: String,
    /// What its user called it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it ends, as it was asked for.
    pub expires: Option<String>,
    /// [`hash`] of the secret.
    pub hash: String,
}

/// All of them, oldest first.
#[derive(Clone, Default)]
pub struct MintedTokens {
    all: Vec<Minted>,
    made: u64,
    /// Of bearer tokens: whose, and whether for a password.
    bearers: Vec<(String, String, bool)>,
}

impl MintedTokens {
    /// The number of the next one.
    pub fn next(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// Adds one.
    pub fn add(&mut self, token: Minted) {
        self.all.push(token);
    }

    /// Those of one user.
    pub fn of<'a>(&'a self, user: &'a str) -> impl Iterator<Item = &'a Minted> {
        self.all.iter().filter(move |token| token.user == user)
    }

    /// All of them.
    pub fn all(&self) -> &[Minted] {
        &self.all
    }

    /// Ends one; false if there is none.
    pub fn remove(&mut self, user: &str, id: &str) -> bool {
        let before = self.all.len();
        self.all.retain(|token| token.user != user || token.id != id);
        self.all.len() < before
    }

    /// Adds a bearer token.
    pub fn add_bearer(&mut self, token: &str, user: &str, by_password: bool) {
        self.bearers.push((hash(token), user.to_owned(), by_password));
    }

    /// Whose a bearer token is, and whether it was got for a password.
    pub fn bearer(&self, token: &str) -> Option<(String, bool)> {
        let token = hash(token);
        let found = self.bearers.iter().find(|(known, ..)| *known == token);
        found.map(|(_, user, by_password)| (user.clone(), *by_password))
    }

    /// Whose token it is.
    pub fn owner(&self, secret: &str) -> Option<String> {
        let secret = hash(secret);
        self.all.iter().find(|token| token.hash == secret).map(|token| token.user.clone())
    }

    /// Ends all.
    pub fn clear(&mut self) {
        self.all.clear();
    }

    /// Whether a secret is one of a user's.
    pub fn has(&self, user: &str, secret: &str) -> bool {
        let secret = hash(secret);
        self.of(user).any(|token| token.hash == secret)
    }
}
