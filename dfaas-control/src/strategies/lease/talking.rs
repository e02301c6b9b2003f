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

    /// What this node says to a peer.
    pub(super) fn word(&self, node: NodeId, grant: f32) -> LeaseWord {
        let ask = self.asks.get(&node).map_or(0.0, |ask| *ask as f32);
        let asks = self.heard.word(node).is_some_and(|word| word.ask > 0.0);
        let costs = if asks { costs(self.demand.loads()) } else { Vec::new() };
        let granted = self.ledger.total() - self.ledger.said(node) + f64::from(grant);
        LeaseWord { ask, grant, costs, ..self.standing.word(granted) }
    }

    /// Says it, and notes that it was said.
    pub(super) fn tell(&mut self, now: Time, node: NodeId, grant: f32) -> Command {
        self.ledger.told(node, grant);
        let word = self.word(node, grant);
        self.said.note(now, node, word.clone());
        Command::Send(node, Message::Lease(word))
    }

    /// Who is told something between ticks, after a word of `from`, and what it is granted then: `from`, and all others
    /// if something has changed for them.
    pub(super) fn answers(&mut self, now: Time, from: NodeId, news: News) -> Vec<(NodeId, f32)> {
        let all = std::mem::take(&mut self.unsaid);
        if !(all || news.first || news.ask) {
            return Vec::new();
        }
        let claims = self.claims();
        // Where a cut could not be told at its tick, every word that goes out tells it.
        let cut = self.ledger.total() > self.standing.headroom;
        let grant = |node: NodeId| {
            let proposed = || self.ledger.propose_one(self.standing.headroom, &claims, node);
            // What it was told, which a number of a message holds exactly.
            let said = self.ledger.said(node) as f32;
            if node == from {
                proposed()
            } else if cut {
                said.min(proposed())
            } else {
                said
            }
        };
        let mut told = Vec::new();
        let mut unsaid = false;
        for node in self.measured.peers.keys().copied().filter(|node| all || *node == from) {
            let grant = grant(node);
            if (news.first && node == from) || self.said.is_news(node, &self.word(node, grant)) {
                let may = self.said.may(now, node);
                unsaid |= !may;
                told.extend(may.then_some((node, grant)));
            }
        }
        self.unsaid = unsaid;
        told
    }
}
