//! What is said to others, and when.

use std::collections::BTreeSet;

use dfaas_control::{Message, NodeId, Random, Time};
use libp2p::PeerId;

use super::effects::Effects;
use super::member::{Member, Own, digest};
use super::place::Place;
use super::state::Federation;
use crate::overlay::Order;

impl Federation {
    /// Sets the functions that this node serves for peers; tells everybody if they are others than before.
    pub fn serve(&mut self, now: Time, functions: Vec<String>) -> Effects {
        let mut effects = Effects::default();
        if self.card.functions != functions {
            self.card.functions = functions;
            self.digest = digest(&self.card);
            self.beat_to_all(now, &mut effects);
        }
        effects
    }

    /// Sets what this node's strategy has to say to a peer, from its next beat on, which goes at once.
    pub fn say(&mut self, now: Time, to: NodeId, message: Message) -> Effects {
        let mut effects = Effects::default();
        let named = self.members.iter_mut().find(|(_, member)| member.node == to);
        if let Some((id, member)) = named {
            member.to_say = Some(message);
            let id = *id;
            self.beat_to(now, id, &mut effects);
        }
        effects
    }

    /// The data plane takes invocations from these nodes now, and from no others.
    pub fn data_plane_took(&mut self, now: Time, admitted: BTreeSet<PeerId>) -> Effects {
        let mut effects = Effects::default();
        let changed: Vec<PeerId> = self.told.symmetric_difference(&admitted).copied().collect();
        self.told = admitted;
        for id in changed {
            self.beat_to(now, id, &mut effects);
        }
        effects
    }

    /// Says goodbye: peers send nothing here any more once they have heard it.
    pub fn leave(&mut self, now: Time) -> Effects {
        let mut effects = Effects::default();
        self.leaving = true;
        self.beat_to_all(now, &mut effects);
        effects
    }

    /// Tells everybody that this node takes nothing any more, or takes it again. What it sends to others goes on.
    pub fn drain(&mut self, now: Time, draining: bool) -> Effects {
        let mut effects = Effects::default();
        if self.draining != draining {
            self.draining = draining;
            self.beat_to_all(now, &mut effects);
        }
        effects
    }

    /// Once a period: those whose beats have stopped go, claims are proven, everybody gets a beat.
    pub fn tick(&mut self, now: Time, random: &mut dyn Random) -> Effects {
        let mut effects = self.expire(now);
        // What stood against a claim may be over: an address may be free now.
        let disbelieved =
            |member: &Member| matches!(member.place, Place::Disbelieved(_)) && member.card.is_some();
        let again: Vec<PeerId> =
            self.members.iter().filter(|(_, member)| disbelieved(member)).map(|(id, _)| *id).collect();
        for peer in again {
            self.reclaim(peer, random, &mut effects);
        }
        for member in self.members.values().filter(|member| member.linked) {
            effects.orders.extend(probe(member));
        }
        self.beat_to_all(now, &mut effects);
        effects.orders.extend(self.describe());
        effects
    }

    /// What the overlay is to tell of this node, if that is news.
    fn describe(&mut self) -> Option<Order> {
        let (digest, incarnation) = (self.digest, self.incarnation.current());
        if self.described == Some((digest, incarnation)) {
            return None;
        }
        self.described = Some((digest, incarnation));
        Some(Order::Describe { card: Box::new(self.card.clone()), digest, incarnation })
    }

    /// The identity of the node that strategies know by this number.
    pub(crate) fn id_of(&self, node: NodeId) -> Option<PeerId> {
        self.members.iter().find(|(_, member)| member.node == node).map(|(id, _)| *id)
    }

    /// Those whose beats have stopped are peers no longer.
    pub fn expire(&mut self, now: Time) -> Effects {
        let mut effects = Effects::default();
        for node in self.table.expire(now) {
            effects.peers_changed = true;
            if let Some(member) = self.members.values_mut().find(|member| member.node == node) {
                member.admits_us = false;
            }
        }
        let gone: Vec<PeerId> = self
            .members
            .iter()
            .filter(|(_, member)| !member.linked && !self.living(member))
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            self.members.remove(&id);
            self.names.forget(&id);
            self.left.remove(&id);
        }
        effects
    }

    pub(super) fn beat_to_all(&mut self, now: Time, effects: &mut Effects) {
        let everybody: Vec<PeerId> = self.members.keys().copied().collect();
        for id in everybody {
            self.beat_to(now, id, effects);
        }
    }

    pub(super) fn beat_to(&mut self, now: Time, to: PeerId, effects: &mut Effects) {
        let Some(member) = self.members.get(&to).filter(|member| member.linked) else { return };
        if self.incarnation.conflict(now) {
            return;
        }
        self.sequence += 1;
        let own = Own {
            incarnation: self.incarnation.current(),
            sequence: self.sequence,
            period: self.period,
            leaving: self.leaving,
            digest: self.digest,
            card: &self.card,
        };
        let known = self.table.incarnation_of(member.node).unwrap_or(0);
        let beat = Box::new(member.beat(&own, known, !self.draining && self.told.contains(&to)));
        effects.order(Order::Beat { to, beat });
    }
}

/// The question that proves where a node is, while that is open.
pub(super) fn probe(member: &Member) -> Option<Order> {
    match member.place {
        Place::Asked { at, nonce } => Some(Order::Probe { to: at, nonce }),
        _ => None,
    }
}
