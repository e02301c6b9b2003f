//! Bodies of all sizes come back as they were sent, whoever serves and whatever is lost on the way.

use dfaas_tests::firewall::Loss;
use dfaas_tests::{Offloads, Topology};

use crate::site::{Plan, Site, echoes};

const SIZES: [usize; 5] = [0, 1, 1_000, 100_000, 5_000_000];

/// Every size on a connection of its own, then all on one connection, with what follows after a large body.
fn every_size(site: &Site, node: u8, sizes: &[usize]) {
    site.client(|| async {
        for size in sizes {
            echoes(&mut site.connect().await, &[*size], node).await;
        }
        let mut connection = site.connect().await;
        echoes(&mut connection, sizes, node).await;
        echoes(&mut connection, &[1, 0, 100_000, 1_000], node).await;
    });
    let backend = if node == 1 { "local".to_owned() } else { format!("node-{node}") };
    assert_eq!(site.bound_to(&backend), 2.0 * sizes.len() as f64 + 4.0, "each request was counted once");
}

#[test]
fn bodies_to_the_local_gateway_come_back_identical() {
    every_size(&Site::new(&Plan::alone()), 1, &SIZES);
}

#[test]
fn bodies_to_a_local_gateway_that_listens_with_mptcp_come_back_identical() {
    let site = Site::new(&Plan { mptcp: true, ..Plan::alone() });
    let listening = site.lab.node(1).output("ss", &["--mptcp", "-ltnH"], "").unwrap();
    assert!(listening.contains("10.77.1.1:8080"), "the gateway listens with MPTCP: {listening}");
    every_size(&site, 1, &SIZES);
}

#[test]
fn bodies_to_a_peer_come_back_identical() {
    let site = Site::new(&Plan::all_to_a_peer());
    every_size(&site, 2, &SIZES);
    assert_eq!(site.bound_to("local"), 0.0);
}

#[test]
fn bodies_to_a_peer_that_listens_with_mptcp_come_back_identical() {
    every_size(&Site::new(&Plan { mptcp: true, ..Plan::all_to_a_peer() }), 2, &SIZES);
}

/// Loses 2 % of all packets that users and peers receive or send. The node in the middle needs no rules of its own:
/// whatever reaches or leaves it has passed one of theirs.
fn with_loss(plan: &Plan, node: u8) {
    let site = Site::new(plan);
    let mut losing = vec![site.lab.users(1)];
    losing.extend((2..=plan.topology.nodes).map(|index| site.lab.node(index)));
    let losses: Vec<_> = losing.iter().map(|namespace| Loss::start(namespace, 2).unwrap()).collect();
    // Many small ones: handshakes, first segments and ends are lost too.
    site.client(|| async {
        let mut connections = tokio::task::JoinSet::new();
        for n in 0..200 {
            let connect = site.connect();
            connections.spawn(async move { echoes(&mut connect.await, &[n * 37, 1_000], node).await });
        }
        connections.join_all().await;
    });
    site.client(|| async { echoes(&mut site.connect().await, &SIZES, node).await });
    site.client(|| async { echoes(&mut site.connect().await, &[5_000_000, 1], node).await });
    for (loss, namespace) in losses.iter().zip(&losing) {
        let dropped = loss.dropped().unwrap();
        println!("{}: {dropped} packets lost", namespace.name());
        assert!(dropped >= 20, "only {dropped} packets were lost in {}", namespace.name());
    }
}

#[test]
fn bodies_to_the_local_gateway_survive_the_loss_of_packets() {
    with_loss(&Plan::alone(), 1);
}

#[test]
fn bodies_to_a_local_mptcp_gateway_survive_the_loss_of_packets() {
    with_loss(&Plan { mptcp: true, ..Plan::alone() }, 1);
}

#[test]
fn bodies_to_a_peer_survive_the_loss_of_packets() {
    with_loss(&Plan::all_to_a_peer(), 2);
}

#[test]
fn bodies_come_back_identical_whatever_the_interfaces_offload() {
    for offloads in [Offloads::WithGro, Offloads::AsMade, Offloads::None] {
        for (plan, node) in [(Plan::alone(), 1), (Plan::all_to_a_peer(), 2)] {
            println!("{offloads:?}, served by node {node}");
            let topology = Topology { offloads, ..plan.topology };
            every_size(&Site::new(&Plan { topology, ..plan }), node, &[0, 1_000, 1_000_000]);
        }
    }
}
