//! Who may do what: users with hashed passwords, and the subset of a requested scope they get.

use std::fmt;

use super::journal::hash;
use super::minted::MintedTokens;

/// One resource scope: `repository:alice/app:pull,push`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// `repository`, `registry`, perhaps with a class in parentheses.
    pub kind: String,
    /// The resource; in a policy, `*` stands for any run of characters.
    pub name: String,
    /// What may be done; in a policy, `*` stands for everything.
    pub actions: Vec<String>,
}

impl Scope {
    /// Reads one scope; `None` if it has not three parts.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        // The name may have colons of its own (`host:port/path`).
        let (name, actions) = rest.rsplit_once(':')?;
        let whole = !kind.is_empty() && !name.is_empty();
        whole.then(|| Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            actions: actions.split(',').filter(|a| !a.is_empty()).map(str::to_owned).collect(),
        })
    }

    /// The actions of `self` that a policy grants.
    fn granted_by(&self, policy: &[Self]) -> Vec<String> {
        let matching: Vec<_> = policy
            .iter()
            .filter(|rule| rule.kind == self.kind && matches(&rule.name, &self.name))
            .flat_map(|rule| &rule.actions)
            .collect();
        let granted = |action: &&String| matching.iter().any(|m| *m == "*" || m == action);
        self.actions.iter().filter(granted).cloned().collect()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.kind, self.name, self.actions.join(","))
    }
}

/// Whether a pattern with `*` matches the whole of a name.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).any(|n| rest.is_char_boundary(n) && matches(after, &rest[n..]))
        }),
    }
}

/// The subset of what was asked that a policy grants; a resource with no action left is dropped.
pub fn grant(asked: &[Scope], policy: &[Scope]) -> Vec<Scope> {
    asked
        .iter()
        .map(|scope| Scope { actions: scope.granted_by(policy), ..scope.clone() })
        .filter(|scope| !scope.actions.is_empty())
        .collect()
}

/// What a user may do who has no policy of their own: all under their name, and pull everything.
fn default_policy(user: &str) -> Vec<Scope> {
    let rule = |name: String, action: &str| Scope {
        kind: "repository".into(),
        name,
        actions: vec![action.into()],
    };
    vec![rule(format!("{user}/*"), "*"), rule("*".into(), "pull")]
}

/// A user; the password is kept as a salted hash, as in an htpasswd file.
#[derive(Clone)]
struct User {
    name: String,
    password: String,
    api_tokens: Vec<String>,
    policy: Option<Vec<Scope>>,
}

/// How an attempt to log in ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The user's own password.
    Password,
    /// A token that stands in for it (a personal access token).
    ApiToken,
    /// Another user's, or nobody's.
    Wrong,
    /// There is no such user.
    UnknownUser,
}

/// The users, and what anonymous clients may do.
#[derive(Clone, Default)]
pub struct Users {
    users: Vec<User>,
    /// The tokens that they had made.
    pub minted: MintedTokens,
    /// What is granted without a login; `None` refuses those clients.
    pub anonymous: Option<Vec<Scope>>,
}

impl Users {
    fn entry(&mut self, name: &str) -> &mut User {
        let found = self.users.iter().position(|user| user.name == name);
        let index = found.unwrap_or_else(|| {
            let name = name.to_owned();
            let user = User { name, password: String::new(), api_tokens: Vec::new(), policy: None };
            self.users.push(user);
            self.users.len() - 1
        });
        &mut self.users[index]
    }

    /// Adds a user, or gives one another password.
    pub fn set_password(&mut self, name: &str, password: &str) {
        self.entry(name).password = salted(name, password);
    }

    /// Adds a token that a user may give as the password.
    pub fn add_api_token(&mut self, name: &str, token: &str) {
        let token = salted(name, token);
        self.entry(name).api_tokens.push(token);
    }

    /// Ends the tokens that a user may give as the password.
    pub fn remove_api_tokens(&mut self, name: &str) {
        self.entry(name).api_tokens.clear();
    }

    /// Adds a scope to a user's own policy, which takes the place of the default one.
    pub fn add_scope(&mut self, name: &str, scope: &str) {
        let scope = Scope::parse(scope).expect("a policy's scope is type:name:actions");
        self.entry(name).policy.get_or_insert_default().push(scope);
    }

