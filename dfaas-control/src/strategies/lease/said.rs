use std::collections::BTreeMap;
use std::time::Duration;

use crate::command::LeaseWord;
use crate::id::{NodeId, Time};

/// A peer is told no more than five words a second.
const GAP: Duration = Duration::from_millis(200);

/// Between ticks, numbers that differ by more than this part of the larger one are told at once.
const NOTABLE: f32 = 0.2;

/// What each peer was told last, and when.
#[derive(Debug, Default)]
pub(super) struct Said(BTreeMap<NodeId, (Time, LeaseWord)>);

impl Said {
    /// Keeps only what was told to these nodes.
    pub(super) fn retain(&mut self, keep: impl Fn(&NodeId) -> bool) {
        self.0.retain(|node, _| keep(node));
    }

    /// Whether a peer may be told something now.
    pub(super) fn may(&self, now: Time, node: NodeId) -> bool {
        self.0.get(&node).is_none_or(|(then, _)| now.since(*then) >= GAP)
    }

    /// Whether a word says something notable that the last one to this peer did not: another role, or another ask or
    /// grant.
    pub(super) fn is_news(&self, node: NodeId, word: &LeaseWord) -> bool {
        self.0.get(&node).is_none_or(|(_, old)| {
            old.flags != word.flags || notable(old.ask, word.ask) || notable(old.grant, word.grant)
        })
    }

    /// Notes what a peer is told.
    pub(super) fn note(&mut self, now: Time, node: NodeId, word: LeaseWord) {
        self.0.insert(node, (now, word));
    }
}

fn notable(a: f32, b: f32) -> bool {
    (a - b).abs() > NOTABLE * a.max(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::lease_flag;

    const B: NodeId = NodeId(2);

    #[test]
    fn a_peer_is_told_at_most_five_words_a_second_and_only_news_between_ticks() {
        let mut said = Said::default();
        let word = LeaseWord { ask: 1.0, grant: 2.0, wait: 5, ..LeaseWord::default() };
        assert!(said.may(Time::default(), B) && said.is_news(B, &word));
        said.note(Time::default(), B, word.clone());
        assert!(!said.may(Time(Duration::from_millis(199)), B) && said.may(Time(GAP), B));
        assert!(!said.is_news(B, &LeaseWord { ask: 1.1, grant: 1.7, wait: 900, ..word.clone() }));
        assert!(said.is_news(B, &LeaseWord { ask: 0.7, ..word.clone() }));
        assert!(said.is_news(B, &LeaseWord { grant: 2.6, ..word.clone() }));
        assert!(said.is_news(B, &LeaseWord { flags: lease_flag::SENDER, ..word.clone() }));
        said.retain(|_| false);
        assert!(said.is_news(B, &word));
    }
}
