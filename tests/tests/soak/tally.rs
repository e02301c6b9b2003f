//! Counting what users got.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Answers and errors of a load.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Right answers, by the node that gave them, from 1.
    pub by_node: [u64; 3],
    /// What went wrong, with how often.
    pub errors: BTreeMap<String, u64>,
    /// The longest that a user waited for a right answer, from connecting on where that was needed.
    pub slowest: Duration,
    /// Connections that were begun at a rate.
    pub paced: u64,
    /// For how long.
    pub time: Duration,
}

impl Tally {
    /// One more outcome, and how long it was waited for.
    pub fn count(&mut self, outcome: Result<u8, String>, took: Duration) {
        match outcome {
            Ok(node) => {
                self.by_node[usize::from(node) - 1] += 1;
                self.slowest = self.slowest.max(took);
            }
            Err(reason) => *self.errors.entry(reason).or_default() += 1,
        }
    }

    /// Right answers.
    pub fn answered(&self) -> u64 {
        self.by_node.iter().sum()
    }

    /// Connections a second that were begun at a rate.
    pub fn rate(&self) -> f64 {
        self.paced as f64 / self.time.as_secs_f64().max(1e-9)
    }

    /// Percent of the answers, by node.
    pub fn shares(&self) -> [f64; 3] {
        let all = self.answered().max(1) as f64;
        self.by_node.map(|count| 100.0 * count as f64 / all)
    }

    /// Fails if anything went wrong, or nothing was asked.
    pub fn check(&self) {
        assert!(self.errors.is_empty(), "{self}: {:?}", self.errors);
        assert!(self.answered() > 0, "nobody was served");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors: u64 = self.errors.values().sum();
        let [one, two, three] = self.shares();
        let (answered, slowest) = (self.answered(), self.slowest.as_secs_f64());
        write!(f, "{answered} answers, the slowest after {slowest:.2} s, {errors} errors, ")?;
        write!(f, "served {one:.2}/{two:.2}/{three:.2} %")
    }
}
