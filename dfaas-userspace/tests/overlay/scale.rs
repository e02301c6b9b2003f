//! What a node sends does not depend on how many nodes there are: over real TCP, with everything that the overlay does.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use dfaas_control::{FunctionId, LeaseWord, Message};
use dfaas_userspace::overlay::{Settings, Timing};
use libp2p::identity::Keypair;

use crate::counted::{self, Count};
use crate::harness::{CROWD, Node, Rhythm, eventually, settings};
use crate::sockets::TCP;

/// Beats of each node that are counted: some turns of the exchanges, of which each link has one in 20.
const ROUNDS: u64 = 60;
/// How long links may take to come to rest; a loaded machine needs more of it.
const SETTLES: Duration = Duration::from_secs(120);

/// What the default strategy says to a neighbour, with four functions.
fn word() -> Message {
    let costs = (0..4).map(|id| (FunctionId::from_name(&format!("function-{id}")), 0.03)).collect();
    Message::Lease(LeaseWord {
        capacity: 4.0,
        demand: 2.5,
        level: 0.75,
        headroom: 0.5,
        free: 0.25,
        wait: 30_000,
        flags: 0,
        ask: 0.0,
        grant: 0.125,
        costs,
    })
}

/// What a node writes a second, on average over all, while nothing happens but beats.
#[derive(Debug, Clone, Copy)]
struct Cost {
    /// Bytes of beats and exchanges: a beat with its part of the exchanges, for each link. Beats that a loaded machine
    /// left out are counted too.
    payload: f64,
    /// Bytes written to sockets.
    wire: f64,
}

struct Site {
    nodes: Vec<(Node, Count)>,
}

impl Site {
    async fn of(count: usize) -> Self {
        let mut nodes: Vec<(Node, Count)> = Vec::new();
        for _ in 0..count {
            let seeds = match nodes.first() {
                Some((first, _)) => vec![first.seed().await],
                None => Vec::new(),
            };
            let key = Keypair::generate_ed25519();
            let (transport, written) = counted::transport(&key);
            let settings = Settings { seeds, neighbours: 16, timing: Timing::default(), ..settings(TCP) };
            let rhythm = Rhythm { period: Duration::from_secs(1), message: Some(word()) };
            nodes.push((Node::over(transport, key, settings, rhythm).await, written));
        }
        Self { nodes }
    }

    fn sum(&self, of: impl Fn(&Node) -> u64) -> u64 {
        self.nodes.iter().map(|(node, _)| of(node)).sum()
    }

    fn links(&self) -> u64 {
        self.sum(|node| node.seen().links.len() as u64)
    }

    /// Waits until links hardly change any more.
    async fn settle(&self) {
        let wanted = 16.min(self.nodes.len() - 1);
        eventually("each has its neighbours", || {
            self.nodes.iter().all(|(node, _)| node.seen().links.len() >= wanted - 2)
        })
        .await;
        let (start, mut calm, mut before) = (Instant::now(), 0, self.links());
        while calm < 4 && start.elapsed() < SETTLES {
            tokio::time::sleep(Duration::from_secs(5)).await;
            let now = self.links();
            // A link is counted at both ends.
            calm = if now.abs_diff(before) <= 2 { calm + 1 } else { 0 };
            before = now;
        }
    }

    async fn cost(&self) -> Cost {
        let read = || {
            let beats = self.sum(|node| node.status.borrow().beats.1);
            let payload = self.sum(|node| node.status.borrow().bytes.1);
            let wire: u64 = self.nodes.iter().map(|(_, written)| written.load(Ordering::Relaxed)).sum();
            [self.sum(|node| node.seen().rounds), beats, payload, wire]
        };
        let (before, links) = (read(), self.links());
        let start: Vec<u64> = self.nodes.iter().map(|(node, _)| node.seen().rounds).collect();
        let passed =
            || self.nodes.iter().zip(&start).all(|((node, _), start)| node.seen().rounds >= start + ROUNDS);
        eventually("rounds of beats pass", passed).await;
        let after = read();
        let each = |index: usize| (after[index] - before[index]) as f64 / (after[0] - before[0]) as f64;
        let count = self.nodes.len();
        let links = (links + self.links()) as f64 / (2 * count) as f64;
        let payload = each(2) / each(1) * links;
        let mean = |sum: u64| sum as f64 / count as f64;
        println!(
            "{count} nodes; a node has {links:.1} links and {:.1} connections; a second it sends {:.1} beats, {:.0} bytes \
             of beats and exchanges ({payload:.0} without loss), {:.0} bytes by TCP",
            mean(self.sum(|node| node.status.borrow().connected as u64)),
            each(1),
            each(2),
            each(3),
        );
        Cost { payload, wire: each(3) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_among_fifty_sends_what_a_node_among_twenty_sends() {
    let _alone = CROWD.lock().await;
    let mut costs = Vec::new();
    for count in [20, 50] {
        let site = Site::of(count).await;
        site.settle().await;
        let cost = site.cost().await;
        assert!(cost.payload <= 3000.0, "{count} nodes: {cost:?}");
        costs.push(cost);
        for (node, _) in site.nodes {
            node.vanish();
        }
    }
    let ratio = costs[1].payload / costs[0].payload;
    println!("50 nodes to 20: payload {ratio:.3}, wire {:.3}", costs[1].wire / costs[0].wire);
    assert!((ratio - 1.0).abs() <= 0.1, "{costs:?}");
}
