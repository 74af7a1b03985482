//! Whether some order of operations that overlap in time explains every answer (linearizability).
//!
//! For any memory that is a search without a bound. Here no token is stored twice, so a store and all answers
//! with its token follow each other in every order, and are put in order as one. Then it never pays to wait:
//! an answer "absent" where there is no login changes nothing; a store that is put in order later would
//! replace a login just as well; and of several erases any will do, so the one that ended first goes first.
//! Each step is thus the only one worth taking, and where there is none, there is no order
//! (Gibbons and Korach, "Testing shared memories", 1997, for a register without erases).

use std::collections::{BTreeSet, HashMap};

/// A token, by a number that is never stored twice.
pub type Token = u64;

/// What was done to one login, or answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Store(Token),
    Erase,
    Got(Option<Token>),
}

/// One operation, with the times before it was begun and after it had ended.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    pub what: What,
    pub began: u128,
    pub ended: u128,
}

/// What is put in order at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A store, and each answer with its token.
    Login,
    Erase,
    Absent,
}

/// It comes after everything of which a part had ended before a part of it began.
#[derive(Debug, Clone, Copy)]
struct Part {
    kind: Kind,
    last_began: u128,
    first_ended: u128,
}

/// Finds an order, or says what has none. At first there is no login.
pub fn explain(operations: &[Operation]) -> Result<(), String> {
    let parts = parts(operations)?;
    let mut left = Left::of(&parts);
    let mut is_absent = true;
    while let Some((first_ended, _)) = left.by_end.first().copied() {
        if is_absent && left.take_first(&parts, Kind::Absent) {
            continue;
        }
        if left.take_first(&parts, Kind::Login) {
            is_absent = false;
            continue;
        }
        if !left.take_erase(&parts) {
            let (login, near) = (if is_absent { "no login" } else { "a login" }, 3_000_000_000);
            let near = |o: &&Operation| {
                o.ended >= first_ended.saturating_sub(near) && o.began <= first_ended + near
            };
            let mut near: Vec<_> = operations.iter().filter(near).collect();
            near.sort_by_key(|operation| operation.began);
            let (left, all) = (left.by_end.len(), parts.len());
            return Err(format!(
                "with {left} of {all} to be put in order and {login} then, none can come next; \
                 around {first_ended}: {near:#?}"
            ));
        }
        is_absent = true;
    }
    Ok(())
}

fn parts(operations: &[Operation]) -> Result<Vec<Part>, String> {
    let (mut parts, mut logins) = (Vec::new(), HashMap::new());
    for Operation { what, began, ended } in operations.iter().copied() {
        let kind = match what {
            What::Store(token) => {
                let earlier = logins.insert(token, (began, parts.len()));
                assert!(earlier.is_none(), "{token} is stored twice");
                Kind::Login
            }
            What::Erase => Kind::Erase,
            What::Got(None) => Kind::Absent,
            What::Got(Some(_)) => continue,
        };
        parts.push(Part { kind, last_began: began, first_ended: ended });
    }
    for operation in operations {
        let What::Got(Some(token)) = operation.what else { continue };
        match logins.get(&token) {
            Some(&(stored, number)) if stored <= operation.ended => {
                let part: &mut Part = &mut parts[number];
                part.last_began = part.last_began.max(operation.began);
                part.first_ended = part.first_ended.min(operation.ended);
            }
            _ => return Err(format!("nobody had stored what was got: {operation:?}")),
        }
    }
    Ok(parts)
}

/// What is not yet in order, by times and numbers.
struct Left {
    by_end: BTreeSet<(u128, usize)>,
    by_begin: HashMap<u8, BTreeSet<(u128, usize)>>,
    /// Erases that may come next, once they were found to.
    erases: BTreeSet<(u128, usize)>,
}

