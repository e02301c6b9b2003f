//! What the task does about whom to be linked with: it tells the neighbourhood what is known of nodes, and does what
//! that says.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use dfaas_control::{Candidate, Link, NodeId, Time, fnv1a};
use libp2p::PeerId;

use super::exchange::Exchange;
use super::task::Task;

/// Time between looks at neighbours while there are enough of them.
const LOOK: Duration = Duration::from_millis(500);
/// Time in which a node that is called for a link has to be there.
const ARRIVES: Duration = Duration::from_secs(20);

impl Task {
    /// Whether fewer links are there, or under way, than wanted.
    pub(super) fn wanting(&self) -> bool {
        self.links.engaged() < self.neighbourhood.wanted()
    }

    /// Seeks and ends links as the neighbourhood says.
    pub(super) fn choose(&mut self, now: Instant) {
        self.seeking.retain(|_, since| now.saturating_duration_since(*since) < ARRIVES);
        if !self.wanting() && now.saturating_duration_since(self.looked) < LOOK {
            return;
        }
        self.looked = now;
        let candidates = self.candidates(now);
        let choice = self.neighbourhood.choose(self.since_start(now), &candidates);
        choice.leave.into_iter().for_each(|peer| self.leave(&peer));
        choice.seek.into_iter().for_each(|peer| self.seek(peer, now));
        // Links are missing, and nobody is known with whom to have them.
        self.lacking = self.links.engaged() + self.seeking.len() < self.neighbourhood.wanted();
        self.settle();
    }

    /// The agent's demand was met, or what neighbours gave was not enough.
    pub(super) fn demand(&mut self, unmet: Option<&BTreeMap<PeerId, f64>>) {
        let candidates = self.candidates(Instant::now());
        for peer in self.neighbourhood.tick(unmet, &candidates) {
            tracing::info!(%peer, "demand is not met: another neighbour is sought in place of this one");
            self.replaced += 1;
            self.leave(&peer);
        }
        self.settle();
    }

    /// Everybody that is known, with all that matters for a choice.
    fn candidates(&self, now: Instant) -> BTreeMap<PeerId, Candidate> {
        let known = self.book.nodes().map(|(peer, rtt, reachable)| {
            let link = match self.links.stand(peer, now) {
                Link::Free if self.seeking.contains_key(peer) => Link::Sought,
                Link::Free if !self.is_welcome(peer) => Link::Barred,
                Link::Free if !self.connections.contains_key(peer) && !reachable(now) => Link::Barred,
                link => link,
            };
            (*peer, self.candidate(peer, rtt, link))
        });
        // Those that the book does not know are linked all the same.
        let linked = self
            .links
            .engagements()
            .map(|peer| (*peer, self.candidate(peer, self.links.rtt(peer), self.links.stand(peer, now))));
        linked.chain(known).collect()
    }

    fn candidate(&self, peer: &PeerId, rtt: Option<Duration>, link: Link) -> Candidate {
        let (links, keeps) = self.links.word_of(peer).unzip();
        Candidate {
            number: NodeId(fnv1a(&peer.to_bytes())),
            rtt,
            link,
            links: links.map(usize::from),
            keeps: keeps.unwrap_or(false),
        }
    }

    fn seek(&mut self, peer: PeerId, now: Instant) {
        if self.connections.contains_key(&peer) {
            self.links.seek(&peer, now);
        } else {
            self.seeking.insert(peer, now);
            if let Some(addresses) = self.book.call(&peer, now) {
                self.dial(peer, addresses);
            }
        }
    }

    /// Ends a link, and tells the other end that this was meant.
    fn leave(&mut self, peer: &PeerId) {
        self.seeking.remove(peer);
        if !self.links.leave(peer, Instant::now()) {
            return;
        }
        self.readers.remove(peer);
        let farewell = Exchange { leaving: true, ..self.word(peer) };
        if let Some(writer) = self.writers.remove(peer) {
            writer.say_last(&farewell);
        }
    }

    /// What a neighbour is told now and then, records apart.
    pub(super) fn word(&self, peer: &PeerId) -> Exchange {
        Exchange {
            links: u8::try_from(self.links.engaged()).unwrap_or(u8::MAX),
            keeps: self.neighbourhood.keeps(peer),
            leaving: false,
            records: Vec::new(),
        }
    }

    pub(super) fn exchanged(&mut self, from: PeerId, exchange: Exchange) {
        if exchange.leaving {
            if self.links.leave(&from, Instant::now()) {
                self.close_streams(&from);
                self.settle();
            }
        } else {
            self.links.said(&from, exchange.links, exchange.keeps);
        }
        for record in exchange.records {
            self.take_record(from, &record.into());
        }
    }

    fn since_start(&self, now: Instant) -> Time {
        Time(now.saturating_duration_since(self.started))
    }
}
