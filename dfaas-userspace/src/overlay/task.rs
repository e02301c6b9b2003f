//! The one task of the overlay: takes what happens, asks the types that decide, and does what they say.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dfaas_control::Neighbourhood;
use futures_util::StreamExt as _;
use libp2p::core::transport::ListenerId;
use libp2p::identity::Keypair;
use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId, Swarm};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::api::{Event, Order, Status};
use super::beat::Nonce;
use super::behaviour::Behaviour;
use super::book::Book;
use super::connected::{Reader, Writer};
use super::links::Links;
use super::membership::Own;
use super::memory;
use super::meter::Meter;
use super::observed::Observed;
use super::outbox::Outbox;
use super::probe::Probe;
use super::records::Records;
use super::settings::Settings;
use super::standing::Ledger;
use super::stream_in::Told;
use super::traffic::Traffic;
use super::upkeep::{LookUps, TICK};

/// What streams have told and nobody has taken yet. Beyond it they wait, and so do the peers behind them.
const TOLD: usize = 128;
/// Longest time for the last beats to be sent, and for connections to be closed, when the overlay ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// The overlay's state.
pub(super) struct Task {
    pub(super) own: PeerId,
    pub(super) settings: Settings,
    pub(super) swarm: Swarm<Behaviour>,
    /// What this node signs with.
    pub(super) key: Keypair,
    pub(super) links: Links,
    pub(super) neighbourhood: Neighbourhood<PeerId>,
    /// Nodes that are being called for a link, and since when.
    pub(super) seeking: BTreeMap<PeerId, Instant>,
    /// When neighbours were looked at last.
    pub(super) looked: Instant,
    /// Whether more candidates are needed.
    pub(super) lacking: bool,
    /// Neighbours that did not help and were given up.
    pub(super) replaced: u64,
    pub(super) started: Instant,
    pub(super) own_record: Own,
    pub(super) records: Records,
    pub(super) observed: Observed,
    /// Addresses behind address translation, as others see them.
    pub(super) external: Vec<Multiaddr>,
    pub(super) book: Book,
    pub(super) ledger: Ledger,
    pub(super) outbox: Outbox,
    pub(super) listening: BTreeMap<Multiaddr, ListenerId>,
    /// Remote addresses of the connections to each peer, and of each how many pings failed in a row.
    pub(super) connections: HashMap<PeerId, BTreeMap<ConnectionId, (Multiaddr, u32)>>,
    pub(super) readers: HashMap<PeerId, Reader>,
    pub(super) writers: HashMap<PeerId, Writer>,
    pub(super) meters: HashMap<PeerId, Arc<Mutex<Meter>>>,
    pub(super) traffic: Arc<Traffic>,
    pub(super) tell: mpsc::Sender<Told>,
    told: mpsc::Receiver<Told>,
    probe: Option<Probe>,
    pub(super) look_ups: LookUps,
    pub(super) remembered: Instant,
    pub(super) refused: BTreeMap<&'static str, u64>,
    /// Why the last call failed.
    pub(super) trouble: Option<String>,
    pub(super) status: watch::Sender<Arc<Status>>,
    pub(super) published: Instant,
    pub(super) random: SmallRng,
    numbers: u64,
}

