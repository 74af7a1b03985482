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

/// Why a text is no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no scope of the form TYPE:NAME:ACTION,ACTION, such as repository:team/app:pull")]
pub struct NoScope;

impl Scope {
    /// The scopes of a server's answer, which it separates by spaces; what is none is left out.
    pub fn parse_list(text: &str) -> Vec<Self> {
        text.split_ascii_whitespace().filter_map(|scope| scope.parse().ok()).collect()
    }

    /// A resource, as an access token's `access` claim has it.
    pub fn new(kind: &str, name: &str, actions: Vec<String>) -> Self {
        Self { resource: format!("{kind}:{name}"), actions }
    }

    /// What of this scope `granted` does not have.
    pub fn missing_from(&self, granted: &[Self]) -> Option<Self> {
        let has = |action: &String| {
            granted.iter().any(|scope| {
                scope.resource == self.resource
                    && scope.actions.iter().any(|had| had == action || had == "*")
            })
        };
        let missing: Vec<_> = self.actions.iter().filter(|a| !has(a)).cloned().collect();
        (!missing.is_empty()).then(|| Self { resource: self.resource.clone(), actions: missing })
    }
}

impl FromStr for Scope {
    type Err = NoScope;

    fn from_str(text: &str) -> Result<Self, NoScope> {
        // A name can have a colon, where it begins with a registry's host and port.
        let (resource, actions) = text.rsplit_once(':').ok_or(NoScope)?;
        let (kind, name) = resource.split_once(':').ok_or(NoScope)?;
        let printable = text.bytes().all(|b| (b'!'..=b'~').contains(&b) && b != b'"' && b != b'\\');
        let actions: Vec<_> = actions.split(',').map(str::to_owned).collect();
        if kind.is_empty() || name.is_empty() || !printable || actions.iter().any(String::is_empty)
        {
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
        let granted = Scope::parse_list("repository:a/b:pull registry:catalog:* x");
        assert_eq!(scope("repository:a/b:pull").missing_from(&granted), None);
        assert_eq!(scope("registry:catalog:*").missing_from(&granted), None);
        let missing = scope("repository:a/b:pull,push").missing_from(&granted).unwrap();
        assert_eq!(missing.to_string(), "repository:a/b:push");
        assert!(scope("repository:a:pull").missing_from(&granted).is_some());
        assert!(scope("repository(plugin):h:5000/a:pull").missing_from(&[]).is_some());
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
        ] {
            assert_eq!(text.parse::<Scope>(), Err(NoScope), "{text:?}");
        }
    }
}
