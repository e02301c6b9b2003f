use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libp2p::PeerId;

use super::backoff::Backoff;

/// Waits before a link that was refused, or came to nothing, is sought again.
const SEEK_AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(600));
/// Wait before a link that one end has ended may be there again.
pub(super) const LEFT: Duration = Duration::from_secs(60);
/// Most nodes that are remembered. Who is forgotten can only be tried too early.
const MOST: usize = 256;

/// Nodes with which no link is sought for a while, whether they are connected or not.
#[derive(Debug, Default)]
pub(super) struct Bars(BTreeMap<PeerId, Bar>);

#[derive(Debug)]
struct Bar {
    until: Instant,
    /// Until when a link that the other end seeks is refused, too.
    left: Option<Instant>,
    waits: Backoff,
}

impl Bars {
    /// A link came to nothing.
    pub(super) fn failed(&mut self, peer: PeerId, now: Instant, chance: f64) {
        let bar = self.entry(peer, now);
        bar.until = bar.until.max(now + bar.waits.fail(chance));
    }

    /// A link was ended by one of its ends, for good reasons.
    pub(super) fn left(&mut self, peer: PeerId, now: Instant) {
        let bar = self.entry(peer, now);
        bar.until = now + LEFT;
        bar.left = Some(bar.until);
    }

    /// A link is whole.
    pub(super) fn forget(&mut self, peer: &PeerId) {
        self.0.remove(peer);
    }

    /// Whether a link may be sought.
    pub(super) fn may_seek(&self, peer: &PeerId, now: Instant) -> bool {
        self.0.get(peer).is_none_or(|bar| bar.until <= now)
    }

    /// Whether a link that the other end seeks may be taken.
    pub(super) fn may_come(&self, peer: &PeerId, now: Instant) -> bool {
        self.0.get(peer).and_then(|bar| bar.left).is_none_or(|left| left <= now)
    }

    fn entry(&mut self, peer: PeerId, now: Instant) -> &mut Bar {
        if self.0.len() >= MOST && !self.0.contains_key(&peer) {
            let first = self.0.iter().min_by_key(|(_, bar)| bar.until).map(|(peer, _)| *peer);
            first.and_then(|first| self.0.remove(&first));
        }
        let fresh = || Bar { until: now, left: None, waits: Backoff::new(SEEK_AGAIN.0, SEEK_AGAIN.1) };
        self.0.entry(peer).or_insert_with(fresh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_refuses_is_asked_ever_more_rarely_and_who_was_left_cannot_come_back_at_once() {
        let (now, mut bars, peer) = (Instant::now(), Bars::default(), PeerId::random());
        assert!(bars.may_seek(&peer, now));
        bars.failed(peer, now, 0.5);
        assert!(!bars.may_seek(&peer, now) && bars.may_come(&peer, now));
        assert!(bars.may_seek(&peer, now + SEEK_AGAIN.0));
        (0..20).for_each(|_| bars.failed(peer, now, 0.5));
        assert!(!bars.may_seek(&peer, now + SEEK_AGAIN.1 / 2));
        bars.left(peer, now);
        assert!(!bars.may_come(&peer, now + LEFT / 2) && bars.may_come(&peer, now + LEFT));
        bars.forget(&peer);
        assert!(bars.may_seek(&peer, now) && bars.may_come(&peer, now));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (now, mut bars) = (Instant::now(), Bars::default());
        (0..3 * MOST).for_each(|_| bars.left(PeerId::random(), now));
        assert_eq!(bars.0.len(), MOST);
    }
}
