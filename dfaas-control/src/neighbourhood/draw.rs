use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use super::{Candidate, DRAWN, Link, Neighbourhood};
use crate::id::{NodeId, Time};

/// Least time between changes of a draw that is complete.
const REDRAW: Duration = Duration::from_secs(30);

impl<K: Ord + Copy> Neighbourhood<K> {
    /// Brings the draw up to date: those of the highest weight that can be had, changed by one at a time.
    pub(super) fn draw(&mut self, now: Time, candidates: &BTreeMap<K, Candidate>) {
        let eligible = |(id, candidate): (&K, &Candidate)| {
            let can = candidate.link != Link::Barred && !self.is_pinned(id) && !self.is_banned(id);
            can.then(|| (Reverse(weight(self.seed, candidate.number)), *id))
        };
        let mut best: Vec<(Reverse<u64>, K)> = candidates.iter().filter_map(eligible).collect();
        best.sort_unstable();
        self.drawn.retain(|id| best.iter().any(|(_, other)| other == id));
        let quota = self.wanted / DRAWN;
        let mut fresh = best.iter().map(|(_, id)| *id).filter(|id| !self.drawn.contains(id));
        if self.drawn.len() < quota {
            let missing: Vec<K> = fresh.by_ref().take(quota - self.drawn.len()).collect();
            self.drawn.extend(missing);
            self.redraw = now.after(REDRAW);
        } else if quota > 0 && self.redraw <= now {
            let last = best.iter().rposition(|(_, id)| self.drawn.contains(id));
            let first = best.iter().position(|(_, id)| !self.drawn.contains(id));
            if let (Some(first), Some(last)) = (first, last)
                && first < last
            {
                self.drawn.remove(&best[last].1);
                self.drawn.insert(best[first].1);
                self.redraw = now.after(REDRAW);
            }
        }
    }
}

/// The weight of a node in a draw: the finaliser of splitmix64 (Steele, Lea, Flood 2014) over seed and number.
fn weight(seed: u64, number: NodeId) -> u64 {
    let mix = |value: u64| {
        let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    };
    mix(mix(seed.wrapping_add(0x9e37_79b9_7f4a_7c15)) ^ mix(number.0))
}
