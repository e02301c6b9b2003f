//! Nodes come, go and find each other again.

use dfaas_userspace::overlay::{MAX_LINKS, Settings};
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId};

use crate::gate::Gate;
use crate::harness::{CROWD, Node, all_linked, beats_flow, eventually, memory, memory_port, settings};

fn with_seeds(seeds: &[(PeerId, Multiaddr)]) -> Settings {
    Settings { seeds: seeds.to_vec(), ..settings("/memory/1") }
}

async fn node(gate: &Gate, settings: Settings) -> Node {
    Node::at(gate, memory_port(), Keypair::generate_ed25519(), settings).await
}

/// So many nodes, all of which know the first.
async fn federation(gate: &Gate, count: usize) -> Vec<Node> {
    let mut nodes = vec![node(gate, settings("/memory/1")).await];
    let seed = nodes[0].seed().await;
    while nodes.len() < count {
        nodes.push(node(gate, with_seeds(std::slice::from_ref(&seed))).await);
    }
    nodes
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_find_each_other_and_beat() {
    let nodes = federation(&Gate::default(), 2).await;
    eventually("the two are linked", || all_linked(&nodes)).await;
    beats_flow(&nodes).await;
    eventually("round-trip times are measured", || nodes.iter().all(|node| !node.seen().rtts.is_empty()))
        .await;
    eventually("the state tells of it", || {
        nodes.iter().all(|node| {
            let status = node.status.borrow();
            let link = status.links.values().next();
            status.members == 1
                && link.is_some_and(|link| link.rtt.is_some() && link.standing == 1.0)
                && status.beats.0 > 1
                && status.beats.1 > 1
                && status.bytes.0 > status.beats.0 * 10
                && status.bootstrap_error.is_none()
                && status.refused.is_empty()
        })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_nodes_join_through_one_and_all_beat_with_each_other() {
    let _alone = CROWD.lock().await;
    let mut nodes = federation(&Gate::default(), 20).await;
    eventually("all are linked", || all_linked(&nodes)).await;
    beats_flow(&nodes).await;
    // One leaves: the others hear its last word, lose the link, and go on.
    let gone = nodes.remove(7);
    let id = gone.id;
    gone.leave().await;
    eventually("it is unlinked", || all_linked(&nodes)).await;
    // It does not wait long for its last word to be sent: on a loaded machine some miss it, and miss its beats then.
    let heard = nodes.iter().filter(|node| node.seen().beats[&id].1.leaving).count();
    assert!(heard > 0, "nobody heard its last word");
    beats_flow(&nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_federation_outlives_the_change_of_its_nodes() {
    let gate = Gate::default();
    let mut nodes = federation(&gate, 8).await;
    eventually("all are linked", || all_linked(&nodes)).await;
    for round in 0..4 {
        // The newcomers know one of the second half only; the first half, the bootstrap node among it, goes.
        let seed = nodes[4 + round % 4].seed().await;
        for gone in nodes.drain(..4) {
            gone.leave().await;
        }
        for _ in 0..4 {
            nodes.push(node(&gate, with_seeds(std::slice::from_ref(&seed))).await);
        }
        eventually(&format!("all are linked after round {round}"), || all_linked(&nodes)).await;
        beats_flow(&nodes).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_federation_that_fell_apart_grows_together_again() {
    let gate = Gate::default();
    let ports: Vec<u64> = (0..10).map(|_| memory_port()).collect();
    let mut nodes: Vec<Node> = Vec::new();
    for port in &ports {
        let seeds = match nodes.first() {
            Some(first) => vec![first.seed().await],
            None => Vec::new(),
        };
        nodes.push(Node::at(&gate, *port, Keypair::generate_ed25519(), with_seeds(&seeds)).await);
    }
    eventually("all are linked", || all_linked(&nodes)).await;
    let middle = ports[5];
    gate.close(move |a, b| (a < middle) != (b < middle));
    eventually("each half is by itself", || all_linked(&nodes[..5]) && all_linked(&nodes[5..])).await;
    beats_flow(&nodes[..5]).await;
    beats_flow(&nodes[5..]).await;
    gate.open();
    eventually("all are linked again", || all_linked(&nodes)).await;
    beats_flow(&nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_starts_again_finds_its_members_without_the_bootstrap_node() {
    let gate = Gate::default();
    let folder = tempfile::tempdir().unwrap();
    let mut nodes = federation(&gate, 3).await;
    let seed = nodes[0].seed().await;
    let remembering =
        Settings { memory: Some(folder.path().join("identity.pem.members")), ..with_seeds(&[seed]) };
    let (port, key) = (memory_port(), Keypair::generate_ed25519());
    nodes.push(Node::at(&gate, port, key.clone(), remembering.clone()).await);
    eventually("all are linked", || all_linked(&nodes)).await;
    nodes.pop().unwrap().leave().await;
    nodes.remove(0).leave().await;
    nodes.push(Node::at(&gate, port, key, remembering).await);
    eventually("the others are found", || all_linked(&nodes)).await;
    beats_flow(&nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_alone_says_why_and_goes_on_trying() {
    let gate = Gate::default();
    let (port, key) = (memory_port(), Keypair::generate_ed25519());
    let late = (key.public().to_peer_id(), memory(port));
    let own_port = memory_port();
    let own_key = Keypair::generate_ed25519();
    // Its own address in the list is no node to find.
    let seeds = [(own_key.public().to_peer_id(), memory(own_port)), late.clone()];
    let early = Node::at(&gate, own_port, own_key, with_seeds(&seeds)).await;
    eventually("it says why", || {
        let status = early.status.borrow();
        status.members == 1
            && status.bootstrap_error.as_ref().is_some_and(|error| error.contains(&format!("/memory/{port}")))
    })
    .await;
    let nodes = [early, Node::at(&gate, port, key, settings("/memory/1")).await];
    eventually("the late one is found", || all_linked(&nodes)).await;
    eventually("all is well", || nodes[0].status.borrow().bootstrap_error.is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_large_federation_each_node_has_some_links_and_none_too_many() {
    let _alone = CROWD.lock().await;
    let gate = Gate::default();
    let wanted = 4;
    let few = |seeds: &[(PeerId, Multiaddr)]| Settings { neighbours: wanted, ..with_seeds(seeds) };
    let mut nodes = vec![node(&gate, few(&[])).await];
    let seed = nodes[0].seed().await;
    for _ in 1..28 {
        nodes.push(node(&gate, few(std::slice::from_ref(&seed))).await);
    }
    eventually("each has as many as it wants", || {
        nodes.iter().all(|node| (wanted..=MAX_LINKS).contains(&node.seen().links.len()))
    })
    .await;
    // Links that neither end needs are given up again.
    eventually("none has many more than it wants", || {
        let links: usize = nodes.iter().map(|node| node.seen().links.len()).sum();
        let bounded = nodes.iter().all(|node| (1..=MAX_LINKS).contains(&node.seen().links.len()));
        bounded && links <= nodes.len() * (wanted + 1)
    })
    .await;
}
