use std::collections::BTreeMap;
use std::time::Duration;

use crate::command::Offer;
use crate::id::{FunctionId, NodeId, Time};

/// Grants below this are of no use, and the data plane counts in thousandths.
const LEAST: f64 = 0.01;

/// No node serves more invocations a second than this.
const MOST: f64 = 1e6;

/// What peers said last.
#[derive(Debug, Default)]
pub(super) struct Received(BTreeMap<NodeId, Word>);

#[derive(Debug)]
struct Word {
    at: Time,
    offers: BTreeMap<FunctionId, (bool, f64)>,
}

impl Received {
    /// Forgets nodes that are no peers any more, and what was said longer than `lifetime` ago.
    pub(super) fn forget<T>(&mut self, now: Time, lifetime: Duration, peers: &BTreeMap<NodeId, T>) {
        self.0.retain(|node, word| peers.contains_key(node) && now.since(word.at) < lifetime);
    }

    /// Takes what `from` says in place of what it said before; whether it had said nothing. Only entries of functions
    /// that are `known` count, so that nobody fills the memory; of two about one function the later counts.
    pub(super) fn take<T>(
        &mut self,
        now: Time,
        from: NodeId,
        offers: &[Offer],
        known: &BTreeMap<FunctionId, T>,
    ) -> bool {
        let of_use = offers.iter().filter(|offer| known.contains_key(&offer.function));
        let offers = of_use.map(|offer| (offer.function, (offer.overloaded, usable(offer.limit))));
        self.0.insert(from, Word { at: now, offers: offers.collect() }).is_none()
    }

    /// Whether a peer reports overload for a function.
    pub(super) fn overloaded(&self, node: NodeId, id: FunctionId) -> bool {
        self.offer(node, id).is_some_and(|(overloaded, _)| overloaded)
    }

    /// Invocations a second that a peer takes of a function; `None` if that is nothing or not worth sending.
    pub(super) fn limit(&self, node: NodeId, id: FunctionId) -> Option<f64> {
        self.offer(node, id).map(|(_, limit)| limit).filter(|limit| *limit >= LEAST)
    }

    fn offer(&self, node: NodeId, id: FunctionId) -> Option<(bool, f64)> {
        self.0.get(&node)?.offers.get(&id).copied()
    }
}

/// A limit as far as it can be meant; what cannot be one grants nothing.
fn usable(limit: f32) -> f64 {
    if limit.is_finite() { f64::from(limit).clamp(0.0, MOST) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const B: NodeId = NodeId(2);
    const FIGLET: FunctionId = FunctionId(7);

    fn said(offers: &[(u64, bool, f32)]) -> Received {
        let offer = |(id, overloaded, limit): &(u64, bool, f32)| Offer {
            function: FunctionId(*id),
            overloaded: *overloaded,
            limit: *limit,
        };
        let offers: Vec<Offer> = offers.iter().map(offer).collect();
        let mut received = Received::default();
        assert!(received.take(Time::default(), B, &offers, &[(FIGLET, ())].into()));
        received
    }

    #[test]
    fn limits_that_cannot_be_meant_grant_nothing() {
        for limit in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0, 0.0, 1e-30, 0.0099] {
            assert_eq!(said(&[(7, true, limit)]).limit(B, FIGLET), None, "{limit}");
        }
        assert_eq!(said(&[(7, false, 1e30)]).limit(B, FIGLET), Some(MOST));
        assert_eq!(said(&[(7, false, 16.0)]).limit(B, FIGLET), Some(16.0));
    }

    #[test]
    fn of_long_lists_only_known_functions_are_kept_and_the_last_word_counts() {
        let mut offers: Vec<_> = (100..200_000).map(|id| (id, true, 1.0)).collect();
        offers.extend([(7, true, 3.0), (7, false, 5.0)]);
        let received = said(&offers);
        assert_eq!((received.overloaded(B, FIGLET), received.limit(B, FIGLET)), (false, Some(5.0)));
        assert_eq!(received.0[&B].offers.len(), 1);
    }

    #[test]
    fn words_are_forgotten_with_time_and_with_their_peers() {
        let lifetime = Duration::from_millis(3_500);
        let mut received = said(&[(7, false, 5.0)]);
        received.forget(Time(Duration::from_millis(3_499)), lifetime, &[(B, ())].into());
        assert!(received.limit(B, FIGLET).is_some());
        received.forget(Time(lifetime), lifetime, &[(B, ())].into());
        assert_eq!(received.limit(B, FIGLET), None);

        let mut received = said(&[(7, false, 5.0)]);
        received.forget::<()>(Time::default(), lifetime, &BTreeMap::new());
        assert_eq!(received.limit(B, FIGLET), None);
    }
}
