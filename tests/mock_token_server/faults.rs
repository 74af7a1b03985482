//! The faults that are switched on, and whom they hit next.

use super::fault::{At, Fault};
use super::journal::Origin;

struct Active {
    at: At,
    fault: Fault,
    left: Option<usize>,
}

/// The faults that are switched on.
#[derive(Default)]
pub struct Faults(Vec<Active>);

impl Faults {
    /// Adds one, for so many requests or connections, or for all.
    pub fn add(&mut self, at: At, fault: Fault, times: Option<usize>) {
        self.0.push(Active { at, fault, left: times });
    }

    /// Takes out those at one step.
    pub fn remove(&mut self, at: At) {
        self.0.retain(|active| active.at != at);
    }

    /// Takes out all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The steps from which on nobody is to listen.
    pub fn refused(&self) -> impl Iterator<Item = At> + '_ {
        self.0.iter().filter(|active| active.fault == Fault::Refused).map(|active| active.at)
    }

    /// What happens to a new connection.
    pub fn take_for_connection(&mut self, origin: Origin, one_origin: bool) -> Option<Fault> {
        self.take(|active| {
            active.fault.is_of_connection()
                && active.fault != Fault::Refused
                && active.at.origin(one_origin) == origin
        })
        .pop()
    }

    /// What happens to a request at that step.
    pub fn take_for_request(&mut self, step: At) -> Vec<Fault> {
        self.take(|active| !active.fault.is_of_connection() && active.at.covers(step))
    }

    fn take(&mut self, wanted: impl Fn(&Active) -> bool) -> Vec<Fault> {
        let mut taken = Vec::new();
        for active in self.0.iter_mut().filter(|active| wanted(active)) {
            match &mut active.left {
                Some(0) => continue,
                Some(left) => *left -= 1,
                None => {}
            }
            taken.push(active.fault.clone());
        }
        taken
    }
}
