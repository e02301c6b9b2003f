//! Whom a node asks, and what it does with the leases it holds.

use std::collections::BTreeMap;

use super::Lease;
use super::asks::{Neighbour, asks};
use super::heard::Word;
use super::offload::{Holding, Offload};
use crate::id::NodeId;

/// What is done here keeps the processors busy from the first part of them on, until it is below the other.
const BUSY: (f64, f64) = (0.5, 0.4);

/// What finds no place may be so much of what wants to leave before it counts as unmet: grants follow needs an answer later.
const UNMET: f64 = 0.1;

impl Lease {
    /// The peers that can be asked for something now, the nearest first.
    fn neighbours(&self) -> Vec<Neighbour<'_>> {
        let mut near: Vec<(f64, Neighbour<'_>)> = Vec::new();
        for (node, word) in self.heard.words().filter(|(_, word)| word.gives()) {
            let Some(costs) = self.prices.get(&node) else { continue };
            let available = (word.free + word.grant).min(word.headroom);
            let trust = self.trust.of(node);
            near.push((
                self.near.cost(node, word),
                Neighbour { node, available, headroom: word.headroom, trust, costs },
            ));
        }
        near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.node.cmp(&b.1.node)));
        near.into_iter().map(|(_, neighbour)| neighbour).collect()
    }

    /// Decides what each of them is asked for.
    pub(super) fn ask(&mut self) {
        self.price();
        self.asks = asks(&self.wants, &self.neighbours());
    }

    /// The processors that each peer gives, if what wants to leave finds no place for more than a tenth.
    pub(super) fn unmet(&self) -> Option<BTreeMap<NodeId, f64>> {
        let wanted: f64 = self.wants.iter().map(|want| want.rate).sum();
        let placed: f64 = self.offload.by_peer().values().sum();
        let short = wanted > 0.0 && wanted - placed > wanted * UNMET;
        let given = |(node, word): (NodeId, &Word)| (node, word.grant * self.trust.of(node));
        short.then(|| self.heard.words().map(given).collect())
    }

    /// Divides what wants to leave among the leases held. A grant counts for no more than was asked for: a larger one is
    /// no reason to send more.
    pub(super) fn divide(&mut self) {
        self.price();
        let holdings: Vec<Holding<'_>> = self
            .heard
            .words()
            .filter(|(_, word)| word.gives() && word.grant > 0.0)
            .filter_map(|(node, word)| {
                let asked = self.asks.get(&node).copied().unwrap_or(0.0);
                let grant = word.grant.min(asked) * self.trust.of(node);
                Some(Holding { node, grant, costs: self.prices.get(&node)? })
            })
            .collect();
        let (offload, busy) = (Offload::divide(&self.wants, &holdings), self.standing.busy);
        self.moved |= offload != self.offload;
        self.offload = offload;
        self.standing.relieve(self.offload.relief(self.demand.loads()), BUSY);
        self.moved |= self.standing.busy != busy;
    }
}
