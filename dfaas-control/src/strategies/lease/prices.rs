//! What the functions that want to leave cost at each peer: asked for by every word that changes what goes where, and looked
//! up once.

use std::collections::BTreeMap;

use super::Lease;
use super::heard::Word;
use crate::id::NodeId;

/// What an invocation of each function that wants to leave costs at one peer (s), in the order of the wants; nothing where
/// the peer does not serve it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Prices(Vec<Option<f64>>);

impl Prices {
    /// What the function of this want costs.
    pub(super) fn of(&self, want: usize) -> Option<f64> {
        self.0.get(want).copied().flatten()
    }
}

impl FromIterator<Option<f64>> for Prices {
    fn from_iter<T: IntoIterator<Item = Option<f64>>>(costs: T) -> Self {
        Self(costs.into_iter().collect())
    }
}

/// Those of the peers that have said something since the last tick or before.
pub(super) type PriceList = BTreeMap<NodeId, Prices>;

impl Lease {
    /// Looks prices up where they are not known any more.
    pub(super) fn price(&mut self) {
        let mut known = std::mem::take(&mut self.prices);
        for (node, word) in self.heard.words() {
            known.entry(node).or_insert_with(|| self.prices_at(node, word));
        }
        self.prices = known;
    }

    fn prices_at(&self, node: NodeId, word: &Word) -> Prices {
        let Some(peer) = self.measured.peers.get(&node).filter(|peer| peer.share > 0.0) else {
            return Prices::default();
        };
        let loads = self.demand.loads();
        let price = |want: &super::asks::Want| {
            let load = loads.get(&want.function).filter(|load| peer.serves(want.function, load.here))?;
            Some(word.cost(want.function, load.cost))
        };
        self.wants.iter().map(price).collect()
    }
}
