//! What the task does about streams of beats.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use libp2p::swarm::ConnectionId;
use libp2p::{PeerId, Stream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::task::AbortOnDropHandle;

use super::address;
use super::api::{Event, Offence};
use super::beat::Beat;
use super::exchange::Exchange;
use super::links::Action;
use super::meter::{Meter, TooMuch};
use super::standing::Verdict;
use super::stream_in::{self, Told};
use super::stream_out::Outgoing;
use super::streams::StreamEvent;
use super::task::Task;
use super::{stream_out, wire};

/// The task that reads a peer's stream; ends with this.
pub(super) struct Reader {
    number: u64,
    /// The last beat that came before the link was whole: the peer's side of it may be so a moment earlier.
    early: Option<Box<Beat>>,
    _task: AbortOnDropHandle<()>,
}

/// The task that writes to a peer; ends with this.
pub(super) struct Writer {
    number: u64,
    connection: ConnectionId,
    /// What is to be sent next.
    slot: watch::Sender<Option<Outgoing>>,
    task: AbortOnDropHandle<()>,
    /// When the peer is to be told of links and nodes next, and what it knows of the links.
    exchanged: Option<(Instant, Exchange)>,
    /// Whether it has to hear of this node's own record again.
    tell_own: bool,
}

impl Writer {
    /// This node's own record is new.
    pub(super) fn tell_again(&mut self) {
        self.tell_own = true;
    }

    /// Sends a last word and ends.
    pub(super) fn say_last(self, word: &Exchange) {
        if let Ok(bytes) = wire::encode_exchange(word) {
            self.slot.send_replace(Some(Outgoing { bytes, beats: 0 }));
        }
        drop(self.finish());
    }

    /// Lets it send what it has, and ends it.
    pub(super) fn finish(self) -> JoinHandle<()> {
        self.task.detach()
    }
}

impl Task {
    pub(super) fn on_stream(&mut self, event: StreamEvent) {
        match event {
            StreamEvent::Arrived { peer, connection, stream } => self.arrived(peer, connection, stream),
            StreamEvent::Opened { peer, connection, stream: Some(stream) } => {
                if self.links.opened(&peer) {
                    let number = self.number();
                    let (slot, frames) = watch::channel(None);
                    let (traffic, tell) = (Arc::clone(&self.traffic), self.tell.clone());
                    let task = tokio::spawn(stream_out::write(peer, number, stream, frames, traffic, tell));
                    let writer = Writer {
                        number,
                        connection,
                        slot,
                        task: AbortOnDropHandle::new(task),
                        exchanged: None,
                        tell_own: true,
                    };
                    self.writers.insert(peer, writer);
                }
            }
            StreamEvent::Opened { peer, stream: None, .. } => self.closed(&peer),
        }
        self.settle();
    }

    fn arrived(&mut self, peer: PeerId, connection: ConnectionId, stream: Stream) {
        let now = Instant::now();
        if !self.may_open(peer, now) {
            return;
        }
        let room = self.neighbourhood.accepts(&peer, self.links.engaged());
        if !self.links.arrived(&peer, room, now) {
            self.refuse("limit");
            return;
        }
        let number = self.number();
        let (meter, traffic) = (self.meter(peer, now), Arc::clone(&self.traffic));
        let task = tokio::spawn(stream_in::read(peer, number, stream, meter, traffic, self.tell.clone()));
        // A newer stream replaces the older, of which the peer may know that it is dead.
        self.readers.insert(peer, Reader { number, early: None, _task: AbortOnDropHandle::new(task) });
        self.follow(peer, connection);
    }

    /// Answers where a peer was heard last: by a newer connection, as the older may have died with an agent that has
    /// started again; or by one to another machine, so that two agents that use one identity hear of each other in turn,
    /// and notice. Two nodes that called each other at the same time move once at most.
    fn follow(&mut self, peer: PeerId, connection: ConnectionId) {
        let Some(writer) = self.writers.get(&peer) else { return };
        let of = |connection| {
            self.connections.get(&peer)?.get(connection).and_then(|(remote, _)| address::ip(remote))
        };
        let elsewhere =
            matches!((of(&connection), of(&writer.connection)), (Some(heard), Some(told)) if heard != told);
        if connection > writer.connection || elsewhere {
            self.writers.remove(&peer);
            self.links.moved(&peer);
            self.swarm.behaviour_mut().streams.open_by(peer, connection);
        }
    }

    pub(super) fn on_told(&mut self, told: Told) {
        match told {
            Told::Beat(peer, beat) => {
                if self.outbox.has_told(&peer) {
                    self.outbox.offer(Event::Beat { peer, beat });
                } else if let Some(reader) = self.readers.get_mut(&peer) {
                    reader.early = Some(beat);
                }
            }
            Told::Exchange(peer, exchange) => self.exchanged(peer, *exchange),
            Told::Offence(peer, offence) => self.offend(peer, offence),
            Told::Departed(peer, number) => {
                if self.readers.get(&peer).is_some_and(|reader| reader.number == number) {
                    self.readers.remove(&peer);
                    self.links.departed(&peer, Instant::now());
                }
            }
            Told::Closed(peer, number) => {
                if self.writers.get(&peer).is_some_and(|writer| writer.number == number) {
                    self.writers.remove(&peer);
                    self.closed(&peer);
                    self.settle();
                }
            }
        }
    }

    fn closed(&mut self, peer: &PeerId) {
        let chance = self.chance();
        if self.links.closed(peer, Instant::now(), chance) {
            self.close_streams(peer);
        }
    }

    pub(super) fn close_streams(&mut self, peer: &PeerId) {
        self.readers.remove(peer);
        self.writers.remove(peer);
    }

    /// Does what is due to links, and tells the agent of those that changed.
    pub(super) fn settle(&mut self) {
        let chance = self.chance();
        for action in self.links.due(Instant::now(), || chance) {
            match action {
                Action::Open(peer) => self.swarm.behaviour_mut().streams.open(peer),
                Action::Close(peer) => {
                    tracing::debug!(%peer, "link given up: one stream of it is missing");
                    self.close_streams(&peer);
                }
            }
        }
        let links: BTreeMap<_, _> =
            self.links.linked().map(|(peer, _)| (*peer, self.addresses(peer))).collect();
        self.outbox.set_links(links);
        for (peer, reader) in &mut self.readers {
            if let Some(beat) = reader.early.take_if(|_| self.outbox.has_told(peer)) {
                self.outbox.offer(Event::Beat { peer: *peer, beat });
            }
        }
    }

    /// The remote IP addresses of the connections to a peer, each once.
    fn addresses(&self, peer: &PeerId) -> Vec<std::net::IpAddr> {
        let connections = self.connections.get(peer).into_iter().flatten();
        let mut addresses: Vec<_> = connections.filter_map(|(_, (remote, _))| address::ip(remote)).collect();
        addresses.sort_unstable();
        addresses.dedup();
        addresses
    }

    /// Puts a beat into the slot of a peer, in place of one that was not sent yet; before it, if that is due, a word about
    /// links and other nodes.
    pub(super) fn send(&mut self, to: &PeerId, beat: &Beat) {
        if !self.writers.contains_key(to) || !self.links.is_linked(to) {
            return;
        }
        let frame = match wire::encode(beat) {
            Ok(frame) => frame,
            Err(cause) => return tracing::error!(peer = %to, "a beat is not sent: {cause}"),
        };
        let before = self.exchange(to).and_then(|exchange| wire::encode_exchange(&exchange).ok());
        let bytes = match before {
            Some(before) => Bytes::from([before, frame].concat()),
            None => frame,
        };
        if let Some(writer) = self.writers.get(to) {
            writer.slot.send_replace(Some(Outgoing { bytes, beats: 1 }));
        }
    }

    /// What a neighbour is to be told now besides a beat: now and then, and when the link has got another worth.
    fn exchange(&mut self, to: &PeerId) -> Option<Exchange> {
        let now = Instant::now();
        // Links that began together, as after a start of the site, do not all have their turn at once.
        let wait = self.settings.timing.exchange.mul_f64(0.75 + self.chance() / 2.0);
        let mut word = self.word(to);
        let wanted = self.neighbourhood.wanted();
        let worth = |word: &Exchange| (word.keeps, usize::from(word.links) > wanted);
        let writer = self.writers.get_mut(to)?;
        let (first, regular, changed) = match &writer.exchanged {
            None => (true, true, true),
            Some((next, before)) => (false, now >= *next, worth(before) != worth(&word)),
        };
        let own = std::mem::take(&mut writer.tell_own);
        if !(regular || changed || own) {
            return None;
        }
        // A word out of turn does not put off the next regular one.
        let next = writer.exchanged.as_ref().filter(|_| !regular).map_or(now + wait, |(next, _)| *next);
        writer.exchanged = Some((next, word.clone()));
        if regular || own {
            self.add_records(to, first, own, &mut word);
        }
        Some(word)
    }

    pub(super) fn offend(&mut self, peer: PeerId, offence: Offence) {
        self.refuse(offence.name());
        if let Verdict::ShutOut(time) = self.ledger.offend(peer, offence, Instant::now()) {
            tracing::warn!(%peer, "shut out for {} s; last it was {}", time.as_secs(), offence.name());
            // Closes its connections, too.
            self.swarm.behaviour_mut().shut_out.block_peer(peer);
        }
    }

    /// Whether a peer may open one more stream or connection now.
    pub(super) fn may_open(&mut self, peer: PeerId, now: Instant) -> bool {
        let taken = self.meter(peer, now).lock().unwrap_or_else(PoisonError::into_inner).open(now);
        match taken {
            Ok(()) => true,
            Err(TooMuch { offence, .. }) => {
                if offence {
                    self.offend(peer, Offence::Flood);
                }
                false
            }
        }
    }

    /// What this peer sends is measured here, over all its connections.
    fn meter(&mut self, peer: PeerId, now: Instant) -> Arc<Mutex<Meter>> {
        let fresh = || Arc::new(Mutex::new(Meter::new(now)));
        Arc::clone(self.meters.entry(peer).or_insert_with(fresh))
    }
}
