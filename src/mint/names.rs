//! What the tokens of one login are called at the API, and which of those that are there are in use.

use super::api::Listed;

/// The names of a login's tokens: some APIs take each name once, and the previous token is deleted only
/// after the next one is kept, so that they have two by turns. Two spellings of a registry in one
/// command need a third.
pub struct Names {
    first: String,
}

/// What an API lists of a login's tokens.
pub(super) struct Sorted {
    /// The one that is kept, as far as is known.
    pub(super) in_use: Option<Listed>,
    /// Those that this process has made.
    pub(super) new: Vec<Listed>,
    /// Those of runs that were cut short.
    pub(super) left: Vec<Listed>,
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

    fn nth(&self, n: usize) -> String {
        match n {
            1 => self.first.clone(),
            n => format!("{} ({n})", self.first),
        }
    }

    fn has(&self, name: &str) -> bool {
        let Some(rest) = name.strip_prefix(&self.first) else { return false };
        let number = rest.strip_prefix(" (").and_then(|rest| rest.strip_suffix(')'));
        rest.is_empty() || number.is_some_and(|number| number.parse::<u32>().is_ok())
    }

    /// Of all that an API lists.
    pub(super) fn sort_out(
        &self,
        listed: Vec<Listed>,
        recorded: Option<&str>,
        made_here: &[String],
    ) -> Sorted {
        let ours = listed.into_iter().filter(|token| self.has(&token.name));
        let (new, mut ours): (Vec<_>, Vec<_>) =
            ours.partition(|token| made_here.contains(&token.id));
        let known = ours.iter().position(|token| Some(token.id.as_str()) == recorded);
        // Without a record any of them may be in a keychain: one is spared until the next is kept.
        let in_use = known.or(ours.len().checked_sub(1)).map(|at| ours.remove(at));
        // One that is listed twice, as where another page begins, is still the one in use.
        ours.retain(|token| in_use.as_ref().is_none_or(|used| used.id != token.id));
        Sorted { in_use, new, left: ours }
    }

    /// A name that none of those has which stay.
    pub(super) fn free(&self, sorted: &Sorted) -> String {
        let taken = |name: &String| sorted.stay().any(|token| token.name == *name);
        let mut all = (1..).map(|n| self.nth(n));
        all.find(|name| !taken(name)).unwrap_or_else(|| self.first.clone())
    }
}

impl Sorted {
    fn stay(&self) -> impl Iterator<Item = &Listed> {
        self.in_use.iter().chain(&self.new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_one_is_in_use_and_all_others_are_left_but_those_of_this_process() {
        let names = Names::new("host", 0xabc);
        let [first, second, third] = [
            "docker-credential-refresh@host 00000abc",
            "docker-credential-refresh@host 00000abc (2)",
            "docker-credential-refresh@host 00000abc (3)",
        ];
        let token = |id: &str, name: &str| Listed { id: id.into(), name: name.into() };
        let others = [
            token("7", "docker-credential-refresh@host 00000abc (x)"),
            token("8", "mine"),
            token("9", "docker-credential-refresh@host 00000abd"),
        ];
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
            // What begins with 0 was made by this process.
            (&[("01", first)], None, None, &[], second),
            (&[("1", first), ("02", second)], Some("1"), Some("1"), &[], third),
            (&[("1", first), ("02", second), ("3", third)], Some("1"), Some("1"), &["3"], third),
            (&[("02", second), ("3", third)], None, Some("3"), &[], first),
        ] {
            let listed = ours.iter().map(|(id, name)| token(id, name)).chain(others.clone());
            let sorted = names.sort_out(listed.collect(), recorded, &["01".into(), "02".into()]);
            assert_eq!(sorted.in_use.as_ref().map(|token| token.id.as_str()), in_use);
            assert_eq!(sorted.left.iter().map(|token| token.id.as_str()).collect::<Vec<_>>(), left);
            assert_eq!(names.free(&sorted), next);
        }
    }
}
