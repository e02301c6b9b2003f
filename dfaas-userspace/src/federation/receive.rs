//! What is heard from others.

use std::time::Duration;

use dfaas_control::{Contest, Heard, Random, Time};
use libp2p::PeerId;

use super::effects::Effects;
use super::member::digest;
use super::place::{Disbelief, claimed};
use super::send::probe;
use super::state::Federation;
use crate::overlay::{Beat, Event, Nonce, Offence, Order};

/// Periods for which an agent that has started again is not taken at its word that it takes nothing. It learns anew who
/// its peers are, while its data plane goes on as it was; should that refuse, the next choice is made at once.
const SETTLES: u32 = 2;

impl Federation {
    /// Something happened to the overlay.
    pub fn on_event(&mut self, now: Time, event: Event, random: &mut dyn Random) -> Effects {
        let mut effects = Effects::default();
        match event {
            Event::Linked { peer, addresses } => {
                let member = self.member(peer);
                member.linked = true;
                member.addresses = addresses;
                self.reclaim(peer, random, &mut effects);
                self.beat_to(now, peer, &mut effects);
            }
            Event::Unlinked { peer } => {
                if let Some(member) = self.members.get_mut(&peer) {
                    member.linked = false;
                    // Its beats decide whether it lives: a link may be made anew before they are missed.
                    member.rtt = None;
                }
            }
            Event::Rtt { peer, rtt } => {
                if let Some(member) = self.members.get_mut(&peer) {
                    member.rtt = Some(rtt);
                }
            }
            Event::Probed { by, nonce } => {
                if let Some(member) = self.members.get_mut(&by).filter(|member| member.linked) {
                    member.nonce = Some(nonce);
                    self.beat_to(now, by, &mut effects);
                }
            }
            Event::Beat { peer, beat } => self.on_beat(now, peer, *beat, random, &mut effects),
        }
        effects
    }

    fn on_beat(
        &mut self,
        now: Time,
        peer: PeerId,
        beat: Beat,
        random: &mut dyn Random,
        effects: &mut Effects,
    ) {
        let Some(node) = self.members.get(&peer).map(|member| member.node) else { return };
        let living = self.table.living().count();
        match self.incarnation.contested(now, node, beat.known, living, random) {
            Contest::Agreed | Contest::Ignored => {}
            Contest::Jumped => self.beat_to_all(now, effects),
            // Nobody hears of this node for a while; whom it knows, it knows still.
            Contest::Conflict => effects.peers_changed = true,
            Contest::Implausible => {
                effects.orders.push(Order::Offence { peer, offence: Offence::Forged });
                return;
            }
        }
        let period = Duration::from_millis(u64::from(beat.period_ms));
        let first = match self.table.heard(now, node, beat.incarnation, beat.sequence, period) {
            Heard::New => true,
            Heard::Restarted => {
                if let Some(member) = self.members.get_mut(&peer) {
                    member.settles_until = now.after(self.period * SETTLES);
                }
                true
            }
            Heard::Fresh => false,
            Heard::Stale => {
                self.stale += 1;
                // It learns from the answer which incarnation is known.
                return self.beat_to(now, peer, effects);
            }
            Heard::Replayed => {
                self.stale += 1;
                return effects.orders.push(Order::Offence { peer, offence: Offence::Replayed });
            }
        };
        if beat.leaving {
            self.table.leave(now, node);
            self.left.insert(peer);
            effects.peers_changed = true;
            return;
        }
        self.left.remove(&peer);
        self.learn(now, peer, &beat, random, effects);
        if first {
            effects.peers_changed = true;
            self.beat_to(now, peer, effects);
        }
        let Some(member) = self.members.get_mut(&peer) else { return };
        // A newer word replaces one that has waited.
        member.unheard = beat.message.or(member.unheard.take());
        if member.admits_us && member.place.proven().is_some() {
            effects.messages.extend(member.unheard.take().map(|message| (node, message)));
        }
    }

    /// Takes over what a fresh beat says of its sender.
    fn learn(
        &mut self,
        now: Time,
        peer: PeerId,
        beat: &Beat,
        random: &mut dyn Random,
        effects: &mut Effects,
    ) {
        let Some(member) = self.members.get_mut(&peer) else { return };
        member.heard = Some(now);
        member.has_ours = beat.seen;
        let was_peer = (member.admits_us, member.place.proven());
        member.admits_us = beat.admits || (member.admits_us && now < member.settles_until);
        let mut answer = false;
        if let Some(card) = &beat.card {
            if digest(card) != beat.digest {
                return effects.orders.push(Order::Offence { peer, offence: Offence::Forged });
            }
            if member.digest() != beat.digest {
                member.card = Some((beat.digest, card.clone()));
                member.label = self.names.assign(peer, &card.name);
                effects.peers_changed = true;
                answer = true;
                self.reclaim(peer, random, effects);
            }
        }
        let Some(member) = self.members.get_mut(&peer) else { return };
        if let Some(nonce) = beat.nonce {
            member.place.returned(nonce);
        }
        if was_peer != (member.admits_us, member.place.proven()) {
            effects.peers_changed = true;
        }
        if answer {
            self.beat_to(now, peer, effects);
        }
    }

    /// Judges anew where a node's data port is; asks for a proof if that is news.
    pub(super) fn reclaim(&mut self, peer: PeerId, random: &mut dyn Random, effects: &mut Effects) {
        let listed = self.pins.get(&peer).and_then(|pin| pin.data);
        let Some(member) = self.members.get(&peer) else { return };
        let Some((_, card)) = &member.card else { return };
        let claim = claimed(card, &member.addresses, listed).and_then(|at| {
            let others = self.members.iter().filter(|(id, _)| **id != peer);
            let taken =
                others.filter_map(|(_, other)| other.place.proven()).any(|other| other.ip() == at.ip());
            if taken || self.reserved.contains(&at.ip()) { Err(Disbelief::Taken(at.ip())) } else { Ok(at) }
        });
        let Some(member) = self.members.get_mut(&peer) else { return };
        let before = member.place.clone();
        member.place.claim(claim, || fresh(random));
        if member.place != before {
            effects.peers_changed |= before.proven().is_some();
            effects.orders.extend(probe(member));
        }
    }
}

fn fresh(random: &mut dyn Random) -> Nonce {
    let mut nonce = [0; 16];
    for half in nonce.chunks_exact_mut(8) {
        half.copy_from_slice(&random.next_u64().to_ne_bytes());
    }
    nonce
}
