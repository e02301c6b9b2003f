use std::collections::BTreeMap;
use std::time::Duration;

use crate::id::{NodeId, Time};
use crate::measurements::PeerMeasurements;

/// A peer may fail this part of what it granted.
const TOLERATED: f64 = 0.1;

/// Failures a second below this are chance.
const CHANCE: f64 = 0.5;

/// What a clean tick adds.
const EARNED: f64 = 0.05;

/// The least: enough to find out whether a peer has become better.
const LEAST: f64 = 0.05;

/// Peers that are sent this much a second and have answered nothing for the longest deadline serve nothing.
const TRIED: f64 = 1.0;

/// How far peers' grants are believed, from 0.05 to 1.
#[derive(Debug, Default)]
pub(super) struct Trust(BTreeMap<NodeId, Standing>);

#[derive(Debug, Clone, Copy)]
struct Standing {
    trust: f64,
    /// Since when it was sent invocations without an answer.
    mute: Option<Time>,
}

impl Trust {
    /// How far a peer's grant is believed.
    pub(super) fn of(&self, node: NodeId) -> f64 {
        self.0.get(&node).map_or(1.0, |standing| standing.trust)
    }

    /// Judges a tick. `planned` is what each peer was to be sent by its grant, a second; what it refused beyond that was
    /// overflow, and was its right. Who takes everything and answers nothing within `patience` has failed all of it,
    /// unless this node measures no answers at all.
    pub(super) fn judge(
        &mut self,
        now: Time,
        peers: &BTreeMap<NodeId, PeerMeasurements>,
        planned: &BTreeMap<NodeId, f64>,
        answers: bool,
        patience: Duration,
    ) {
        self.0.retain(|node, _| peers.contains_key(node));
        for (node, peer) in peers {
            let standing = self.0.entry(*node).or_insert(Standing { trust: 1.0, mute: None });
            let (sent, refused, reset) =
                (usable(peer.sent_rate), usable(peer.refusal_rate), usable(peer.reset_rate));
            let is_mute = answers && peer.first_byte.is_none() && sent - refused >= TRIED;
            standing.mute = is_mute.then(|| standing.mute.unwrap_or(now));
            let mute = standing.mute.is_some_and(|since| now.since(since) >= patience);
            let granted = planned.get(node).copied().unwrap_or(0.0).min(sent);
            let overflow = sent - granted;
            let failed = (refused - overflow).max(0.0) + reset;
            let failed = if mute { failed.max(granted) } else { failed };
            let bad = granted > 0.0 && failed > TOLERATED * granted && failed > CHANCE;
            standing.trust = if bad { standing.trust / 2.0 } else { standing.trust + EARNED };
            standing.trust = standing.trust.clamp(LEAST, 1.0);
        }
    }
}

fn usable(rate: f64) -> f64 {
    if rate.is_finite() { rate.max(0.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const B: NodeId = NodeId(2);

    fn peer(sent_rate: f64, refusal_rate: f64, reset_rate: f64) -> PeerMeasurements {
        let first_byte = Some(Duration::from_millis(5));
        PeerMeasurements { sent_rate, refusal_rate, reset_rate, first_byte, ..PeerMeasurements::default() }
    }

    fn judged(trust: &mut Trust, second: u64, peer: PeerMeasurements, planned: f64) -> f64 {
        let now = Time(Duration::from_secs(second));
        trust.judge(now, &[(B, peer)].into(), &[(B, planned)].into(), true, Duration::from_secs(2));
        trust.of(B)
    }

    #[test]
    fn a_peer_that_fails_more_than_a_tenth_of_its_grant_loses_half_and_earns_it_back_slowly() {
        let mut trust = Trust::default();
        assert_eq!(trust.of(B), 1.0);
        assert_eq!(judged(&mut trust, 1, peer(20.0, 2.0, 0.0), 20.0), 1.0);
        assert_eq!(judged(&mut trust, 2, peer(20.0, 2.0, 0.5), 20.0), 0.5);
        assert_eq!(judged(&mut trust, 3, peer(20.0, 0.0, 20.0), 20.0), 0.25);
        assert_eq!(judged(&mut trust, 4, peer(20.0, 0.0, 0.0), 20.0), 0.3);
        for second in 5..60 {
            judged(&mut trust, second, peer(20.0, 20.0, 0.0), 20.0);
        }
        assert_eq!(trust.of(B), 0.05);
        assert_eq!(judged(&mut trust, 60, peer(0.0, 0.0, 0.0), 0.0), 0.1, "no traffic, no failure");
    }

    #[test]
    fn refused_overflow_is_no_breach() {
        let mut trust = Trust::default();
        assert_eq!(judged(&mut trust, 1, peer(50.0, 30.0, 0.0), 20.0), 1.0);
        assert_eq!(judged(&mut trust, 2, peer(50.0, 50.0, 0.0), 20.0), 0.5, "the granted was refused too");
        assert_eq!(judged(&mut trust, 3, peer(50.0, 50.0, 0.0), 0.0), 0.55);
    }

    #[test]
    fn who_takes_everything_and_answers_nothing_has_failed_it() {
        let mut trust = Trust::default();
        let mute = PeerMeasurements { first_byte: None, ..peer(20.0, 0.0, 0.0) };
        let course: Vec<f64> = (1..=5).map(|second| judged(&mut trust, second, mute.clone(), 20.0)).collect();
        assert_eq!(course, [1.0, 1.0, 0.5, 0.25, 0.125], "the deadline passes first");
        let mut trust = Trust::default();
        for second in 1..=5 {
            let now = Time(Duration::from_secs(second));
            let (peers, planned) = ([(B, mute.clone())].into(), [(B, 20.0)].into());
            trust.judge(now, &peers, &planned, false, Duration::from_secs(2));
        }
        assert_eq!(trust.of(B), 1.0, "nobody's answers are measured");
    }

    #[test]
    fn impossible_rates_do_no_harm() {
        for odd in [f64::NAN, f64::INFINITY, -5.0] {
            let mut trust = Trust::default();
            assert_eq!(judged(&mut trust, 1, peer(odd, odd, odd), odd), 1.0);
        }
    }
}
