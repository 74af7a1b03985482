//! Resource scopes (distribution specification, "Token Scope Documentation"):
//! `repository:team/app:pull,push`.

use std::fmt;
use std::str::FromStr;

/// One resource and what may be done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    resource: String,
    actions: Vec<String>,
}

/// Why a text is not a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a scope of the form TYPE:NAME:ACTION,ACTION, such as repository:team/app:pull")]
pub struct NoScope;

/// Why a text is not the name of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not the name of a repository; leave out registry and tag, as in team/app")]
pub struct NotARepository;

impl Scope {
    /// The scopes of a server's answer: separated by spaces, as the specification has it, or by
    /// commas, as distribution's token server writes them. A comma also separates actions, so a new
    /// scope begins only at another `type:name:`. None if no word of the text is a scope.
    pub fn parse_list(text: &str) -> Option<Vec<Self>> {
        let mut scopes: Vec<Self> = Vec::new();
        for word in text.split_ascii_whitespace() {
            let mut follows = false;
            for part in word.split(',') {
                if let Some((resource, action)) = resource_and_action(part) {
                    let actions = [action].map(str::to_owned).into();
                    scopes.push(Self { resource: resource.to_owned(), actions });
                    follows = true;
                } else if let (true, Some(scope)) = (follows, scopes.last_mut()) {
                    scope.actions.push(part.to_owned());
                }
            }
        }
        scopes.iter_mut().for_each(|scope| scope.actions.retain(|action| !action.is_empty()));
        (!scopes.is_empty()).then(|| Self::merged(scopes))
    }

    /// One scope for each resource, with all its actions.
    pub fn merged(scopes: Vec<Self>) -> Vec<Self> {
        let mut merged: Vec<Self> = Vec::new();
        for scope in scopes {
            match merged.iter_mut().find(|known| known.resource == scope.resource) {
                None => merged.push(scope),
                Some(known) => {
                    let new = scope.actions.into_iter().filter(|a| !known.actions.contains(a));
                    let new: Vec<_> = new.collect();
                    known.actions.extend(new);
                }
            }
        }
        merged
    }

    /// As the specification writes a list: separated by spaces.
    pub fn join(scopes: &[Self]) -> String {
        scopes.iter().map(Self::to_string).collect::<Vec<_>>().join(" ")
    }

    /// What `token --pull` and `--push` ask for.
    ///
    /// # Errors
    /// [`NotARepository`].
    pub fn repository(name: &str, actions: &[&str]) -> Result<Self, NotARepository> {
        let actions = actions.iter().map(|&action| action.to_owned()).collect();
        is_repository(name).then(|| Self::new("repository", name, actions)).ok_or(NotARepository)
    }

    /// A resource, as an access token's `access` claim has it.
    pub fn new(kind: &str, name: &str, actions: Vec<String>) -> Self {
        Self { resource: format!("{kind}:{name}"), actions }
    }

    /// What of this scope `granted` does not have.
    pub fn missing_from(&self, granted: &[Self]) -> Option<Self> {
        let has = |action: &String| {
            granted.iter().any(|scope| {
                without_class(&scope.resource) == without_class(&self.resource)
                    && scope.actions.iter().any(|had| had == action || had == "*")
            })
        };
        let missing: Vec<_> = self.actions.iter().filter(|a| !has(a)).cloned().collect();
        (!missing.is_empty()).then(|| Self { resource: self.resource.clone(), actions: missing })
    }
}

/// `repository:host:5000/a:pull`; the name can have colons where it begins with a host and port.
fn resource_and_action(text: &str) -> Option<(&str, &str)> {
    let (resource, action) = text.rsplit_once(':')?;
    let (kind, name) = resource.split_once(':')?;
    (!kind.is_empty() && !name.is_empty()).then_some((resource, action))
}

/// `repository(plugin):a` is the repository `a`; not every server repeats the class in its answer.
fn without_class(resource: &str) -> (&str, &str) {
    let (kind, name) = resource.split_once(':').unwrap_or((resource, ""));
    (kind.split('(').next().unwrap_or(kind), name)
}

/// A name by the distribution specification ("Pulling manifests"): without tag, and without a registry
/// and its port.
fn is_repository(name: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let is_component = |component: &str| {
        let ends = [component.bytes().next(), component.bytes().next_back()];
        ends.into_iter().all(|end| end.is_some_and(is_word))
            && component.split(|c: char| c.is_ascii() && is_word(c as u8)).all(|between| {
                matches!(between, "" | "." | "_" | "__") || between.bytes().all(|b| b == b'-')
            })
    };
    name.len() <= 255 && name.split('/').all(is_component)
}

impl FromStr for Scope {
    type Err = NoScope;

