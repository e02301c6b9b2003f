//! Whom a node asks, and what it does with the leases it holds.

use std::collections::BTreeMap;

use super::Lease;
use super::asks::Neighbour;
use super::heard::Word;
use super::offload::{Holding, Offload};
use crate::id::{FunctionId, NodeId};

/// What is done here keeps the processors busy from the first part of them on, until it is below the other.
const BUSY: (f64, f64) = (0.5, 0.4);

/// What finds no place may be so much of what wants to leave before it counts as unmet: grants follow needs in steps.
const UNMET: f64 = 0.1;

impl Lease {
    /// The peers that can be asked for something now, the nearest first.
    pub(super) fn neighbours(&self) -> Vec<Neighbour> {
        let mut near: Vec<(f64, Neighbour)> = Vec::new();
        for (node, word) in self.heard.words().filter(|(_, word)| word.gives()) {
            let available = (word.free + word.grant).min(word.headroom);
            let (trust, costs) = (self.trust.of(node), self.costs_at(node, word));
            near.push((
                self.near.cost(node, word),
                Neighbour { node, available, headroom: word.headroom, trust, costs },
            ));
        }
        near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.node.cmp(&b.1.node)));
        near.into_iter().map(|(_, neighbour)| neighbour).collect()
    }

    /// The processors that each peer gives, if what wants to leave finds no place for more than a tenth.
    pub(super) fn unmet(&self) -> Option<BTreeMap<NodeId, f64>> {
        let wanted: f64 = self.wants.iter().map(|want| want.rate).sum();
        let placed: f64 = self.offload.by_peer().values().sum();
        let short = wanted > 0.0 && wanted - placed > wanted * UNMET;
        let given = |(node, word): (NodeId, &Word)| (node, word.grant * self.trust.of(node));
        short.then(|| self.heard.words().map(given).collect())
    }

    /// What functions that want to leave cost at a peer, of those that it serves.
    pub(super) fn costs_at(&self, node: NodeId, word: &Word) -> BTreeMap<FunctionId, f64> {
        let Some(peer) = self.measured.peers.get(&node).filter(|peer| peer.share > 0.0) else {
            return BTreeMap::new();
        };
        let loads = self
            .wants
            .iter()
            .filter_map(|want| Some((want.function, self.demand.loads().get(&want.function)?)));
        loads
            .filter(|(id, load)| peer.serves(*id, load.here))
            .map(|(id, load)| (id, word.cost(id, load.cost)))
            .collect()
    }

    /// Divides what wants to leave among the leases held. A grant counts for no more than was asked for: a larger one is
    /// no reason to send more.
    pub(super) fn divide(&mut self) {
        let holdings: Vec<Holding> = self
            .heard
            .words()
            .filter(|(_, word)| word.gives() && word.grant > 0.0)
            .map(|(node, word)| {
                let asked = self.asks.get(&node).copied().unwrap_or(0.0);
                let grant = word.grant.min(asked) * self.trust.of(node);
                Holding { node, grant, costs: self.costs_at(node, word) }
            })
            .collect();
        self.offload = Offload::divide(&self.wants, &holdings);
        self.standing.relieve(self.offload.relief(self.demand.loads()), BUSY);
    }
}
