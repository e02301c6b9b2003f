//! Requests of one node's users for one function. No clock and no I/O.

use std::collections::BTreeMap;

use serde::Serialize;

use super::outcome::{Asked, Fate};
use crate::statistics::nearest_rank;

/// What became of the requests of one node's users for one function.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Calls {
    /// The users' node, counted from 0.
    pub node: usize,
    /// Place of the function in the federation.
    pub function: usize,
    /// Requests due.
    pub sent: u64,
    /// Answered well.
    pub answered: u64,
    /// Answered 429 or 503.
    pub refused: u64,
    /// Everything else.
    pub failed: u64,
    /// Those answered well, by the node that did.
    pub by: BTreeMap<usize, u64>,
    /// Microseconds that those answered well took, in order.
    #[serde(skip)]
    pub times: Vec<u64>,
}

impl Calls {
    /// Milliseconds that `percent` of those answered well did not exceed; `None` if none was.
    pub fn latency_ms(&self, percent: f64) -> Option<f64> {
        nearest_rank(&self.times, percent).map(|micros| micros as f64 / 1e3)
    }

    fn add(&mut self, asked: &Asked) {
        self.sent += 1;
        match asked.fate {
            Fate::Answered(by) => {
                self.answered += 1;
                *self.by.entry(by).or_default() += 1;
                self.times.push(u64::try_from(asked.took.as_micros()).unwrap_or(u64::MAX));
            }
            Fate::Full(_) | Fate::Limited | Fate::Unavailable => self.refused += 1,
            Fate::Lost => self.failed += 1,
        }
    }
}

/// Requests by the users' node, then by function; several runs are added up.
pub fn by_function<'a>(all: impl IntoIterator<Item = &'a Asked>) -> Vec<Calls> {
    let mut calls: BTreeMap<(usize, usize), Calls> = BTreeMap::new();
    for asked in all {
        let (node, function) = (asked.node, asked.function);
        let of =
            calls.entry((node, function)).or_insert_with(|| Calls { node, function, ..Calls::default() });
        of.add(asked);
    }
    let mut calls: Vec<Calls> = calls.into_values().collect();
    calls.iter_mut().for_each(|calls| calls.times.sort_unstable());
    calls
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn asked(node: usize, function: usize, ms: u64, fate: Fate) -> Asked {
        Asked { node, function, at: Duration::ZERO, took: Duration::from_millis(ms), fate }
    }

    #[test]
    fn requests_are_counted_by_node_and_function_and_by_who_answered() {
        let all = [
            asked(1, 0, 9, Fate::Answered(0)),
            asked(0, 2, 5, Fate::Answered(0)),
            asked(1, 0, 3, Fate::Answered(1)),
            asked(1, 0, 1, Fate::Full(0)),
            asked(1, 0, 1, Fate::Lost),
        ];
        let calls = by_function(&all);
        assert_eq!(
            calls.iter().map(|calls| (calls.node, calls.function)).collect::<Vec<_>>(),
            [(0, 2), (1, 0)]
        );
        let of = &calls[1];
        assert_eq!((of.sent, of.answered, of.refused, of.failed), (4, 2, 1, 1));
        assert_eq!(of.by, [(0, 1), (1, 1)].into());
        assert_eq!((of.latency_ms(50.0), of.latency_ms(99.0)), (Some(3.0), Some(9.0)));
        assert_eq!(Calls::default().latency_ms(50.0), None);
    }
}
