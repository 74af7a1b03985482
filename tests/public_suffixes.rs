//! The table of the Public Suffix List answers by the rules of the list, and as the `psl` crate does.

use std::collections::{BTreeSet, HashSet};

use docker_credential_refresh::origin::public_suffix::registrable_domain;

use crate::support::full_size;

mod table;

/// The rules, to be looked up one by one, as publicsuffix.org tells it.
struct Rules {
    all: HashSet<String>,
    /// The names that have one below them.
    above: HashSet<String>,
}

impl Rules {
    fn new(all: HashSet<String>) -> Self {
        let above = all
            .iter()
            .flat_map(|rule| rule.match_indices('.').map(|(at, _)| rule[at + 1..].to_owned()))
            .collect();
        Self { all, above }
    }

    fn suffix<'n>(&self, name: &'n str) -> &'n str {
        let parent = |name: &'n str| name.split_once('.').map(|(_, parent)| parent);
        let mut ends = std::iter::successors(Some(name), |name| parent(name));
        let matching = ends.find_map(|end| match parent(end) {
            Some(parent) if self.all.contains(&format!("!{end}")) => Some(parent),
            Some(parent) if self.all.contains(&format!("*.{parent}")) => Some(end),
            _ => self.all.contains(end).then_some(end),
        });
        matching.unwrap_or_else(|| name.rsplit('.').next().unwrap())
    }

    fn check(&self, name: &str) {
        let suffix = self.suffix(name);
        let domain =
            name.strip_suffix(suffix).and_then(|rest| rest.strip_suffix('.')).map(|rest| {
                let label = rest.rsplit('.').next().unwrap();
                &name[rest.len() - label.len()..]
            });
        let found = registrable_domain(name);
        assert_eq!(found, domain, "{name}");
        // psl takes `*.at` for no rule of `ex.at` where there is a rule `*.ex.at`.
        if self.all.contains(suffix) || !self.above.contains(suffix) {
            assert_eq!(found, psl::domain_str(name), "{name}");
        }
    }
}

#[test]
fn the_table_is_of_the_list_in_cargo_lock() {
    let table = table::table(&table::rules());
    assert!(
        table == include_str!("../src/origin/public_suffixes.txt"),
        "run: cargo run --example public-suffixes > src/origin/public_suffixes.txt"
    );
}

#[test]
fn every_rule_and_the_names_above_and_below_it_are_answered_by_the_rules() {
    let rules = Rules::new(table::rules().into_iter().collect());
    assert!(rules.all.len() > 10_000, "{}", rules.all.len());
    let mut names = BTreeSet::new();
    for rule in &rules.all {
        for label in ["www", "city"] {
            let name = rule.trim_start_matches('!').replace('*', label);
            for below in ["", "a.", "b.a."] {
                names.insert(format!("{below}{name}"));
            }
            // With a letter more: names that are not in the list.
            names.insert(format!("b.a.x{name}"));
            names.insert(format!("b.a.{name}x"));
            if let Some((_, above)) = name.split_once('.') {
                names.insert(above.to_owned());
                names.insert(format!("b.a.{above}"));
            }
            if !rule.contains('*') {
                break;
            }
        }
    }
    let step = if full_size() { 1 } else { 5 };
    for name in names.iter().step_by(step) {
        rules.check(name);
    }
}

#[test]
fn wildcards_exceptions_and_names_out_of_the_list() {
    for (name, domain) in [
        ("registry.gitlab.com", Some("gitlab.com")),
        ("a.b.github.io", Some("b.github.io")),
        ("github.io", None),
        ("a.foo.ck", Some("a.foo.ck")),
        ("foo.ck", None),
        ("a.www.ck", Some("www.ck")),
        ("www.ck", Some("www.ck")),
        ("b.a.city.kobe.jp", Some("city.kobe.jp")),
        ("b.a.kobe.jp", Some("b.a.kobe.jp")),
        ("a.kobe.jp", None),
        ("co.uk", None),
        ("a.service.gov.uk", Some("a.service.gov.uk")),
        ("registry.corp.internal", Some("corp.internal")),
        ("corp.internal", Some("corp.internal")),
        ("internal", None),
        ("localhost", None),
    ] {
        assert_eq!(registrable_domain(name), domain, "{name}");
        assert_eq!(psl::domain_str(name), domain, "{name}");
    }
}