impl Left {
    fn of(parts: &[Part]) -> Self {
        let mut left =
            Self { by_end: BTreeSet::new(), by_begin: HashMap::new(), erases: BTreeSet::new() };
        for (number, part) in parts.iter().enumerate() {
            left.by_end.insert((part.first_ended, number));
            left.of_kind(part.kind).insert((part.last_began, number));
        }
        left
    }

    fn of_kind(&mut self, kind: Kind) -> &mut BTreeSet<(u128, usize)> {
        self.by_begin.entry(kind as u8).or_default()
    }

    /// Whether nothing else that is left has to come before it.
    fn may_come(&self, parts: &[Part], number: usize) -> bool {
        let mut others = self.by_end.iter().filter(|(_, other)| *other != number);
        others.next().is_none_or(|(ended, _)| parts[number].last_began <= *ended)
    }

    fn take_first(&mut self, parts: &[Part], kind: Kind) -> bool {
        // That which ended first is the only one that does not have to wait for its own end.
        let ended = self.by_end.first().map(|(_, number)| *number);
        let began = self.of_kind(kind).first().map(|(_, number)| *number);
        let candidates = [began, ended.filter(|number| parts[*number].kind == kind)];
        let next = candidates.into_iter().flatten().find(|number| self.may_come(parts, *number));
        next.inspect(|number| self.take(parts, *number)).is_some()
    }

    fn take_erase(&mut self, parts: &[Part]) -> bool {
        while let Some((began, number)) = self.of_kind(Kind::Erase).first().copied()
            && self.may_come(parts, number)
        {
            self.of_kind(Kind::Erase).remove(&(began, number));
            self.erases.insert((parts[number].first_ended, number));
        }
        let next = self.erases.pop_first();
        next.inspect(|(_, number)| self.take(parts, *number)).is_some()
    }

    fn take(&mut self, parts: &[Part], number: usize) {
        let Part { kind, last_began, first_ended } = parts[number];
        self.by_end.remove(&(first_ended, number));
        self.of_kind(kind).remove(&(last_began, number));
    }
}

/// Begin, end, and what.
fn history(operations: &[(u128, u128, What)]) -> Vec<Operation> {
    operations.iter().map(|&(began, ended, what)| Operation { what, began, ended }).collect()
}

#[test]
fn answers_that_an_order_explains() {
    use What::{Erase, Got, Store};
    for operations in [
        &[(0, 1, Got(None)), (2, 3, Store(1)), (4, 5, Got(Some(1))), (6, 7, Erase)][..],
        // During a change, either is right; once the new one was seen, it stays.
        &[(0, 1, Store(1)), (2, 9, Store(2)), (3, 4, Got(Some(1))), (5, 6, Got(Some(2)))],
        &[(0, 1, Store(1)), (2, 9, Erase), (3, 8, Got(Some(1))), (4, 5, Got(None))],
        // The later one of two changes at once may be the one that began first.
        &[(0, 9, Store(1)), (1, 3, Store(2)), (10, 11, Got(Some(1)))],
        &[(0, 9, Store(1)), (1, 8, Erase), (2, 7, Store(2)), (10, 11, Got(None))],
        &[
            (0, 20, Store(1)),
            (1, 19, Erase),
            (2, 3, Got(None)),
            (4, 5, Got(Some(1))),
            (6, 7, Got(None)),
        ],
    ] {
        assert_eq!(explain(&history(operations)), Ok(()), "{operations:?}");
    }
}

