//! Fifty nodes with sixteen neighbours each: one graph, whatever happens to its nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dfaas_userspace::overlay::{self, MAX_LINKS, Settings};
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId};

use crate::gate::Gate;
use crate::harness::{CROWD, Node, Rhythm, eventually, memory, memory_port, settings};

const WANTED: usize = 16;
/// A node may be looking for another neighbour.
const LEAST: usize = WANTED - 4;

async fn node(gate: &Gate, seeds: &[(PeerId, Multiaddr)]) -> (u64, Node) {
    let (port, key) = (memory_port(), Keypair::generate_ed25519());
    let settings = Settings {
        listen: vec![memory(port)],
        seeds: seeds.to_vec(),
        neighbours: WANTED,
        ..settings("/memory/1")
    };
    let transport = overlay::authenticated(gate.transport(port), &key).expect("a key of the right kind");
    let rhythm = Rhythm { period: Duration::from_secs(1), message: None };
    (port, Node::over(transport, key, settings, rhythm).await)
}

/// Whether the nodes are one graph by links that both ends have, each with as many as it should have.
fn is_whole(nodes: &[&Node]) -> bool {
    let links: BTreeMap<PeerId, BTreeSet<PeerId>> =
        nodes.iter().map(|node| (node.id, node.seen().links.keys().copied().collect())).collect();
    let bounded = links.values().all(|of| (LEAST.min(nodes.len() - 1)..=MAX_LINKS).contains(&of.len()));
    let among = links.values().flatten().all(|peer| links.contains_key(peer));
    let mut reached: BTreeSet<PeerId> = [nodes[0].id].into();
    let mut next = vec![nodes[0].id];
    while let Some(peer) = next.pop() {
        for other in links[&peer].iter().filter(|other| links.get(other).is_some_and(|of| of.contains(&peer)))
        {
            if reached.insert(*other) {
                next.push(*other);
            }
        }
    }
    bounded && among && reached.len() == nodes.len()
}

fn all(nodes: &[(u64, Node)]) -> Vec<&Node> {
    nodes.iter().map(|(_, node)| node).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_nodes_stay_one_graph_while_nodes_join_leave_and_are_cut_off() {
    let _alone = CROWD.lock().await;
    let gate = Gate::default();
    let mut nodes = vec![node(&gate, &[]).await];
    let first = [nodes[0].1.seed().await];
    while nodes.len() < 50 {
        nodes.push(node(&gate, &first).await);
    }
    let start = std::time::Instant::now();
    let passed = |what: &str| println!("{:.0} s: {what}", start.elapsed().as_secs_f64());
    eventually("fifty that joined through one are one graph", || is_whole(&all(&nodes))).await;
    passed("joined");

    for gone in nodes.drain(..10) {
        gone.1.leave().await;
    }
    eventually("the others are one graph without those that left", || is_whole(&all(&nodes))).await;
    passed("left");

    let middle = nodes[20].0;
    gate.close(move |a, b| (a < middle) != (b < middle));
    let halves = |nodes: &[(u64, Node)]| is_whole(&all(&nodes[..20])) && is_whole(&all(&nodes[20..]));
    eventually("each half is a graph by itself", || halves(&nodes)).await;
    passed("cut");
    gate.open();
    eventually("the halves are one graph again", || is_whole(&all(&nodes))).await;
    passed("healed");

    for round in 0..2 {
        let seed = [nodes[20 + round].1.seed().await];
        // Some say goodbye and some just vanish.
        for (index, (_, gone)) in nodes.drain(..6).enumerate() {
            if index % 2 == 0 {
                gone.leave().await;
            } else {
                gone.vanish();
            }
        }
        for _ in 0..6 {
            nodes.push(node(&gate, &seed).await);
        }
        eventually(&format!("they are one graph after round {round}"), || is_whole(&all(&nodes))).await;
    }
}