    fn from_str(text: &str) -> Result<Self, NoScope> {
        let (resource, actions) = resource_and_action(text).ok_or(NoScope)?;
        let printable = text.bytes().all(|b| (b'!'..=b'~').contains(&b) && b != b'"' && b != b'\\');
        let several = resource.contains(',');
        let actions: Vec<_> = actions.split(',').map(str::to_owned).collect();
        if several || !printable || actions.iter().any(String::is_empty) {
            return Err(NoScope);
        }
        Ok(Self { resource: resource.to_owned(), actions })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.resource, self.actions.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        text.parse().unwrap()
    }

    #[test]
    fn what_was_not_granted_is_told_by_action() {
        let granted = Scope::parse_list("repository:a/b:pull registry:catalog:* x").unwrap();
        assert_eq!(scope("repository:a/b:pull").missing_from(&granted), None);
        assert_eq!(scope("registry:catalog:*").missing_from(&granted), None);
        let missing = scope("repository:a/b:pull,push").missing_from(&granted).unwrap();
        assert_eq!(missing.to_string(), "repository:a/b:push");
        let everything = Scope::parse_list("repository:a/b:* repository:a/c:pull").unwrap();
        assert_eq!(scope("repository:a/b:pull,push").missing_from(&everything), None);
        assert!(scope("repository:a/c:push").missing_from(&everything).is_some());
        assert!(scope("repository:a:pull").missing_from(&granted).is_some());
        assert!(scope("repository(plugin):h:5000/a:pull").missing_from(&[]).is_some());
    }

    #[test]
    fn a_list_is_read_as_any_server_writes_it() {
        let read = |text: &str| {
            let scopes = Scope::parse_list(text)?;
            Some(Scope::join(&scopes))
        };
        for (text, expected) in [
            ("repository:a/b:pull,push", "repository:a/b:pull,push"),
            ("repository:a:pull repository:b:push", "repository:a:pull repository:b:push"),
            // distribution's token server: one action each.
            ("repository:a:pull,repository:a:push", "repository:a:pull,push"),
            ("repository:a:pull repository:a:push,pull", "repository:a:pull,push"),
            (
                "repository:a:pull,push,registry:catalog:*,repository(plugin):h:5000/c:delete",
                "repository:a:pull,push registry:catalog:* repository(plugin):h:5000/c:delete",
            ),
            (" repository:a:pull,\trepository:b:pull,\n", "repository:a:pull repository:b:pull"),
            ("openid repository:a:pull x:y", "repository:a:pull"),
            // Nothing was granted there.
            ("repository:a:", "repository:a:"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", " ", ",", "pull,push", "openid profile", "a:b", ":::", "::pull"] {
            assert_eq!(read(text), None, "{text:?}");
        }
        let one_each = Scope::parse_list("repository:a:pull,repository:a:push").unwrap();
        assert_eq!(scope("repository:a:push,pull").missing_from(&one_each), None);
        let nothing = Scope::parse_list("repository:a:").unwrap();
        assert!(scope("repository:a:pull").missing_from(&nothing).is_some());
        let plugin = Scope::parse_list("repository:a:pull").unwrap();
        assert_eq!(scope("repository(plugin):a:pull").missing_from(&plugin), None);
        assert!(scope("repository(plugin):b:pull").missing_from(&plugin).is_some());
    }

    #[test]
    fn only_a_repositorys_name_can_be_pulled() {
        for name in ["alpine", "team/app", "a/b/c", "a.b_c__d---e/0"] {
            let scope = Scope::repository(name, &["pull", "push"]).unwrap();
            assert_eq!(scope.to_string(), format!("repository:{name}:pull,push"));
        }
        assert!(Scope::repository(&"a".repeat(255), &["pull"]).is_ok());
        for name in [
            "a".repeat(256).as_str(),
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "Team/app",
            "a:v1",
            "h:5000/a",
            "a@sha256:0",
            "a b",
            "a,b",
            "-a",
            "a-",
            "a..b",
            "a___b",
            "a._b",
            "repository:a:pull",
            "\u{e9}",
        ] {
            assert_eq!(Scope::repository(name, &["pull"]), Err(NotARepository), "{name:?}");
        }
    }

    #[test]
    fn what_is_no_scope_is_refused() {
        for text in [
            "",
            "pull",
            "repository:a",
            "repository::pull",
            ":a:pull",
            "repository:a:",
            "repository:a:pull,",
            "repository:a b:pull",
            "repository:a:pull\n",
            "repository:a:pull,repository:b:pull",
        ] {
            assert_eq!(text.parse::<Scope>(), Err(NoScope), "{text:?}");
        }
    }
}
