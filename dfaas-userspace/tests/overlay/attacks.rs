//! What one peer does must not disturb the others: in each story beats go on between those that keep to the rules, and
//! the state of the node that was attacked shows what happened.

use std::collections::BTreeSet;
use std::time::Duration;

use dfaas_userspace::overlay::{Card, Offence, Order, Settings, wire};
use futures_util::{AsyncWriteExt as _, StreamExt as _};
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::gate::Gate;
use crate::harness::{Node, all_linked, beat, beats_flow, eventually, memory_port, settings};
use crate::hostile::{Hostile, is_closed, pour};
use crate::sockets::{TCP, swarm_key, two};

/// Three nodes that are linked, and how the first is reached.
pub async fn federation(gate: &Gate) -> (Vec<Node>, (PeerId, Multiaddr)) {
    let mut nodes: Vec<Node> = Vec::new();
    for _ in 0..3 {
        let seeds = match nodes.first() {
            Some(first) => vec![first.seed().await],
            None => Vec::new(),
        };
        let settings = Settings { seeds, ..settings("/memory/1") };
        nodes.push(Node::at(gate, memory_port(), Keypair::generate_ed25519(), settings).await);
    }
    eventually("they are linked", || all_linked(&nodes)).await;
    let victim = nodes[0].seed().await;
    (nodes, victim)
}

