//! The known word that somebody who mistyped it probably meant.

/// The nearest of some known words: one that begins so, or with few letters wrong; none if more
/// than a third would be wrong.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_ascii_lowercase().replace('_', "-");
    let distance = |word: &str| {
        let word = word.to_ascii_lowercase().replace('_', "-");
        if typed.len() >= 3 && word.starts_with(&typed) {
            return Some(1);
        }
        let distance = strsim::damerau_levenshtein(&typed, &word);
        (distance * 3 <= typed.len().max(word.len())).then_some(distance)
    };
    let near = known.into_iter().filter_map(|word| Some((distance(word)?, word)));
    near.min().map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_near_by_its_beginning_or_by_few_letters() {
        let known = ["status", "store", "secret-service", "revoke_on_erase"];
        for (typed, meant) in [
            ("statsu", Some("status")),
            ("STATUS", Some("status")),
            ("sta", Some("status")),
            ("secret_service", Some("secret-service")),
            ("revoke-on-erase", Some("revoke_on_erase")),
            ("revokeonerase", Some("revoke_on_erase")),
            ("s", None),
            ("", None),
            ("hunter2", None),
        ] {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
    }
}
