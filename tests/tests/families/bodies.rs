//! Bodies of all sizes come back as they were sent, over whatever families.

use dfaas_tests::firewall::Loss;
use dfaas_tests::{Family, Offloads, Topology};

use crate::site::{Site, echoes, echoes_or_here};

const SIZES: [usize; 5] = [0, 1, 1_000, 100_000, 5_000_000];

/// Every size at every address of node 1, all served by this node: each on a connection of its own, then all on one.
fn every_size(site: &Site, node: u8, sizes: &[usize]) {
    let addresses = site.nodes[0].addresses();
    let backend = if node == 1 { "local" } else { "node-2" };
    for &address in &addresses {
        site.client(|| async move {
            for size in sizes {
                echoes(address, &[*size], node).await;
            }
        });
    }
    let single = (addresses.len() * sizes.len()) as f64;
    assert_eq!(site.bound_to(backend), single, "each was bound once, over {:?}", site.family);
    for &address in &addresses {
        site.client(|| echoes(address, sizes, node));
    }
    assert!(site.bound_to(backend) > single, "kept connections too, over {:?}", site.family);
}

fn here(family: Family) {
    every_size(&Site::new(family, 100.0), 1, &SIZES);
}

fn at_a_peer(family: Family) {
    let site = Site::new(family, 0.0);
    every_size(&site, 2, &SIZES);
    assert_eq!(site.bound_to("local"), 0.0);
}

#[test]
fn bodies_of_ipv6_users_come_back_identical_from_here() {
    here(Family::V6);
}

#[test]
fn bodies_of_users_of_both_families_come_back_identical_from_here() {
    here(Family::Both);
}

#[test]
fn bodies_of_ipv4_users_come_back_identical_from_a_peer_over_ipv4() {
    at_a_peer(Family::V4);
}

#[test]
fn bodies_of_ipv6_users_come_back_identical_from_a_peer_over_ipv6() {
    at_a_peer(Family::V6);
}

#[test]
fn bodies_of_ipv4_users_come_back_identical_from_a_peer_over_ipv6() {
    at_a_peer(Family::V4OverV6);
}

#[test]
fn bodies_of_ipv6_users_come_back_identical_from_a_peer_over_ipv4() {
    at_a_peer(Family::V6OverV4);
}

#[test]
fn bodies_of_users_of_both_families_come_back_identical_from_a_peer_over_ipv4() {
    at_a_peer(Family::Both);
}

#[test]
fn bodies_of_users_of_both_families_come_back_identical_from_a_peer_over_ipv6() {
    at_a_peer(Family::BothOverV6);
}

#[test]
fn bodies_come_back_identical_over_every_family_whatever_the_interfaces_offload() {
    for offloads in [Offloads::AsMade, Offloads::None] {
        for family in [Family::V6, Family::V4OverV6, Family::V6OverV4] {
            println!("{offloads:?}, {family:?}");
            let topology = Topology { nodes: 2, offloads, ..Topology::default() };
            every_size(&Site::within(family, 0.0, topology), 2, &[0, 1_000, 1_000_000]);
        }
    }
}

#[test]
fn bodies_survive_the_loss_of_packets_over_every_family() {
    for family in [Family::V6, Family::V4OverV6, Family::V6OverV4] {
        let site = Site::new(family, 0.0);
        let losses =
            [site.lab.users(1), site.lab.node(2)].map(|namespace| Loss::start(&namespace, 2).unwrap());
        let address = site.nodes[0].address();
        let here: usize = site.client(|| async move {
            let mut connections = tokio::task::JoinSet::new();
            for n in 0..100 {
                connections.spawn(echoes_or_here(address, Vec::leak(vec![n * 37, 1_000]), 2));
            }
            let here: usize = connections.join_all().await.into_iter().sum();
            here + echoes_or_here(address, &[5_000_000, 1], 2).await
        });
        let silent = site.nodes[0].metric("dfaas_peer_connections_total", &["outcome=\"silent\""]).unwrap();
        assert!(
            here as f64 <= 2.0 * silent,
            "{here} requests were served here, for {silent} silent connections"
        );
        for loss in &losses {
            assert!(loss.dropped().unwrap() >= 20, "packets are lost over {family:?}");
        }
    }
}
