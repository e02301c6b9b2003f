use std::collections::BTreeMap;

use super::{Candidate, Link, MOST_NEIGHBOURS, Neighbourhood};
use crate::id::Time;

/// What is to be done to links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice<K> {
    /// Links to seek.
    pub seek: Vec<K>,
    /// Links to end. They are not to be sought again for a while.
    pub leave: Vec<K>,
}

impl<K: Ord + Copy> Neighbourhood<K> {
    /// Looks at the candidates, all of which have an entry, and says what is to change. To be called when they changed
    /// and from time to time. Nothing changes while candidates stay as they are and enough time passes.
    pub fn choose(&mut self, now: Time, candidates: &BTreeMap<K, Candidate>) -> Choice<K> {
        let mut choice = Choice { seek: Vec::new(), leave: self.forbidden(candidates) };
        let engaged = candidates.values().filter(|candidate| candidate.is_engaged()).count();
        let mut room = MOST_NEIGHBOURS.saturating_sub(engaged - choice.leave.len());
        for id in self.missing_pins(candidates) {
            if room == 0 {
                let Some(farthest) = self.farthest(candidates, &choice) else { break };
                choice.leave.push(farthest);
                room += 1;
            }
            choice.seek.push(id);
            room -= 1;
        }
        self.draw(now, candidates);
        for id in self.drawn.iter().filter(|id| is_free(candidates, id)) {
            if room > 0 {
                choice.seek.push(*id);
                room -= 1;
            }
        }
        let most = MOST_NEIGHBOURS - room;
        let near = self.nearest(candidates, &choice, self.wanted.saturating_sub(most));
        choice.seek.extend(near);
        if choice == (Choice { seek: Vec::new(), leave: Vec::new() }) {
            self.improve(now, candidates, &mut choice);
        }
        choice
    }

    fn forbidden(&self, candidates: &BTreeMap<K, Candidate>) -> Vec<K> {
        let linked = |id: &&K| candidates.get(id).is_some_and(Candidate::is_engaged);
        self.banned.iter().filter(linked).copied().collect()
    }

    fn missing_pins(&self, candidates: &BTreeMap<K, Candidate>) -> Vec<K> {
        self.pinned.iter().filter(|id| is_free(candidates, id)).take(MOST_NEIGHBOURS).copied().collect()
    }

    /// The farthest link that may make room for a pinned one.
    fn farthest(&self, candidates: &BTreeMap<K, Candidate>, choice: &Choice<K>) -> Option<K> {
        let may = |(id, candidate): &(&K, &Candidate)| {
            candidate.is_engaged() && !self.is_pinned(id) && !choice.leave.contains(id)
        };
        candidates.iter().filter(may).max_by_key(|(_, candidate)| candidate.distance()).map(|(id, _)| *id)
    }

    /// Up to `room` free ones, the nearest first.
    pub(super) fn nearest(
        &self,
        candidates: &BTreeMap<K, Candidate>,
        choice: &Choice<K>,
        room: usize,
    ) -> Vec<K> {
        let free = |(id, candidate): &(&K, &Candidate)| {
            candidate.link == Link::Free && !self.is_banned(id) && !choice.seek.contains(id)
        };
        let mut near: Vec<_> = candidates.iter().filter(free).collect();
        near.sort_by_key(|(_, candidate)| candidate.distance());
        near.into_iter().take(room).map(|(id, _)| *id).collect()
    }
}

fn is_free<K: Ord>(candidates: &BTreeMap<K, Candidate>, id: &K) -> bool {
    candidates.get(id).is_some_and(|candidate| candidate.link == Link::Free)
}
