//! What peers send for functions of a gateway at an address of its own.

use dfaas_tests::Family;

use crate::site::{CLUSTER, Plan, Site, by};

/// Has node 2 send everything to node 1.
fn all_from_the_peer(site: &mut Site) {
    let agent = dfaas_tests::settings::Agent {
        family: site.family,
        static_local: 0.0,
        peers: vec![dfaas_tests::settings::StaticPeer::node_over(site.family, 1, 1.0)],
        ..Default::default()
    };
    site.nodes[1].stop_agent().unwrap();
    site.nodes[1].configure_agent(&site.lab, &agent).unwrap();
    site.nodes[1].start_agent().unwrap();
}

#[test]
fn what_a_peer_sends_is_served_by_the_gateway_that_has_the_function() {
    for (family, cluster_v6) in [(Family::V4, false), (Family::V6, true), (Family::V4OverV6, false)] {
        println!("{family:?}, at an IPv6 address: {cluster_v6}");
        // Node 2 sends what it has itself.
        let peer = Some((vec!["pay", "home"], 100.0));
        let mut site = Site::new(&Plan { family, cluster_v6, peer, ..Plan::default() });
        all_from_the_peer(&mut site);
        let address = site.nodes[1].address();
        for size in [0, 1, 1_000, 100_000, 1_000_000] {
            assert_eq!(site.invoke(2, address, "pay", size), by(CLUSTER), "{size} bytes");
            assert_eq!(site.invoke(2, address, "home", size), by("node-1"), "{size} bytes");
        }
    }
}

#[test]
fn what_a_peer_sends_over_ipv4_fits_the_way_to_a_gateway_at_an_ipv6_address() {
    let peer = Some((vec!["pay"], 100.0));
    let mut site = Site::new(&Plan { cluster_v6: true, peer, ..Plan::default() });
    all_from_the_peer(&mut site);
    for size in [0, 1, 1_000, 1_440, 100_000, 1_000_000] {
        assert_eq!(site.invoke(2, site.nodes[1].address(), "pay", size), by(CLUSTER), "{size} bytes");
    }
}

#[test]
fn what_a_peer_sends_is_served_by_an_own_gateway_in_a_container() {
    let mut site = Site::new(&Plan { only: true, peer: Some((vec!["pay"], 100.0)), ..Plan::default() });
    all_from_the_peer(&mut site);
    for size in [0, 1, 1_000, 1_000_000] {
        assert_eq!(site.invoke(2, site.nodes[1].address(), "pay", size), by(CLUSTER), "{size} bytes");
    }
}
