//! Nodes with an agent that only beats.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use dfaas_control::Message;
use dfaas_userspace::overlay::{self, Beat, Card, Event, Nonce, Order, Overlay, Settings, Status, Timing};
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep};

use crate::gate::Gate;

/// How long something that must come about may take; only a broken overlay comes near it.
const PATIENCE: Duration = Duration::from_secs(180);
/// How a node beats if nothing else is said.
const RHYTHM: Rhythm = Rhythm { period: Duration::from_millis(250), message: None };

/// How a node beats, and what each beat says.
#[derive(Debug, Clone)]
pub struct Rhythm {
    pub period: Duration,
    pub message: Option<Message>,
}

/// Held by tests with so many nodes that two of them at once would have no time for what they wait for.
pub static CROWD: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Waits until it is so.
pub async fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// What a node's agent has seen.
#[derive(Debug, Default)]
pub struct Seen {
    pub links: BTreeMap<PeerId, Vec<IpAddr>>,
    /// Beats of each node, and the last.
    pub beats: BTreeMap<PeerId, (u64, Beat)>,
    pub rtts: BTreeSet<PeerId>,
    pub probed: Vec<(PeerId, Nonce)>,
    pub unlinked: u64,
    /// Times that it beat to all.
    pub rounds: u64,
}

pub struct Node {
    pub id: PeerId,
    pub orders: mpsc::Sender<Order>,
    pub status: watch::Receiver<Arc<Status>>,
    seen: Arc<Mutex<Seen>>,
    leave: mpsc::Sender<()>,
    agent: JoinHandle<()>,
}

/// A beat with nothing in it.
pub fn beat(sequence: u64) -> Beat {
    Beat {
        incarnation: 1,
        sequence,
        known: 0,
        period_ms: 1000,
        leaving: false,
        admits: true,
        digest: 0,
        seen: 0,
        card: None,
        nonce: None,
        message: None,
    }
}

/// What a node says of itself.
pub fn card() -> Card {
    let functions = vec!["figlet".to_owned()];
    Card { name: "n".to_owned(), region: "north".to_owned(), data_address: None, data_port: 31601, functions }
}

/// Settings with short times and neither memory nor probes.
pub fn settings(listen: &str) -> Settings {
    Settings {
        listen: vec![listen.parse().expect("a multiaddress")],
        seeds: Vec::new(),
        allow: BTreeSet::new(),
        psk: None,
        mdns: false,
        neighbours: overlay::MAX_LINKS,
        pinned: BTreeSet::new(),
        banned: BTreeSet::new(),
        memory: None,
        probe: None,
        timing: Timing {
            calls: (Duration::from_millis(100), Duration::from_secs(1)),
            look_ups: (Duration::from_millis(200), Duration::from_secs(2)),
            exchange: Duration::from_secs(1),
            ping: Duration::from_secs(1),
            memory: Duration::from_millis(200),
        },
    }
}

/// A port of the memory transport that no other node of this process has.
pub fn memory_port() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1_000_000);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub fn memory(port: u64) -> Multiaddr {
    format!("/memory/{port}").parse().expect("a multiaddress")
}

impl Node {
    /// A node at a port of the memory transport.
    pub async fn at(gate: &Gate, port: u64, key: Keypair, mut settings: Settings) -> Self {
        settings.listen = vec![memory(port)];
        let transport = overlay::authenticated(gate.transport(port), &key).expect("a key of the right kind");
        Self::over(transport, key, settings, RHYTHM).await
    }

    /// A node over any transport.
    pub async fn over(
        transport: overlay::Authenticated,
        key: Keypair,
        settings: Settings,
        rhythm: Rhythm,
    ) -> Self {
        let overlay = overlay::start_over(settings, key, transport).await;
        Self::beating(overlay.expect("the address is free"), rhythm)
    }

    /// A node over real sockets.
    pub async fn real(key: Keypair, settings: Settings) -> Self {
        Self::beating(overlay::start(settings, key).await.expect("the addresses are free"), RHYTHM)
    }

