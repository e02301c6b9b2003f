//! What a node says to its peers, and what it grants them.

use std::collections::BTreeMap;

use super::Lease;
use super::grants::Claim;
use super::heard::News;
use super::standing::costs;
use crate::command::{Command, LeaseWord, Message};
use crate::id::{NodeId, Time};
use crate::measurements::PeerMeasurements;

impl Lease {
    /// What each peer asks of this node.
    pub(super) fn claims(&self) -> BTreeMap<NodeId, Claim> {
        let claim = |(node, peer): (&NodeId, &PeerMeasurements)| {
            let ask = self.heard.word(*node).map_or(0.0, |word| word.ask);
            let weight = if peer.share.is_finite() { peer.share.clamp(0.0, 1e3) } else { 0.0 };
            (*node, Claim { weight, ask })
        };
        self.measured.peers.iter().map(claim).collect()
    }

    /// What this node says to a peer, having granted `total` to all before.
    fn word(&self, node: NodeId, grant: f32, total: f64) -> LeaseWord {
        let ask = self.asks.get(&node).map_or(0.0, |ask| *ask as f32);
        let asks = self.heard.word(node).is_some_and(|word| word.ask > 0.0);
        let costs = if asks { costs(self.demand.loads()) } else { Vec::new() };
        let granted = total - self.ledger.said(node) + f64::from(grant);
        LeaseWord { ask, grant, costs, ..self.standing.word(granted) }
    }

    /// Says it to these, whose grants are in the ledger, and notes that it was said.
    pub(super) fn tell(
        &mut self,
        now: Time,
        told: impl IntoIterator<Item = (NodeId, f32)>,
        commands: &mut Vec<Command>,
    ) {
        let total = self.ledger.total();
        for (node, grant) in told {
            let word = self.word(node, grant, total);
            self.said.note(now, node, word.clone());
            commands.push(Command::Send(node, Message::Lease(word)));
        }
    }

    /// Who is told something between ticks, after words of these, and what it is granted then: who asks, and all others
    /// if something has changed for them.
    pub(super) fn answers(&mut self, now: Time, news: &BTreeMap<NodeId, News>) -> Vec<(NodeId, f32)> {
        let all = std::mem::take(&mut self.unsaid);
        if !(all || news.values().any(|news| news.first || news.ask)) {
            return Vec::new();
        }
        let claims = self.claims();
        // Where a cut could not be told at its tick, every word that goes out tells it.
        let mut total = self.ledger.total();
        let cut = total > self.standing.headroom;
        let peers: Vec<NodeId> = self.measured.peers.keys().copied().collect();
        let mut told = Vec::new();
        let mut unsaid = false;
        for node in peers {
            let of = news.get(&node).copied();
            if !(all || of.is_some_and(|news| news.first || news.ask)) {
                continue;
            }
            let proposed = || self.ledger.propose_one(self.standing.headroom, &claims, node);
            // What it was told, which a number of a message holds exactly.
            let said = self.ledger.said(node) as f32;
            let grant = match of {
                Some(_) => proposed(),
                None if cut => said.min(proposed()),
                None => said,
            };
            if of.is_some_and(|news| news.first) || self.said.is_news(node, &self.word(node, grant, total)) {
                let may = self.said.may(now, node);
                unsaid |= !may;
                if may {
                    // The next one is granted no more than this leaves.
                    self.ledger.told(node, grant);
                    total = self.ledger.total();
                    told.push((node, grant));
                }
            }
        }
        self.unsaid = unsaid;
        told
    }
}
