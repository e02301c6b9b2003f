use std::collections::BTreeMap;

use super::{Candidate, Link, Neighbourhood};

/// Ticks with unmet demand after which neighbours are replaced, at first and at most: twice as many each time that it
/// did not help, as a federation without room has none for anybody.
const TICKS: (u32, u32) = (3, 96);
/// How many are replaced at once.
const REPLACED: usize = 4;

/// How long neighbours that do not help are borne.
#[derive(Debug)]
pub(super) struct Patience {
    unmet: u32,
    bears: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self { unmet: 0, bears: TICKS.0 }
    }
}

impl Patience {
    /// A tick passed; whether it was one too many.
    fn is_over(&mut self, unmet: bool) -> bool {
        if !unmet {
            *self = Self::default();
            return false;
        }
        self.unmet += 1;
        let over = self.unmet >= self.bears;
        if over {
            *self = Self { unmet: 0, bears: (self.bears * 2).min(TICKS.1) };
        }
        over
    }
}

impl<K: Ord + Copy> Neighbourhood<K> {
    /// Once a tick of the strategy. `worth` says what each neighbour gives while demand is not met, who is missing
    /// gives nothing; it is `None` while all is met. Says which links to end so that others can be sought: the worst,
    /// never a pinned one, and no more than there are others.
    pub fn tick(&mut self, worth: Option<&BTreeMap<K, f64>>, candidates: &BTreeMap<K, Candidate>) -> Vec<K> {
        if !self.patience.is_over(worth.is_some()) {
            return Vec::new();
        }
        let Some(worth) = worth else { return Vec::new() };
        let free = |(id, candidate): &(&K, &Candidate)| candidate.link == Link::Free && !self.is_banned(id);
        let others = candidates.iter().filter(free).count();
        let held = |(id, candidate): &(&K, &Candidate)| candidate.link == Link::Held && !self.is_pinned(id);
        let mut worst: Vec<(f64, bool, _, K)> = candidates
            .iter()
            .filter(held)
            .map(|(id, candidate)| {
                let worth = worth.get(id).copied().unwrap_or(0.0);
                (worth, candidate.keeps, std::cmp::Reverse(candidate.distance()), *id)
            })
            .collect();
        worst.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        worst.into_iter().take(REPLACED.min(others)).map(|(_, _, _, id)| id).collect()
    }
}
