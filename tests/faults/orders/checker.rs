//! Whether some order of operations that overlap in time explains every answer (linearizability).
//!
//! The search of Wing and Gong, with the memory of Lowe: one operation after the other is put in order, out
//! of those that began before any other that is left ended. An answer that fits the login of the moment is
//! taken at once, since it changes nothing; of the changes each is tried, and what was tried is remembered.

use std::collections::{HashMap, HashSet};

/// For each operation. A history that has an order takes about one.
const MOST_STEPS: usize = 100;

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

/// A change in the order, and how to go back to before it.
struct Step {
    answers: Vec<usize>,
    changes: Vec<usize>,
    change: Option<usize>,
    login: Option<Token>,
}

struct Search<'a> {
    operations: &'a [Operation],
    ordered: Vec<bool>,
    /// Those before it are in order.
    first: usize,
    left: usize,
    /// How many answers are left that give a token.
    answers: HashMap<Token, usize>,
    login: Option<Token>,
    /// A number for the set of those that are in order.
    set: u128,
}

/// How many steps it took to find an order, or what has none. At first there is no login.
pub fn explain(operations: &[Operation]) -> Result<usize, String> {
    let mut operations = operations.to_vec();
    operations.sort_by_key(|operation| operation.began);
    let mut search = Search::new(&operations);
    let (mut steps, mut tried, mut most): (Vec<Step>, _, _) = (Vec::new(), HashSet::new(), None);
    let most_steps = MOST_STEPS * (operations.len() + 1);
    for count in 0..most_steps {
        let answers = search.take_answers();
        if search.left == 0 {
            return Ok(count);
        }
        most = most.max(Some((operations.len() - search.left, search.first)));
        let is_new = tried.insert((search.set, search.login));
        let changes = if is_new { search.changes() } else { Vec::new() };
        steps.push(Step { answers, changes, change: None, login: search.login });
        loop {
            let Some(step) = steps.last_mut() else {
                let (ordered, first) = most.unwrap_or_default();
                let near = &operations[first.saturating_sub(5)..operations.len().min(first + 30)];
                return Err(format!("after {ordered} of them, none follows: {near:#?}"));
            };
            if let Some(change) = step.change.take() {
                search.undo(change);
                search.login = step.login;
            }
            if let Some(next) = step.changes.pop() {
                step.change = Some(next);
                search.make(next);
                break;
            }
            step.answers.drain(..).for_each(|answer| search.undo(answer));
            steps.pop();
        }
    }
    Err(format!("no order was found in {most_steps} steps"))
}

impl<'a> Search<'a> {
    fn new(operations: &'a [Operation]) -> Self {
        let mut answers = HashMap::new();
        for operation in operations {
            if let What::Got(Some(token)) = operation.what {
                *answers.entry(token).or_default() += 1;
            }
        }
        let left = operations.len();
        let ordered = vec![false; left];
        Self { operations, ordered, first: 0, left, answers, login: None, set: 0 }
    }

    /// Those that may come next: none that is left ended before they began.
    fn next(&self) -> Vec<usize> {
        let (mut next, mut end) = (Vec::new(), u128::MAX);
        for number in self.first..self.operations.len() {
            let operation = &self.operations[number];
            if operation.began > end {
                break;
            }
            if !self.ordered[number] {
                end = end.min(operation.ended);
                next.push(number);
            }
        }
        next.retain(|number| self.operations[*number].began <= end);
        next
    }

    fn take_answers(&mut self) -> Vec<usize> {
        let mut taken = Vec::new();
        loop {
            let is_answer = |n: &usize| self.operations[*n].what == What::Got(self.login);
            let fitting: Vec<_> = self.next().into_iter().filter(is_answer).collect();
            if fitting.is_empty() {
                return taken;
            }
            fitting.iter().for_each(|answer| self.make(*answer));
            taken.extend(fitting);
        }
    }

    /// The changes that may come next, the most promising last. No token comes twice, so one that is
    /// still to be answered is not replaced.
    fn changes(&self) -> Vec<usize> {
        if self.login.is_some_and(|token| self.answers.get(&token).is_some_and(|left| *left > 0)) {
            return Vec::new();
        }
        let mut next = self.next();
        let urgent = next.iter().min_by_key(|n| self.operations[**n].ended).copied();
        let wanted = urgent.and_then(|urgent| match self.operations[urgent].what {
            What::Got(Some(token)) => Some(What::Store(token)),
            What::Got(None) => Some(What::Erase),
            What::Store(_) | What::Erase => None,
        });
        next.retain(|n| !matches!(self.operations[*n].what, What::Got(_)));
        next.sort_by_key(|n| {
            let Operation { what, ended, .. } = self.operations[*n];
            (Some(what) == wanted, u128::MAX - ended)
        });
        next
    }

    fn make(&mut self, number: usize) {
        self.count(number, true);
        match self.operations[number].what {
            What::Store(token) => self.login = Some(token),
            What::Erase => self.login = None,
            What::Got(_) => {}
        }
    }

    fn undo(&mut self, number: usize) {
        self.count(number, false);
    }

    fn count(&mut self, number: usize, ordered: bool) {
        self.ordered[number] = ordered;
        self.first = self.first.min(number);
        while self.ordered.get(self.first) == Some(&true) {
            self.first += 1;
        }
        self.left = if ordered { self.left - 1 } else { self.left + 1 };
        self.set ^= mixed(number as u128 + 1);
        if let What::Got(Some(token)) = self.operations[number].what {
            let left = self.answers.entry(token).or_default();
            *left = if ordered { *left - 1 } else { *left + 1 };
        }
    }
}

/// Bits that no few others combine to.
fn mixed(number: u128) -> u128 {
    let mut bits = number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    bits = (bits ^ (bits >> 61)).wrapping_mul(0xbf58_476d_1ce4_e5b9_94d0_49bb_1331_11eb);
    bits = (bits ^ (bits >> 59)).wrapping_mul(0xff51_afd7_ed55_8ccd_c4ce_b9fe_1a85_ec53);
    bits ^ (bits >> 63)
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
        assert!(explain(&history(operations)).is_ok(), "{operations:?}");
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

/// A hundred at once on a login that is a register: each is done at some moment of its own.
#[test]
fn a_long_history_is_explained_in_few_steps_and_one_wrong_answer_is_found() {
    let mut random = 1_u64;
    let mut below = |limit: u64| {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % limit
    };
    let mut all: Vec<(u128, Operation)> = Vec::new();
    for _ in 0..100 {
        let mut time = u128::from(below(1_000));
        for _ in 0..30 {
            let (before, after) = (u128::from(below(1_000)), u128::from(below(1_000)));
            let what = match below(4) {
                0 => What::Store(all.len() as u64 + 1),
                1 => What::Erase,
                _ => What::Got(None),
            };
            let (began, ended) = (time, time + before + after + 1);
            all.push((began + before, Operation { what, began, ended }));
            time = ended + u128::from(below(200));
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
    let mut operations: Vec<_> = all.into_iter().map(|(_, operation)| operation).collect();
    let steps = explain(&operations).unwrap();
    assert!(steps < 20 * operations.len(), "{steps} steps for {}", operations.len());
    let last = operations.iter().rposition(|o| matches!(o.what, What::Got(_))).unwrap();
    operations[last].what = What::Got(Some(u64::MAX));
    assert!(explain(&operations).is_err());
}