/// Waits until a peer that did wrong is disconnected and refused when it comes again.
pub async fn shut_out(nodes: &[Node], hostile: &Hostile) {
    eventually("it is shut out", || nodes[0].refused("shut_out") > 0).await;
    assert!(!nodes[0].is_linked(&hostile.id));
    beats_flow(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_of_ten_megabytes_is_not_read() {
    let gate = Gate::default();
    let (nodes, victim) = federation(&gate).await;
    let mut hostile = Hostile::connect(&gate, &victim).await;
    for count in 1..=2 {
        let mut stream = hostile.stream().await;
        stream.write_all(&10_000_000_u32.to_be_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        let taken = pour(&mut stream, &[0x5a; 65536], 10_000_000).await;
        assert!(taken < 2_000_000, "{taken} bytes were taken");
        assert!(is_closed(&mut stream).await);
        eventually("the offence is counted", || nodes[0].refused("oversized") == count).await;
        beats_flow(&nodes).await;
    }
    shut_out(&nodes, &hostile).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_beats_stalls_its_sender_and_nobody_else() {
    let gate = Gate::default();
    let (nodes, victim) = federation(&gate).await;
    let mut hostile = Hostile::connect(&gate, &victim).await;
    let (mut stream, _back, _incoming) = hostile.link().await;
    eventually("it is linked", || nodes[0].is_linked(&hostile.id)).await;
    let frame = wire::encode(&beat(1)).unwrap();
    let start = std::time::Instant::now();
    // A second's worth of 10,000 frames a second, and no end of it.
    let taken = pour(&mut stream, &frame.repeat(10_000), usize::MAX).await;
    let frames = taken / frame.len();
    assert!(frames < 60_000, "{frames} frames were taken before it stalled");
    let heard = nodes[0].beats_of(&hostile.id);
    let most = 41 + 20 * (start.elapsed().as_secs() + 1);
    assert!(heard <= most, "{heard} beats came through, {most} may");
    beats_flow(&nodes).await;
    eventually("the offence is counted", || nodes[0].refused("flood") > 0).await;
    // It goes on for as long as it can.
    pour(&mut stream, &frame.repeat(100), usize::MAX).await;
    shut_out(&nodes, &hostile).await;
    assert!((8..=12).contains(&nodes[0].refused("flood")), "{}", nodes[0].refused("flood"));
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_without_end_are_counted_and_closed() {
    let gate = Gate::default();
    let (nodes, victim) = federation(&gate).await;
    let mut hostile = Hostile::connect(&gate, &victim).await;
    let mut streams = Vec::new();
    for _ in 0..200 {
        streams.extend(hostile.try_open(dfaas_userspace::overlay::PROTOCOL).await);
        if nodes[0].refused("flood") > 0 {
            break;
        }
    }
    eventually("it is a flood", || nodes[0].refused("flood") > 0).await;
    // One of them all is read.
    let mut open = 0;
    for stream in &mut streams {
        let closed = tokio::time::timeout(Duration::from_millis(200), is_closed(stream)).await;
        open += usize::from(!matches!(closed, Ok(true)));
    }
    assert!(open <= 1, "{open} of {} streams are open", streams.len());
    beats_flow(&nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_frames_cost_standing_and_unknown_versions_do_not() {
    let gate = Gate::default();
    let (nodes, victim) = federation(&gate).await;
    let mut hostile = Hostile::connect(&gate, &victim).await;
    let (mut stream, _back, _incoming) = hostile.link().await;
    for _ in 0..5 {
        stream.write_all(&[0, 0, 0, 3, 9, 1, 2]).await.unwrap();
    }
    stream.write_all(&wire::encode(&beat(7)).unwrap()).await.unwrap();
    stream.flush().await.unwrap();
    eventually("its beat comes through", || nodes[0].beats_of(&hostile.id) == 1).await;
    eventually("newer versions are counted", || nodes[0].refused("unknown_version") == 5).await;
    assert_eq!(nodes[0].refused("malformed"), 0);
    for count in 1..=3 {
        stream.write_all(&[0, 0, 0, 4, 1, 0xff, 0xff, 0xff]).await.unwrap();
        stream.flush().await.unwrap();
        eventually("the offence is counted", || nodes[0].refused("malformed") == count).await;
    }
    shut_out(&nodes, &hostile).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_never_reads_holds_up_nobody() {
    let gate = Gate::default();
    let (nodes, victim) = federation(&gate).await;
    let mut hostile = Hostile::connect(&gate, &victim).await;
    let (_stream, _back, mut incoming) = hostile.link().await;
    eventually("it is linked", || nodes[0].is_linked(&hostile.id)).await;
    // Beats as long as they get, so that its window is soon full.
    let functions = (0..1000).map(|id| format!("{}{id:04}", "f".repeat(55))).collect();
    let card =
        Card { name: "a".to_owned(), region: String::new(), data_address: None, data_port: 1, functions };
    let long = dfaas_userspace::overlay::Beat { card: Some(card), ..beat(1) };
    let (orders, to) = (nodes[0].orders.clone(), hostile.id);
    let sender = tokio::spawn(async move {
        loop {
            let _ = orders.send(Order::Beat { to, beat: Box::new(long.clone()) }).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    // The node's stream is given up once it is full, and another opened.
    let (_, _again) = incoming.next().await.expect("the swarm lives");
    beats_flow(&nodes).await;
    sender.abort();
    let sent = nodes[0].status.borrow().bytes.1;
    assert!(sent < 4_000_000, "{sent} bytes went out");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_the_agent_complains_of_is_shut_out() {
    let gate = Gate::default();
    let (nodes, _) = federation(&gate).await;
    let bad = nodes[2].id;
    for offence in [Offence::Replayed, Offence::Forged, Offence::Forged, Offence::Replayed] {
        nodes[0].orders.send(Order::Offence { peer: bad, offence }).await.unwrap();
    }
    eventually("the link is gone", || !nodes[0].is_linked(&bad) && !nodes[2].is_linked(&nodes[0].id)).await;
    eventually("it is refused", || nodes[0].refused("shut_out") > 0).await;
    assert_eq!((nodes[0].refused("forged"), nodes[0].refused("replayed")), (2, 2));
    beats_flow(&nodes[..2]).await;
    beats_flow(&nodes[1..]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_in_the_list_of_the_federation_stays_outside() {
    let gate = Gate::default();
    let keys: Vec<Keypair> = (0..2).map(|_| Keypair::generate_ed25519()).collect();
    let allow: BTreeSet<PeerId> = keys.iter().map(|key| key.public().to_peer_id()).collect();
    let mut nodes: Vec<Node> = Vec::new();
    for key in keys {
        let seeds = match nodes.first() {
            Some(first) => vec![first.seed().await],
            None => Vec::new(),
        };
        let settings = Settings { allow: allow.clone(), seeds, ..settings("/memory/1") };
        nodes.push(Node::at(&gate, memory_port(), key, settings).await);
    }
    eventually("they are linked", || all_linked(&nodes)).await;
    let seeds = vec![nodes[0].seed().await];
    let outside = Settings { seeds, ..settings("/memory/1") };
    let outside = Node::at(&gate, memory_port(), Keypair::generate_ed25519(), outside).await;
    eventually("it is refused", || nodes[0].refused("not_allowed") > 1).await;
    eventually("it knows that it is alone", || outside.status.borrow().links.is_empty()).await;
    assert!(!nodes[0].is_linked(&outside.id));
    assert_eq!(nodes[0].status.borrow().members, 1);
    beats_flow(&nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_another_swarm_key_or_none_stays_outside() {
    let inside = Settings { psk: Some(swarm_key('a')), ..settings(TCP) };
    let nodes = two(&inside).await;
    eventually("they are linked", || all_linked(&nodes)).await;
    let seeds = vec![nodes[0].seed().await];
    for psk in [Some(swarm_key('b')), None] {
        let before = nodes[0].refused("handshake");
        let outside = Settings { psk, seeds: seeds.clone(), ..settings(TCP) };
        let outside = Node::real(Keypair::generate_ed25519(), outside).await;
        eventually("it is refused", || nodes[0].refused("handshake") > before).await;
        eventually("it says so", || outside.status.borrow().bootstrap_error.is_some()).await;
        assert!(outside.seen().links.is_empty() && !nodes[0].is_linked(&outside.id));
        outside.leave().await;
    }
    beats_flow(&nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn random_bytes_at_the_port_are_refused() {
    for psk in [None, Some(swarm_key('c'))] {
        let nodes = two(&Settings { psk, ..settings(TCP) }).await;
        eventually("they are linked", || all_linked(&nodes)).await;
        let (_, address) = nodes[0].seed().await;
        let port = address.iter().find_map(|part| match part {
            Protocol::Tcp(port) => Some(port),
            _ => None,
        });
        for seed in 0..10_u8 {
            let mut stream = TcpStream::connect(("127.0.0.1", port.unwrap())).await.unwrap();
            let bytes: Vec<u8> =
                (0..5000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8 ^ seed).collect();
            let _ = stream.write_all(&bytes).await;
            // Read to the end, which the node makes.
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
        eventually("they are counted", || nodes[0].refused("handshake") >= 10).await;
        beats_flow(&nodes).await;
    }
}
