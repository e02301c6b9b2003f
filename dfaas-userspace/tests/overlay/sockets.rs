//! Real sockets on loopback: QUIC, TCP with a swarm key, probes of data ports, addresses in use.

use std::net::{Ipv4Addr, SocketAddr};

use dfaas_userspace::overlay::{self, Order, OverlayError, Settings, parse_swarm_key};
use libp2p::identity::Keypair;
use tokio::net::UdpSocket;

use crate::harness::{Node, all_linked, beats_flow, eventually, settings};

pub const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";
pub const TCP: &str = "/ip4/127.0.0.1/tcp/0";

/// A swarm key all of whose digits are `digit`.
pub fn swarm_key(digit: char) -> libp2p::pnet::PreSharedKey {
    let text = format!("/key/swarm/psk/1.0.0/\n/base16/\n{}\n", digit.to_string().repeat(64));
    parse_swarm_key(&text).expect("three good lines")
}

/// A port that was free a moment ago, for TCP and UDP.
pub fn free_port() -> u16 {
    let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has free ports");
    socket.local_addr().expect("a bound socket has an address").port()
}

/// Two nodes with the same settings, the second of which knows the first.
pub async fn two(settings: &Settings) -> [Node; 2] {
    let first = Node::real(Keypair::generate_ed25519(), settings.clone()).await;
    let seeds = vec![first.seed().await];
    let second = Settings { seeds, ..settings.clone() };
    [first, Node::real(Keypair::generate_ed25519(), second).await]
}

async fn linked_by(nodes: &[Node; 2], word: &str) {
    eventually("they are linked", || all_linked(nodes)).await;
    beats_flow(nodes).await;
    let address = std::net::IpAddr::V4(Ipv4Addr::LOCALHOST);
    for (node, other) in [(&nodes[0], &nodes[1]), (&nodes[1], &nodes[0])] {
        assert_eq!(node.seen().links[&other.id], [address]);
        eventually("the state shows the address", || {
            node.status
                .borrow()
                .links
                .get(&other.id)
                .is_some_and(|link| link.address.to_string().contains(word))
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_talk_over_quic() {
    linked_by(&two(&settings(QUIC)).await, "/quic-v1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_talk_over_tcp() {
    linked_by(&two(&settings(TCP)).await, "/tcp/").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_with_one_swarm_key_talk_over_tcp_and_leave_quic_out() {
    let mut settings = Settings { psk: Some(swarm_key('7')), ..settings(TCP) };
    settings.listen.push(QUIC.parse().unwrap());
    let nodes = two(&settings).await;
    linked_by(&nodes, "/tcp/").await;
    assert_eq!(nodes[0].status.borrow().listening.len(), 1);
    // The list of ids guards QUIC, too.
    settings.allow = nodes.iter().map(|node| node.id).collect();
    let guarded = Node::real(Keypair::generate_ed25519(), settings.clone()).await;
    eventually("both are listened at", || guarded.status.borrow().listening.len() == 2).await;
    settings.allow.clear();
    settings.listen.remove(0);
    let nothing = overlay::start(settings, Keypair::generate_ed25519()).await.unwrap_err();
    assert!(matches!(nothing, OverlayError::NothingToListenAt), "{nothing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_in_use_is_named() {
    let port = free_port();
    let probe = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, free_port())));
    let all = |listen: String| Settings { probe, ..settings(&listen) };
    for listen in [format!("/ip4/127.0.0.1/tcp/{port}"), format!("/ip4/127.0.0.1/udp/{port}/quic-v1")] {
        let node = Node::real(Keypair::generate_ed25519(), all(listen.clone())).await;
        let error =
            overlay::start(settings(&listen), Keypair::generate_ed25519()).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("overlay.listen: {listen}: Address already in use")), "{error}");
        let error =
            overlay::start(all(TCP.to_owned()), Keypair::generate_ed25519()).await.unwrap_err().to_string();
        assert!(error.starts_with("dataplane.data_port: UDP 127.0.0.1:"), "{error}");
        assert!(error.contains("Address already in use"), "{error}");
        node.leave().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_reaches_the_data_port_and_only_linked_nodes_are_told_of() {
    let ports = [free_port(), free_port()].map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let first = Settings { probe: Some(ports[0]), ..settings(TCP) };
    let first = Node::real(Keypair::generate_ed25519(), first).await;
    let second = Settings { probe: Some(ports[1]), seeds: vec![first.seed().await], ..settings(TCP) };
    let nodes = [first, Node::real(Keypair::generate_ed25519(), second).await];
    eventually("they are linked", || all_linked(&nodes)).await;
    let nonce = [42; 16];
    let probe = Order::Probe { to: ports[1], nonce };
    nodes[0].orders.send(probe.clone()).await.unwrap();
    let told = (nodes[0].id, nonce);
    eventually("the probe arrives", || nodes[1].seen().probed == [told]).await;
    // Somebody without a link, and bytes that are no probe.
    let stranger = Node::real(
        Keypair::generate_ed25519(),
        Settings { probe: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()))), ..settings(TCP) },
    )
    .await;
    stranger.seed().await;
    stranger.orders.send(probe).await.unwrap();
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    for length in [0, 1, 12, 80, 1400] {
        socket.send_to(&vec![0xdf; length], ports[1]).await.unwrap();
    }
    eventually("they are counted", || nodes[1].refused("probe") == 6).await;
    assert_eq!(nodes[1].seen().probed.len(), 1);
    let mut answer = [0; 100];
    assert!(socket.try_recv(&mut answer).is_err(), "a datagram is never answered");
    beats_flow(&nodes).await;
}
