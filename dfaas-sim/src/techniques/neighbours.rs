use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_control::{FunctionId, FunctionMeasurements, Measurements, NodeId, Time};

/// What peers said last, for as long as it holds.
#[derive(Debug)]
pub(super) struct Heard<W> {
    words: BTreeMap<NodeId, (Time, W)>,
    lifetime: Duration,
}

impl<W> Heard<W> {
    /// Nothing was said; what is said holds for `lifetime`.
    pub(super) const fn new(lifetime: Duration) -> Self {
        Self { words: BTreeMap::new(), lifetime }
    }

    pub(super) fn take(&mut self, now: Time, from: NodeId, word: W) {
        self.words.insert(from, (now, word));
    }

    /// Forgets nodes that are no peers any more, and what was said too long ago.
    pub(super) fn forget(&mut self, now: Time, measured: &Measurements) {
        let lifetime = self.lifetime;
        self.words.retain(|node, (at, _)| measured.peers.contains_key(node) && now.since(*at) < lifetime);
    }

    pub(super) fn get(&self, node: NodeId) -> Option<&W> {
        self.words.get(&node).map(|(_, word)| word)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (NodeId, &W)> {
        self.words.iter().map(|(node, (_, word))| (*node, word))
    }
}

/// The peers to which a function's invocations may go.
pub(super) fn serving(
    id: FunctionId,
    function: &FunctionMeasurements,
    measured: &Measurements,
) -> Vec<NodeId> {
    if function.local_only {
        return Vec::new();
    }
    let peers = measured.peers.iter().filter(|(_, peer)| peer.serves(id, function.here));
    peers.map(|(node, _)| *node).collect()
}

/// A measured rate, if it can be one.
pub(super) fn rate(measured: f64) -> f64 {
    if measured.is_finite() { measured.clamp(0.0, 1e9) } else { 0.0 }
}

/// A function's limit in invocations a second.
pub(super) fn limit(function: &FunctionMeasurements) -> Option<f64> {
    function.max_rate.filter(|limit| limit.is_finite() && *limit > 0.0)
}

/// Whether users ask for as much as a function serves here, or more.
pub(super) fn overloaded(function: &FunctionMeasurements) -> bool {
    limit(function).is_some_and(|limit| rate(function.user_rate) >= limit)
}
