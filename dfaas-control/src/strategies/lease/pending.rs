use std::collections::BTreeMap;
use std::time::Duration;

use super::heard::News;
use crate::id::{NodeId, Time};

/// How long words are gathered before it is worked out what follows from them: answers to one round of asks come together,
/// as far apart as the ways to the peers are long.
const GATHER: Duration = Duration::from_millis(20);

/// At least so much time is between two times that they are, unless something cannot wait so long.
const SPACING: Duration = Duration::from_millis(100);

/// What peers have said that is still to be worked out.
#[derive(Debug, Default)]
pub(super) struct Pending {
    news: BTreeMap<NodeId, News>,
    due: Option<Time>,
    worked_out: Time,
}

impl Pending {
    /// A peer has said something new. One that takes nothing any more waits for nothing, and a grant that was cut only for
    /// those that are cut with it: what goes there is refused and has to go elsewhere.
    pub(super) fn add(&mut self, now: Time, from: NodeId, news: News) {
        let known = self.news.entry(from).or_default();
        *known = known.and(news);
        let gathered = now.after(GATHER);
        let at = match news {
            News { role: true, .. } => now,
            News { cut: true, .. } => gathered,
            _ => gathered.max(self.worked_out.after(SPACING)),
        };
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// When what has been said is to be worked out; nothing: nobody has said anything new.
    pub(super) fn due(&self) -> Option<Time> {
        self.due
    }

    /// All news, once.
    pub(super) fn take(&mut self, now: Time) -> BTreeMap<NodeId, News> {
        (self.due, self.worked_out) = (None, now);
        std::mem::take(&mut self.news)
    }

    /// A tick works out everything.
    pub(super) fn clear(&mut self) {
        self.due = None;
        self.news.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const B: NodeId = NodeId(2);
    const C: NodeId = NodeId(3);

    fn at(milliseconds: u64) -> Time {
        Time(Duration::from_millis(milliseconds))
    }

    #[test]
    fn words_are_gathered_and_worked_out_together_and_not_too_often() {
        let lease = News { lease: true, ..News::default() };
        let ask = News { ask: true, ..News::default() };
        let mut pending = Pending::default();
        assert_eq!(pending.due(), None);
        pending.add(at(5_000), B, lease);
        pending.add(at(5_010), C, ask);
        pending.add(at(5_015), B, ask);
        assert_eq!(pending.due(), Some(at(5_020)), "from the first word on");
        assert_eq!(pending.take(at(5_020)), [(B, lease.and(ask)), (C, ask)].into());
        assert_eq!((pending.due(), pending.take(at(5_020)).len()), (None, 0));
        pending.add(at(5_030), B, lease);
        assert_eq!(pending.due(), Some(at(5_120)));
        pending.clear();
        assert_eq!(pending.due(), None, "a tick has done it");
    }

    #[test]
    fn a_peer_that_takes_nothing_any_more_waits_for_nothing_and_a_grant_that_was_cut_for_its_like_alone() {
        let cut = News { cut: true, ..News::default() };
        let role = News { role: true, ..News::default() };
        for (urgent, due) in [(cut, 5_022), (role, 5_002)] {
            let mut pending = Pending::default();
            pending.take(at(5_000));
            pending.add(at(5_001), B, News { lease: true, ..News::default() });
            pending.add(at(5_002), C, urgent);
            assert_eq!(pending.due(), Some(at(due)), "{urgent:?}");
        }
    }
}