#[test]
fn answers_that_no_order_explains() {
    use What::{Erase, Got, Store};
    for operations in [
        &[(0, 1, Got(Some(1)))][..],
        &[(0, 1, Got(Some(1))), (2, 3, Store(1))],
        // A login that is lost, one that was erased, and the previous one.
        &[(0, 1, Store(1)), (2, 3, Got(None))],
        &[(0, 1, Store(1)), (2, 3, Erase), (4, 5, Got(Some(1)))],
        &[(0, 1, Store(1)), (2, 3, Store(2)), (4, 5, Got(Some(1)))],
        // Back to the previous one during a change.
        &[(0, 1, Store(1)), (2, 9, Store(2)), (3, 4, Got(Some(2))), (5, 6, Got(Some(1)))],
        &[(0, 1, Store(1)), (2, 9, Erase), (3, 4, Got(None)), (5, 6, Got(Some(1)))],
        // Two that saw two changes in opposite orders.
        &[(0, 9, Store(1)), (0, 9, Store(2)), (10, 11, Got(Some(1))), (12, 13, Got(Some(2)))],
    ] {
        assert!(explain(&history(operations)).is_err(), "{operations:?}");
    }
}

/// Numbers that look random, the same ones in every run.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Whether an order is among all that there are.
fn is_explained_by_one_of_all(left: &[Operation], login: Option<Token>) -> bool {
    left.is_empty()
        || (0..left.len()).any(|number| {
            let mut left = left.to_vec();
            let next = left.remove(number);
            let after = match next.what {
                What::Store(token) => Some(token),
                What::Erase => None,
                What::Got(_) => login,
            };
            left.iter().all(|other| next.began <= other.ended)
                && (!matches!(next.what, What::Got(_)) || next.what == What::Got(login))
                && is_explained_by_one_of_all(&left, after)
        })
}

#[test]
fn what_is_explained_is_what_one_of_all_orders_explains() {
    let (mut random, mut explained) = (Random(1), [0, 0]);
    for _ in 0..20_000 {
        let tokens = 1 + random.below(3);
        let operation = |number: u64, random: &mut Random| {
            let began = u128::from(random.below(12));
            let what = match random.below(6) {
                _ if number <= tokens => What::Store(number),
                0..2 => What::Erase,
                2..4 => What::Got(None),
                _ => What::Got(Some(1 + random.below(tokens))),
            };
            Operation { what, began, ended: began + u128::from(random.below(8)) }
        };
        let count = tokens + random.below(5);
        let operations: Vec<_> = (1..=count).map(|n| operation(n, &mut random)).collect();
        let expected = is_explained_by_one_of_all(&operations, None);
        assert_eq!(explain(&operations).is_ok(), expected, "{operations:#?}");
        explained[usize::from(expected)] += 1;
    }
    assert!(explained.iter().all(|count| *count > 2_000), "{explained:?}");
}

/// A hundred at once on a login that is a register: each is done at some moment of its own.
#[test]
fn a_long_history_is_explained_and_one_wrong_answer_is_found() {
    let mut random = Random(1);
    let mut all: Vec<(u128, Operation)> = Vec::new();
    for _ in 0..100 {
        let mut time = u128::from(random.below(1_000));
        for _ in 0..100 {
            let [before, after] = [(); 2].map(|()| u128::from(random.below(1_000)));
            let what = match random.below(4) {
                0 => What::Store(all.len() as u64 + 1),
                1 => What::Erase,
                _ => What::Got(None),
            };
            let (began, ended) = (time, time + before + after + 1);
            all.push((began + before, Operation { what, began, ended }));
            time = ended + u128::from(random.below(200));
        }
    }
    all.sort_by_key(|(moment, _)| *moment);
    let mut login = None;
    for (_, operation) in &mut all {
        match &mut operation.what {
            What::Store(token) => login = Some(*token),
            What::Erase => login = None,
            What::Got(got) => *got = login,
        }
    }
    let right: Vec<_> = all.into_iter().map(|(_, operation)| operation).collect();
    assert_eq!(explain(&right), Ok(()));
    // The first token that was got, long after it was replaced.
    let got = |o: &&Operation| matches!(o.what, What::Got(Some(_)));
    let first = right.iter().find(got).unwrap().what;
    let mut wrong = right.clone();
    *wrong.iter_mut().rfind(|o| got(&&**o)).map(|o| &mut o.what).unwrap() = first;
    assert!(explain(&wrong).is_err());
}
