use std::collections::BTreeMap;
use std::time::Duration;

use crate::command::MarginWord;
use crate::id::{FunctionId, NodeId, Time};

/// What peers said last.
#[derive(Debug, Default)]
pub(super) struct Heard(BTreeMap<NodeId, Word>);

#[derive(Debug)]
struct Word {
    at: Time,
    margin: f64,
    costs: BTreeMap<FunctionId, f64>,
}

impl Heard {
    /// Forgets nodes that are no peers any more, and what was said longer than `lifetime` ago.
    pub(super) fn forget<T>(&mut self, now: Time, lifetime: Duration, peers: &BTreeMap<NodeId, T>) {
        self.0.retain(|node, word| peers.contains_key(node) && now.since(word.at) < lifetime);
    }

    /// Takes what `from` says in place of what it said before; whether it has a margin now and had none, or the other
    /// way round. Only costs of functions that are `known` are kept.
    pub(super) fn take<T>(
        &mut self,
        now: Time,
        from: NodeId,
        word: &MarginWord,
        known: &BTreeMap<FunctionId, T>,
    ) -> bool {
        let before = self.margin(from) > 0.0;
        let margin = if word.margin.is_finite() { f64::from(word.margin).clamp(0.0, 100.0) } else { 0.0 };
        let costs = word.costs.iter().filter(|(id, _)| known.contains_key(id));
        let costs = costs.map(|(id, cost)| (*id, f64::from(*cost))).collect();
        self.0.insert(from, Word { at: now, margin, costs });
        before != (margin > 0.0)
    }

    /// Points that may be added to a peer; 0 if it said nothing.
    pub(super) fn margin(&self, node: NodeId) -> f64 {
        self.0.get(&node).map_or(0.0, |word| word.margin)
    }

    /// Whether a peer said that it is overloaded.
    pub(super) fn overloaded(&self, node: NodeId) -> bool {
        self.0.get(&node).is_some_and(|word| word.margin == 0.0)
    }

    /// Points that one invocation a second of a function adds to a peer; `None` if it told none that can be.
    pub(super) fn cost(&self, node: NodeId, id: FunctionId) -> Option<f64> {
        let cost = self.0.get(&node)?.costs.get(&id).copied()?;
        (cost.is_finite() && cost > 0.0).then_some(cost)
    }
}
