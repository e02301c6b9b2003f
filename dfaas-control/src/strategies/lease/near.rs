use std::collections::BTreeMap;
use std::time::Duration;

use super::heard::Word;
use crate::id::NodeId;
use crate::measurements::PeerMeasurements;

/// What is assumed of the way to a peer that was not measured.
const UNKNOWN: Duration = Duration::from_millis(10);

/// What a tick leaves of the difference to a shorter round-trip time.
const FORGETS: f64 = 0.9;

/// What it costs to use a peer that has just come.
const COLD: Duration = Duration::from_millis(50);

/// A peer that holds a place keeps it against those that are nearer by less than a fifth.
const HELD: f64 = 0.8;

/// How far away peers are: the round-trip time, longer ones at once and shorter ones as time passes (peak EWMA).
#[derive(Debug, Default)]
pub(super) struct Near(BTreeMap<NodeId, (f64, Duration)>);

impl Near {
    /// Takes a tick's measurements.
    pub(super) fn update(&mut self, peers: &BTreeMap<NodeId, PeerMeasurements>) {
        self.0.retain(|node, _| peers.contains_key(node));
        for (node, peer) in peers {
            let sample = peer.rtt.unwrap_or(UNKNOWN).as_secs_f64();
            let known = self.0.get(node).map_or(sample, |(seconds, _)| *seconds);
            let seconds = sample.max(sample + FORGETS * (known - sample));
            self.0.insert(*node, (seconds, Duration::from_secs_f64(seconds.clamp(0.0, 3600.0))));
        }
    }

    /// The round-trip time to a peer.
    pub(super) fn rtt(&self, node: NodeId) -> Duration {
        self.0.get(&node).map_or(UNKNOWN, |(_, rtt)| *rtt)
    }

    /// What an invocation that goes to a peer loses by that (s); what asks are ordered by.
    pub(super) fn cost(&self, node: NodeId, word: &Word) -> f64 {
        let cold = if word.cold { COLD } else { Duration::ZERO };
        let held = if word.grant > 0.0 { HELD } else { 1.0 };
        (self.rtt(node) + cold).as_secs_f64() * held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_way_counts_at_once_and_a_shorter_one_as_time_passes() {
        let mut near = Near::default();
        let mut after = |rtt: u64| {
            let peer =
                PeerMeasurements { rtt: Some(Duration::from_millis(rtt)), ..PeerMeasurements::default() };
            near.update(&[(NodeId(2), peer)].into());
            near.rtt(NodeId(2)).as_micros()
        };
        assert_eq!([after(10), after(30), after(10), after(10)], [10_000, 30_000, 28_000, 26_200]);
    }
}
