use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::command::ProbeWord;
use crate::id::{NodeId, Time};

/// Most answers that are kept: the size of Prequal's pool.
const MOST: usize = 16;

/// Periods after which an answer says nothing any more.
const AGE: u32 = 3;

/// Plans of ticks that one answer may be part of.
const USES: u32 = 3;

/// Reports by which it is judged who is hot.
const REPORTS: usize = 64;

/// The part of reports that a cold peer may not exceed: Prequal's 2^-0.25.
const QUANTILE: f64 = 0.84;

/// The longest wait that is believed (us).
const LONGEST: u32 = 60_000_000;

/// The newest answers to this node's questions.
#[derive(Debug)]
pub(super) struct Pool {
    age: Duration,
    entries: BTreeMap<NodeId, Entry>,
    /// Invocations under way, as reported last by anybody.
    reports: VecDeque<u32>,
    count: u64,
}

/// One answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    at: Time,
    /// Invocations under way at the peer.
    pub inflight: u32,
    /// How long (us) one that reaches it waits.
    pub wait: u32,
    /// Tells this answer from others of the same peer.
    pub report: u64,
    uses: u32,
}

impl Pool {
    pub(super) fn new(period: Duration) -> Self {
        Self { age: period * AGE, entries: BTreeMap::new(), reports: VecDeque::new(), count: 0 }
    }

    /// Takes an answer; the oldest makes room for it.
    pub(super) fn answered(&mut self, now: Time, from: NodeId, word: &ProbeWord) {
        self.count += 1;
        let wait = word.wait.min(LONGEST);
        let entry = Entry { at: now, inflight: word.inflight, wait, report: self.count, uses: 0 };
        self.entries.insert(from, entry);
        if self.entries.len() > MOST
            && let Some(oldest) = self.entries.iter().min_by_key(|(_, entry)| entry.report).map(|(id, _)| *id)
        {
            self.entries.remove(&oldest);
        }
        self.reports.push_back(word.inflight);
        if self.reports.len() > REPORTS {
            self.reports.pop_front();
        }
    }

    /// Forgets answers that are old or used up, and those of nodes that are no peers any more.
    pub(super) fn forget<T>(&mut self, now: Time, peers: &BTreeMap<NodeId, T>) {
        let good = |entry: &Entry| now.since(entry.at) < self.age && entry.uses < USES;
        self.entries.retain(|node, entry| peers.contains_key(node) && good(entry));
    }

    /// All answers were part of one more plan.
    pub(super) fn used(&mut self) {
        self.entries.values_mut().for_each(|entry| entry.uses += 1);
    }

    /// The answers.
    pub(super) fn entries(&self) -> impl Iterator<Item = (NodeId, Entry)> {
        self.entries.iter().map(|(node, entry)| (*node, *entry))
    }

    /// Which of the nodes `serving` a function may be drawn, the shortest wait first: those that are cold; if all are hot,
    /// the two with the fewest invocations under way.
    pub(super) fn candidates(&self, serving: &[NodeId]) -> Vec<NodeId> {
        let mut known: Vec<(NodeId, Entry)> =
            self.entries().filter(|(node, _)| serving.contains(node)).collect();
        let hot = self.hot();
        if known.iter().any(|(_, entry)| entry.inflight <= hot) {
            known.retain(|(_, entry)| entry.inflight <= hot);
            known.sort_by_key(|(node, entry)| (entry.wait, *node));
        } else {
            known.sort_by_key(|(node, entry)| (entry.inflight, *node));
            known.truncate(2);
        }
        known.into_iter().map(|(node, _)| node).collect()
    }

    /// Invocations under way above which a peer is hot.
    fn hot(&self) -> u32 {
        let mut sorted: Vec<u32> = self.reports.iter().copied().collect();
        sorted.sort_unstable();
        let rank = (QUANTILE * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(1);

    fn pool(answers: &[(u64, u32, u32)]) -> Pool {
        let mut pool = Pool::new(PERIOD);
        for (node, inflight, wait) in answers {
            let word = ProbeWord { inflight: *inflight, wait: *wait, ..ProbeWord::default() };
            pool.answered(Time::default(), NodeId(*node), &word);
        }
        pool
    }

    fn drawn(pool: &Pool) -> Vec<u64> {
        let serving: Vec<NodeId> = (1..=40).map(NodeId).collect();
        pool.candidates(&serving).into_iter().map(|node| node.0).collect()
    }

    #[test]
    fn the_hot_one_of_many_is_left_out_although_it_told_the_shortest_wait() {
        let pool = pool(&[(1, 2, 30), (2, 1, 20), (3, 2, 40), (4, 1, 20), (5, 1, 10), (6, 2, 5), (7, 50, 1)]);
        assert_eq!(drawn(&pool), [6, 5, 2, 4, 1, 3]);
    }

    #[test]
    fn when_all_are_hot_the_two_with_the_fewest_under_way_are_drawn() {
        let mut pool = pool(&(0..20).map(|_| (9, 1, 1)).collect::<Vec<_>>());
        for (node, inflight) in [(1, 30), (2, 10), (3, 20)] {
            pool.answered(Time::default(), NodeId(node), &ProbeWord { inflight, ..ProbeWord::default() });
        }
        assert_eq!(pool.candidates(&[NodeId(1), NodeId(2), NodeId(3)]), [NodeId(2), NodeId(3)]);
    }

    #[test]
    fn answers_are_forgotten_by_age_by_use_with_their_peers_and_for_newer_ones() {
        let peers: BTreeMap<NodeId, ()> = (1..=40).map(|id| (NodeId(id), ())).collect();
        let mut aged = pool(&[(1, 0, 0)]);
        aged.forget(Time(PERIOD * 3 - Duration::from_millis(1)), &peers);
        assert_eq!(drawn(&aged), [1]);
        aged.forget(Time(PERIOD * 3), &peers);
        assert!(drawn(&aged).is_empty());

        let mut worn = pool(&[(1, 0, 0)]);
        (0..USES).for_each(|_| worn.used());
        worn.forget(Time::default(), &peers);
        assert!(drawn(&worn).is_empty());

        let mut left = pool(&[(1, 0, 0), (50, 0, 0)]);
        left.forget(Time::default(), &[(NodeId(50), ())].into());
        assert_eq!(left.entries().count(), 1);

        let many: Vec<_> = (1..=17).map(|id| (id, 0, 0)).collect();
        let full = drawn(&pool(&many));
        assert_eq!((full.len(), full[0]), (16, 2));
    }

    #[test]
    fn an_absurd_wait_is_a_long_one() {
        let pool = pool(&[(1, u32::MAX, u32::MAX)]);
        assert_eq!(pool.entries().next().unwrap().1.wait, LONGEST);
    }
}
