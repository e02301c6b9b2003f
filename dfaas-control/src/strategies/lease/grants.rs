use std::collections::BTreeMap;

use crate::id::NodeId;

/// A holder that used less than half of its grant in this many ticks one after the other has lost the rest to whoever
/// needs it.
const IDLE_TICKS: u32 = 3;
/// What it keeps of the headroom, so that it can show that it needs more.
const KEPT: f64 = 0.05;

/// What is asked of this node by a peer. Processors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Claim {
    /// Its part relative to others where there is not enough.
    pub weight: f64,
    /// What it asks for.
    pub ask: f64,
}

/// What was granted to whom: the last word to each peer. What was not told was not granted.
#[derive(Debug, Default)]
pub(super) struct Ledger(BTreeMap<NodeId, Entry>);

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    /// What the peer was told last.
    said: f64,
    idle: u32,
    /// What it can be granted before the others have what they ask for.
    keeps: Option<f64>,
}

impl Ledger {
    /// Keeps only grants to these nodes.
    pub(super) fn retain(&mut self, keep: impl Fn(&NodeId) -> bool) {
        self.0.retain(|node, _| keep(node));
    }

    /// A tick begins. `used` is what each peer used of this node since the last one, if that is
    /// known.
    pub(super) fn tick(&mut self, headroom: f64, used: impl Fn(NodeId) -> Option<f64>) {
        for (node, entry) in &mut self.0 {
            let used = used(*node).filter(|used| *used < entry.said / 2.0);
            entry.idle = if used.is_some() { entry.idle.saturating_add(1) } else { 0 };
            entry.keeps =
                used.filter(|_| entry.idle >= IDLE_TICKS).map(|used| (2.0 * used).max(KEPT * headroom));
        }
    }

    /// What each of these peers can be granted of `headroom`, if all of them are told now. What others were told before
    /// stands. Never together more than the headroom.
    pub(super) fn propose(&self, headroom: f64, claims: &BTreeMap<NodeId, Claim>) -> BTreeMap<NodeId, f32> {
        let budget = headroom - self.sum(|node| !claims.contains_key(node));
        let least: Vec<Claim> = claims.iter().map(|(node, claim)| self.kept(*node, *claim)).collect();
        let first = fill(budget, &least);
        let rest: Vec<Claim> = claims
            .values()
            .zip(&first)
            .map(|(claim, first)| Claim { ask: (claim.ask - first).max(0.0), ..*claim })
            .collect();
        let more = fill(budget - first.iter().sum::<f64>(), &rest);
        let targets = claims.keys().zip(first.iter().zip(more).map(|(first, more)| first + more));
        let mut left = budget.max(0.0);
        targets
            .map(|(node, target)| {
                // Rounding must not add up to more than there is.
                let grant = rounded_down(target.min(left));
                left -= f64::from(grant);
                (*node, grant)
            })
            .collect()
    }

    /// What this peer alone can be granted, the others having what they were told: its place among all `claims`, as far
    /// as nobody else holds it.
    pub(super) fn propose_one(&self, headroom: f64, claims: &BTreeMap<NodeId, Claim>, node: NodeId) -> f32 {
        let all: Vec<Claim> = claims.iter().map(|(node, claim)| self.kept(*node, *claim)).collect();
        let place = claims.keys().position(|other| *other == node);
        let fair = place.and_then(|place| fill(headroom, &all).get(place).copied()).unwrap_or(0.0);
        let free = (headroom - self.sum(|other| *other != node)).max(0.0);
        rounded_down(fair.min(free))
    }

    /// Notes what a peer was told.
    pub(super) fn told(&mut self, node: NodeId, grant: f32) {
        self.0.entry(node).or_default().said = f64::from(grant);
    }

    /// What a peer was told last.
    pub(super) fn said(&self, node: NodeId) -> f64 {
        self.0.get(&node).map_or(0.0, |entry| entry.said)
    }

    /// All that was granted.
    pub(super) fn total(&self) -> f64 {
        self.sum(|_| true)
    }

    fn sum(&self, of: impl Fn(&NodeId) -> bool) -> f64 {
        self.0.iter().filter(|(node, _)| of(node)).fold(0.0, |sum, (_, entry)| sum + entry.said)
    }

    fn kept(&self, node: NodeId, claim: Claim) -> Claim {
        let keeps = self.0.get(&node).and_then(|entry| entry.keeps).unwrap_or(f64::INFINITY);
        Claim { ask: claim.ask.min(keeps), ..claim }
    }
}

/// The largest number of a message that is not above `value`.
fn rounded_down(value: f64) -> f32 {
    let rounded = value.max(0.0) as f32;
    if f64::from(rounded) > value.max(0.0) { rounded.next_down() } else { rounded }
}

/// Divides `budget` by weights, nobody getting more than it asks for: what one leaves is for the others (weighted max-min
/// fairness, filled progressively).
pub(super) fn fill(budget: f64, claims: &[Claim]) -> Vec<f64> {
    let mut parts = vec![0.0; claims.len()];
    let usable = |claim: &Claim| claim.weight > 0.0 && claim.weight.is_finite() && claim.ask > 0.0;
    let mut order: Vec<usize> = (0..claims.len()).filter(|index| usable(&claims[*index])).collect();
    let fullness = |index: &usize| claims[*index].ask / claims[*index].weight;
    order.sort_by(|a, b| fullness(a).total_cmp(&fullness(b)).then(a.cmp(b)));
    let mut weights: f64 = order.iter().map(|index| claims[*index].weight).sum();
    let mut left = budget.max(0.0);
    for index in order {
        let Claim { weight, ask } = claims[index];
        let fair = if weights > weight { left * (weight / weights) } else { left };
        parts[index] = ask.min(fair);
        left = (left - parts[index]).max(0.0);
        weights -= weight;
    }
    parts
}

#[cfg(test)]
#[path = "grants_tests.rs"]
mod tests;
