use std::collections::BTreeMap;
use std::time::Duration;

use super::{Candidate, Choice, Link, MOST_NEIGHBOURS, Neighbourhood};
use crate::id::Time;

/// Longest time between swaps for nearer ones. They begin at once and become ever rarer, as the square of their number:
/// each may set off others elsewhere, and not everybody can have its nearest.
const SWAP: Duration = Duration::from_secs(600);
/// Least time between links that are ended as nobody needs them.
const PRUNE: Duration = Duration::from_secs(3);
/// A nearer one takes a place only if it is nearer by so much: by part, and by time.
const NEARER: (f64, Duration) = (0.75, Duration::from_millis(2));

impl<K: Ord + Copy> Neighbourhood<K> {
    /// With links enough: takes a nearer one for the farthest, and ends what is one too many at both ends.
    pub(super) fn improve(&mut self, now: Time, candidates: &BTreeMap<K, Candidate>, choice: &mut Choice<K>) {
        if let Some((nearer, farther)) = self.swapping {
            match candidates.get(&nearer).map(|candidate| candidate.link) {
                Some(Link::Sought) => return,
                Some(Link::Held) => {
                    choice.leave.extend(self.is_spare(&farther, candidates).then_some(farther))
                }
                _ => {}
            }
            self.swapping = None;
        } else if self.swap <= now
            && let Some((nearer, farther)) = self.swap(candidates, choice)
        {
            choice.seek.push(nearer);
            self.swapping = Some((nearer, farther));
            self.swaps = self.swaps.saturating_add(1);
            let half = self.swaps.saturating_mul(self.swaps).div_ceil(2);
            self.swap = now.after(SWAP.min(Duration::from_secs(half.into())));
        } else if self.prune <= now
            && let Some(spare) = self.surplus(candidates)
        {
            choice.leave.push(spare);
            self.prune = now.after(PRUNE);
        }
    }

    /// A link that may be ended for the sake of another: neither end drew or pinned it.
    fn is_spare(&self, id: &K, candidates: &BTreeMap<K, Candidate>) -> bool {
        let spare = |candidate: &Candidate| candidate.link == Link::Held && !candidate.keeps;
        candidates.get(id).is_some_and(spare) && !self.keeps(id)
    }

    fn swap(&self, candidates: &BTreeMap<K, Candidate>, choice: &Choice<K>) -> Option<(K, K)> {
        let engaged = candidates.values().filter(|candidate| candidate.is_engaged()).count();
        if engaged >= MOST_NEIGHBOURS {
            return None;
        }
        let nearer = self.nearest(candidates, choice, 1).pop()?;
        let measured = |(id, candidate): (&K, &Candidate)| {
            let rtt = candidate.rtt.filter(|_| self.is_spare(id, candidates))?;
            Some((rtt, candidate.number, *id))
        };
        let (far, _, farther) = candidates.iter().filter_map(measured).max()?;
        let near = candidates.get(&nearer)?.rtt?;
        let worth = near <= far.mul_f64(NEARER.0) && near + NEARER.1 <= far;
        worth.then_some((nearer, farther))
    }

    /// The farthest of the links that are one too many here and at the other end.
    fn surplus(&self, candidates: &BTreeMap<K, Candidate>) -> Option<K> {
        let held = candidates.values().filter(|candidate| candidate.link == Link::Held).count();
        if held <= self.wanted {
            return None;
        }
        let both = |(id, candidate): &(&K, &Candidate)| {
            candidate.links.is_some_and(|links| links > self.wanted) && self.is_spare(id, candidates)
        };
        let spare = candidates.iter().filter(both);
        spare.max_by_key(|(_, candidate)| candidate.distance()).map(|(id, _)| *id)
    }
}
