//! What the tokens of one login are called at the API, and which of those that are there is in use.

use super::api::Listed;

/// The two names that a login's tokens have by turns: some APIs take each name once, and the previous
/// token is deleted only after the next one is kept.
pub struct Names {
    first: String,
}

impl Names {
    /// For a login on a host. The tag tells it from other logins on hosts of the same name: what is
    /// called so may be deleted.
    pub fn new(host: &str, tag: u32) -> Self {
        Self { first: format!("{}@{host} {tag:08x}", crate::environment::PROGRAM) }
    }

    pub(super) fn first(&self) -> &str {
        &self.first
    }

    fn second(&self) -> String {
        format!("{} (2)", self.first)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        name == self.first || name == self.second()
    }

    /// One that is not that of this token.
    pub(super) fn beside(&self, other: Option<&Listed>) -> String {
        match other {
            Some(other) if other.name == self.first => self.second(),
            _ => self.first.clone(),
        }
    }

    /// Of all that an API lists: the token that is in use, as far as is known, and those that runs
    /// which were cut short have left.
    pub(super) fn sort_out(
        &self,
        listed: Vec<Listed>,
        recorded: Option<&str>,
    ) -> (Option<Listed>, Vec<Listed>) {
        let mut ours: Vec<Listed> =
            listed.into_iter().filter(|token| self.has(&token.name)).collect();
        let known = ours.iter().position(|token| Some(token.id.as_str()) == recorded);
        // Without a record any of them may be in a keychain: one is spared until the next is kept.
        let in_use = known.or(ours.len().checked_sub(1)).map(|at| ours.remove(at));
        // One that is listed twice, as where another page begins, is still the one in use.
        ours.retain(|token| in_use.as_ref().is_none_or(|used| used.id != token.id));
        (in_use, ours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_more_than_two_and_the_recorded_one_is_in_use() {
        let names = Names::new("host", 0xabc);
        let [first, second] = [
            "docker-credential-refresh@host 00000abc",
            "docker-credential-refresh@host 00000abc (2)",
        ];
        let token = |id: &str, name: &str| Listed { id: id.into(), name: name.into() };
        let others = [token("8", "mine"), token("9", "docker-credential-refresh@host 00000abd")];
        for (ours, recorded, in_use, left, next) in [
            (&[][..], None, None, &[][..], first),
            (&[("1", first)], Some("1"), Some("1"), &[], second),
            (&[("1", first)], None, Some("1"), &[], second),
            (&[("2", second)], Some("2"), Some("2"), &[], first),
            (&[("1", first), ("2", second)], Some("1"), Some("1"), &["2"], second),
            (&[("1", first), ("2", second)], Some("2"), Some("2"), &["1"], first),
            (&[("1", first), ("1", first)], Some("1"), Some("1"), &[], second),
            (&[("1", first), ("2", second)], Some("7"), Some("2"), &["1"], first),
            (&[("1", first), ("2", second), ("3", first)], None, Some("3"), &["1", "2"], second),
        ] {
            let listed = ours.iter().map(|(id, name)| token(id, name)).chain(others.clone());
            let (used, stale) = names.sort_out(listed.collect(), recorded);
            assert_eq!(used.as_ref().map(|token| token.id.as_str()), in_use);
            assert_eq!(stale.iter().map(|token| token.id.as_str()).collect::<Vec<_>>(), left);
            assert_eq!(names.beside(used.as_ref()), next);
        }
    }
}
