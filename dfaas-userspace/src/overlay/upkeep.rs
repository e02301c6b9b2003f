//! What the task does from time to time.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use libp2p::kad::QueryId;
use libp2p::swarm::DialError;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, PeerId};

use super::api::{Link, Status};
use super::behaviour::LOOKUP;
use super::book::Eagerness;
use super::membership::member_key;
use super::memory;
use super::on_swarm::call_error;
use super::task::Task;

/// Time between looks at what is due.
pub(super) const TICK: Duration = Duration::from_millis(100);
/// Least time between states that are published.
const PUBLISH: Duration = Duration::from_secs(1);

/// How much rarer look-ups are while links are not missing.
const CONTENT: u32 = 10;

/// When to ask the DHT: while candidates are missing often at first and while it tells of new ones, then ever more rarely;
/// else very rarely.
#[derive(Debug)]
pub(super) struct LookUps {
    waits: (Duration, Duration),
    wait: Duration,
    next: Instant,
    running: Option<QueryId>,
    lonely: bool,
    members: usize,
}

impl LookUps {
    pub(super) fn new(waits: (Duration, Duration), now: Instant) -> Self {
        Self { waits, wait: waits.0, next: now, running: None, lonely: false, members: 0 }
    }

    /// Whether it is time. `lacking` says whether candidates are missing, `lonely` whether most links are, `members` how
    /// many nodes are known; `chance` is a random number from 0 to 1.
    fn due(&mut self, (lacking, lonely): (bool, bool), members: usize, now: Instant, chance: f64) -> bool {
        if (lonely && !self.lonely) || members > self.members {
            self.wait = self.waits.0;
        }
        (self.lonely, self.members) = (lonely, members);
        if lacking {
            self.next = self.next.min(now + self.wait);
        }
        // One that is never said to have ended has ended all the same.
        if now < self.next || (self.running.is_some() && now < self.next + LOOKUP) {
            return false;
        }
        let rarest = self.waits.1 * CONTENT;
        let wait = if lacking { self.wait } else { rarest };
        self.next = now + wait.mul_f64(0.75 + chance / 2.0);
        // A small federation lacks candidates for ever, and has nothing new to tell.
        let most = if lonely { self.waits.1 } else { rarest };
        self.wait = (self.wait * 2).min(most);
        true
    }

    pub(super) fn ended(&mut self, query: QueryId) {
        self.running = self.running.filter(|running| *running != query);
    }
}

impl Task {
    pub(super) fn upkeep(&mut self) {
        let now = Instant::now();
        self.choose(now);
        self.settle();
        self.call(now);
        let chance = self.chance();
        if !self.connections.is_empty()
            && self.look_ups.due((self.lacking, self.is_lonely()), self.book.len(), now, chance)
        {
            self.look_ups.running = Some(self.swarm.behaviour_mut().look_up());
            self.find_pinned();
        }
        if now.saturating_duration_since(self.published) >= PUBLISH {
            self.published = now;
            for peer in self.ledger.release(now) {
                tracing::info!(%peer, "not shut out any more");
                self.swarm.behaviour_mut().shut_out.unblock_peer(peer);
            }
            let connections = &self.connections;
            self.meters.retain(|peer, meter| {
                connections.contains_key(peer)
                    || !meter.lock().unwrap_or_else(PoisonError::into_inner).is_idle(now)
            });
            self.renew(now);
            self.tidy_store(now);
            self.publish(now);
        }
        if now.saturating_duration_since(self.remembered) >= self.settings.timing.memory {
            self.remembered = now;
            tokio::spawn(self.remember());
        }
    }

    /// Whether less than half of the links are there that are wanted.
    fn is_lonely(&self) -> bool {
        2 * self.links.engaged() < self.neighbourhood.wanted()
    }

    /// Calls nodes whose time has come.
    fn call(&mut self, now: Instant) {
        let eagerness = if self.lacking { Eagerness::Wanting } else { Eagerness::Content };
        let (allow, ledger) = (&self.settings.allow, &self.ledger);
        let welcome = |peer: &PeerId| (allow.is_empty() || allow.contains(peer)) && !ledger.is_out(peer);
        for (peer, addresses) in self.book.due(now, eagerness, welcome) {
            self.dial(peer, addresses);
        }
    }

    /// Asks the DHT for pinned nodes of which nothing is known.
    fn find_pinned(&mut self) {
        let unknown: Vec<PeerId> =
            self.settings.pinned.iter().filter(|peer| !self.book.knows(peer)).copied().collect();
        for peer in unknown {
            self.swarm.behaviour_mut().kad.get_record(member_key(&peer));
        }
    }

    pub(super) fn dial(&mut self, peer: PeerId, addresses: Vec<Multiaddr>) {
        let call = DialOpts::peer_id(peer).condition(PeerCondition::DisconnectedAndNotDialing);
        match self.swarm.dial(call.addresses(addresses).build()) {
            // A call that is under way ends by an event, too.
            Ok(()) | Err(DialError::DialPeerConditionFalse(_)) => {}
            Err(error) => {
                self.trouble = Some(call_error(peer, &error));
                let chance = self.chance();
                self.book.failed(&peer, Instant::now(), chance);
            }
        }
    }

    fn publish(&mut self, now: Instant) {
        let (beats, bytes, unknown) = self.traffic.totals();
        let links: std::collections::BTreeMap<_, _> = self
            .links
            .linked()
            .filter_map(|(peer, rtt)| {
                let (address, _) = self.connections.get(peer)?.values().next()?;
                let standing = self.ledger.standing(peer, now);
                Some((*peer, Link { address: address.clone(), rtt, standing }))
            })
            .collect();
        let lonely = links.is_empty() && self.book.len() > 0;
        let mut refused = self.refused.clone();
        let more = [("unread", self.outbox.left_out()), ("unknown_version", unknown)];
        refused.extend(more.into_iter().filter(|(_, count)| *count > 0));
        if self.garbage() > 0 {
            *refused.entry("probe").or_default() += self.garbage();
        }
        let status = Status {
            listening: self.listening.keys().cloned().collect(),
            members: self.book.len(),
            records: self.records.len(),
            connected: self.connections.len(),
            external: self.external.clone(),
            replaced: self.replaced,
            links,
            beats,
            bytes,
            refused,
            bootstrap_error: self.trouble.clone().filter(|_| lonely),
        };
        let before = self.status.borrow().bootstrap_error.clone();
        if let Some(error) = status.bootstrap_error.as_ref().filter(|error| before.as_ref() != Some(error)) {
            tracing::warn!("no link to any node yet; last tried {error}");
        }
        self.status.send_if_modified(|known| {
            let news = **known != status;
            *known = Arc::new(status);
            news
        });
    }

    /// Writes the members down if they changed. The work is in the future, so that it can be waited for or not.
    pub(super) fn remember(&mut self) -> impl Future<Output = ()> + Send + 'static {
        let work = self.settings.memory.clone().zip(self.book.news());
        async move {
            let Some((file, members)) = work else { return };
            let written = tokio::task::spawn_blocking(move || {
                memory::keep(&file, &members).map_err(|cause| format!("{}: {cause}", file.display()))
            });
            if let Ok(Err(cause)) = written.await {
                tracing::warn!("{cause}; members are forgotten with the agent");
            }
        }
    }
}