impl Task {
    pub(super) fn new(
        settings: Settings,
        key: Keypair,
        swarm: Swarm<Behaviour>,
        probe: Option<Probe>,
        outbox: Outbox,
        status: watch::Sender<Arc<Status>>,
    ) -> Self {
        let now = Instant::now();
        let own = *swarm.local_peer_id();
        let mut book = Book::new(own, settings.timing.calls, now);
        for (peer, address) in settings.memory.as_deref().map(memory::recall).unwrap_or_default() {
            book.recall(peer, address, now);
        }
        for (peer, address) in &settings.seeds {
            book.seed(*peer, address.clone(), now);
        }
        let (tell, told) = mpsc::channel(TOLD);
        let mut random = SmallRng::from_os_rng();
        let (pinned, banned) = (settings.pinned.clone(), settings.banned.clone());
        Self {
            own,
            key,
            links: Links::default(),
            // The seed is known to nobody, so that nobody can make himself be drawn.
            neighbourhood: Neighbourhood::new(settings.neighbours, random.random(), pinned, banned),
            seeking: BTreeMap::new(),
            looked: now,
            lacking: true,
            replaced: 0,
            started: now,
            own_record: Own::default(),
            records: Records::new(own),
            observed: Observed::default(),
            external: Vec::new(),
            book,
            ledger: Ledger::default(),
            outbox,
            listening: BTreeMap::new(),
            connections: HashMap::new(),
            readers: HashMap::new(),
            writers: HashMap::new(),
            meters: HashMap::new(),
            traffic: Arc::default(),
            tell,
            told,
            probe,
            look_ups: LookUps::new(settings.timing.look_ups, now),
            remembered: now,
            refused: BTreeMap::new(),
            trouble: None,
            status,
            published: now,
            random,
            numbers: 0,
            settings,
            swarm,
        }
    }

    /// Runs until the sender of orders is dropped.
    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.order(order),
                    None => break,
                },
                event = self.swarm.select_next_some() => self.on_swarm(event),
                Some(told) = self.told.recv() => self.on_told(told),
                (by, nonce) = next(&mut self.probe) => self.probed(by, nonce),
                _ = tick.tick() => self.upkeep(),
            }
        }
        self.end().await;
    }

    fn order(&mut self, order: Order) {
        match order {
            Order::Beat { to, beat } => self.send(&to, &beat),
            Order::Offence { peer, offence } => self.offend(peer, offence),
            Order::Demand { unmet } => self.demand(unmet.as_ref()),
            Order::Describe { card, digest, incarnation } => {
                self.own_record.described = Some((*card, digest, incarnation));
                self.renew(Instant::now());
            }
            Order::Probe { to, nonce } => {
                if let Some(probe) = &self.probe {
                    probe.send(self.own, to, &nonce);
                }
            }
        }
    }

    /// The nonce goes back in a beat, so that only a node with a link has any use of it.
    fn probed(&mut self, by: PeerId, nonce: Nonce) {
        if self.outbox.has_told(&by) {
            self.outbox.offer(Event::Probed { by, nonce });
        } else {
            self.refuse("probe");
        }
    }

    /// Datagrams at the data port that were no probes.
    pub(super) fn garbage(&self) -> u64 {
        self.probe.as_ref().map_or(0, Probe::garbage)
    }

    /// Counts something that was refused.
    pub(super) fn refuse(&mut self, what: &'static str) {
        *self.refused.entry(what).or_default() += 1;
    }

    /// A random number from 0 to 1.
    pub(super) fn chance(&mut self) -> f64 {
        self.random.random()
    }

    /// A number that no other stream has.
    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Sends what was ordered last, says goodbye and remembers the members.
    async fn end(mut self) {
        for listener in self.listening.values() {
            self.swarm.remove_listener(*listener);
        }
        // Without its slot's owner a writer sends what is there and closes.
        let writers: Vec<_> = self.writers.drain().map(|(_, writer)| writer.finish()).collect();
        let sent = futures_util::future::join_all(writers);
        let _ = timeout(FAREWELL, self.while_polling(sent)).await;
        for peer in self.connections.keys() {
            let _ = self.swarm.disconnect_peer_id(*peer);
        }
        let closed = async {
            while self.swarm.connected_peers().next().is_some() {
                let _ = self.swarm.select_next_some().await;
            }
        };
        let _ = timeout(FAREWELL, closed).await;
        self.remember().await;
    }

    async fn while_polling<T>(&mut self, done: impl Future<Output = T>) -> T {
        let mut done = std::pin::pin!(done);
        loop {
            tokio::select! {
                done = &mut done => return done,
                _ = self.swarm.select_next_some() => {}
            }
        }
    }
}

/// The next probe; never one if there is no socket.
async fn next(probe: &mut Option<Probe>) -> (PeerId, Nonce) {
    match probe {
        Some(probe) => probe.next().await,
        None => std::future::pending().await,
    }
}