    /// Gives an overlay an agent that beats to whoever is linked.
    fn beating(overlay: Overlay, rhythm: Rhythm) -> Self {
        // RUST_LOG shows what the nodes do.
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (leave, left) = mpsc::channel(1);
        let Overlay { id, events, orders, status } = overlay;
        let agent = tokio::spawn(agent(events, orders.clone(), Arc::clone(&seen), left, rhythm));
        let describe = Order::Describe { card: Box::new(card()), digest: 1, incarnation: 1 };
        orders.try_send(describe).expect("the first order");
        Self { id, orders, status, seen, leave, agent }
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("no test panics with it")
    }

    pub fn is_linked(&self, other: &PeerId) -> bool {
        self.seen().links.contains_key(other)
    }

    pub fn beats_of(&self, other: &PeerId) -> u64 {
        self.seen().beats.get(other).map_or(0, |(count, _)| *count)
    }

    pub fn refused(&self, what: &str) -> u64 {
        self.status.borrow().refused.get(what).copied().unwrap_or_default()
    }

    /// Its first address, as a seed of others. Waits until it is known.
    pub async fn seed(&self) -> (PeerId, Multiaddr) {
        eventually("the node listens", || !self.status.borrow().listening.is_empty()).await;
        (self.id, self.status.borrow().listening[0].clone())
    }

    /// Ends without a word.
    pub fn vanish(self) {
        self.agent.abort();
    }

    /// Sends a last beat to all and ends.
    pub async fn leave(self) {
        let _ = self.leave.send(()).await;
        drop(self.orders);
        self.agent.await.expect("the agent does not panic");
    }
}

/// Whether each of the nodes has a link to each other.
pub fn all_linked(nodes: &[Node]) -> bool {
    let ids: BTreeSet<PeerId> = nodes.iter().map(|node| node.id).collect();
    nodes.iter().all(|node| {
        let seen = node.seen();
        seen.links.len() == ids.len() - 1 && seen.links.keys().all(|peer| ids.contains(peer))
    })
}

/// Waits until beats go from each of the nodes to each other from now on.
pub async fn beats_flow(nodes: &[Node]) {
    let pairs = || nodes.iter().flat_map(|a| nodes.iter().map(move |b| (a, b))).filter(|(a, b)| a.id != b.id);
    let before: Vec<u64> = pairs().map(|(a, b)| a.beats_of(&b.id)).collect();
    eventually("beats flow both ways", || {
        pairs().zip(&before).all(|((a, b), before)| a.beats_of(&b.id) >= before + 2)
    })
    .await;
}

async fn agent(
    mut events: mpsc::Receiver<Event>,
    orders: mpsc::Sender<Order>,
    seen: Arc<Mutex<Seen>>,
    mut left: mpsc::Receiver<()>,
    rhythm: Rhythm,
) {
    let mut tick = interval(rhythm.period);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut sequence = 0;
    let send = |sequence, leaving| {
        let peers: Vec<PeerId> = seen.lock().expect("no test panics with it").links.keys().copied().collect();
        for to in peers {
            let _ = orders.try_send(Order::Beat {
                to,
                beat: Box::new(Beat { leaving, message: rhythm.message.clone(), ..beat(sequence) }),
            });
        }
    };
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(event) => note(&mut seen.lock().expect("no test panics with it"), event),
                None => return,
            },
            _ = tick.tick() => {
                sequence += 1;
                send(sequence, false);
                seen.lock().expect("no test panics with it").rounds = sequence;
            }
            _ = left.recv() => break,
        }
    }
    send(sequence + 1, true);
    drop(orders);
    // The overlay ends when it has sent them.
    while events.recv().await.is_some() {}
}

fn note(seen: &mut Seen, event: Event) {
    match event {
        Event::Linked { peer, addresses } => drop(seen.links.insert(peer, addresses)),
        Event::Unlinked { peer } => {
            assert!(seen.links.remove(&peer).is_some(), "unlinked without a link");
            seen.unlinked += 1;
        }
        Event::Beat { peer, beat } => {
            assert!(seen.links.contains_key(&peer), "a beat without a link");
            let entry = seen.beats.entry(peer).or_insert((0, (*beat).clone()));
            *entry = (entry.0 + 1, *beat);
        }
        Event::Rtt { peer, .. } => drop(seen.rtts.insert(peer)),
        Event::Probed { by, nonce } => seen.probed.push((by, nonce)),
    }
}