    /// Adds a scope that is granted without a login.
    pub fn add_anonymous_scope(&mut self, scope: &str) {
        let scope = Scope::parse(scope).expect("a policy's scope is type:name:actions");
        self.anonymous.get_or_insert_default().push(scope);
    }

    /// Whether there is such a user.
    pub fn knows(&self, name: &str) -> bool {
        self.users.iter().any(|user| user.name == name)
    }

    /// Checks a password.
    pub fn check(&self, name: &str, password: &str) -> Verdict {
        let Some(user) = self.users.iter().find(|user| user.name == name) else {
            return Verdict::UnknownUser;
        };
        let given = salted(name, password);
        if user.password == given {
            Verdict::Password
        } else if user.api_tokens.contains(&given) || self.minted.has(name, password) {
            Verdict::ApiToken
        } else {
            Verdict::Wrong
        }
    }

    /// What of `asked` the subject gets; the empty name is the anonymous one.
    pub fn grant(&self, subject: &str, asked: &[Scope]) -> Vec<Scope> {
        if subject.is_empty() {
            return grant(asked, self.anonymous.as_deref().unwrap_or_default());
        }
        let own =
            self.users.iter().find(|user| user.name == subject).and_then(|u| u.policy.as_ref());
        match own {
            Some(policy) => grant(asked, policy),
            None => grant(asked, &default_policy(subject)),
        }
    }
}

/// The user's name is the salt: enough to keep the text of a password out of the process.
fn salted(name: &str, password: &str) -> String {
    hash(&format!("{name}\0{password}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(text: &str) -> Vec<Scope> {
        text.split(' ').filter_map(Scope::parse).collect()
    }

    fn granted(users: &Users, subject: &str, asked: &str) -> String {
        let granted = users.grant(subject, &scopes(asked));
        granted.iter().map(Scope::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_user_owns_their_name_and_pulls_the_rest() {
        let users = Users::default();
        let asked = "repository:alice/app:pull,push repository:bob/app:pull,push \
                     repository:alicex/app:push registry:catalog:*";
        let expected = "repository:alice/app:pull,push repository:bob/app:pull";
        assert_eq!(granted(&users, "alice", asked), expected);
    }

    #[test]
    fn a_policy_of_ones_own_replaces_the_default() {
        let mut users = Users::default();
        users.add_scope("alice", "repository:team/*:pull");
        users.add_scope("alice", "registry:catalog:*");
        let asked = "repository:alice/app:pull repository:team/a/b:pull,push registry:catalog:*";
        let expected = "repository:team/a/b:pull registry:catalog:*";
        assert_eq!(granted(&users, "alice", asked), expected);
    }

    #[test]
    fn anonymous_clients_get_what_was_set_and_no_more() {
        let mut users = Users::default();
        assert_eq!(granted(&users, "", "repository:a:pull"), "");
        users.add_anonymous_scope("repository:public/*:pull");
        let asked = "repository:public/a:pull,push repository:a:pull";
        assert_eq!(granted(&users, "", asked), "repository:public/a:pull");
    }

    #[test]
    fn names_may_have_colons_and_stars_match_any_run() {
        let scope = Scope::parse("repository:host:5000/a/b:pull,push").unwrap();
        assert_eq!(scope.name, "host:5000/a/b");
        assert_eq!(Scope::parse("repository:pull"), None);
        assert!(matches("a*c*e", "abcde"));
        assert!(!matches("a*c*e", "abcdef"));
    }

    #[test]
    fn passwords_are_the_users_own() {
        let mut users = Users::default();
        users.set_password("alice", "one");
        users.set_password("bob", "two");
        users.add_api_token("alice", "pat");
        assert_eq!(users.check("alice", "one"), Verdict::Password);
        assert_eq!(users.check("alice", "pat"), Verdict::ApiToken);
        assert_eq!(users.check("alice", "two"), Verdict::Wrong);
        assert_eq!(users.check("bob", "pat"), Verdict::Wrong);
        assert_eq!(users.check("carol", ""), Verdict::UnknownUser);
    }
}
