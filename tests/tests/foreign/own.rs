//! The node's own gateway at an address of its own: nobody listens where users call.

use std::time::Duration;

use dfaas_tests::{Family, http};

use crate::site::{CLUSTER, Plan, Site, by};

#[test]
fn an_own_gateway_in_a_container_serves_everything_that_users_call_at_the_node() {
    for (family, cluster_v6) in
        [(Family::V4, false), (Family::V6, true), (Family::Both, false), (Family::Both, true)]
    {
        println!("{family:?}, at an IPv6 address: {cluster_v6}");
        let site = Site::new(&Plan { family, cluster_v6, only: true, ..Plan::default() });
        for address in site.nodes[0].addresses() {
            for size in [0, 1, 1_000, 100_000, 5_000_000] {
                assert_eq!(site.invoke(1, address, "pay", size), by(CLUSTER), "{size} bytes at {address}");
            }
            let (status, node, _) = site.invoke(1, address, "nobody", 10);
            assert_eq!((status, node.as_str()), (404, CLUSTER));
            // What is no invocation goes there too.
            let health = http::get(&site.lab.users(1), address, "/healthz", Duration::from_secs(5)).unwrap();
            assert_eq!(health.status(), 200);
        }
        let listening = site.lab.node(1).output("ss", &["-ltnH", "sport = :8080"], "").unwrap();
        assert_eq!(listening, "", "nobody listens on the node itself");
    }
}

#[test]
fn an_own_gateway_that_is_away_is_answered_for_by_the_node_and_serves_again_when_it_is_back() {
    let mut site = Site::new(&Plan { only: true, ..Plan::default() });
    assert_eq!(site.call("pay", 1_000), by(CLUSTER));
    site.stop_cluster();
    assert_eq!(site.call("pay", 1_000).0, 503, "refused at once");
    site.wait_healthy("gateway", false);
    assert_eq!(site.call("pay", 1_000).0, 503);
    site.start_cluster();
    site.wait_healthy("gateway", true);
    assert_eq!(site.call("pay", 1_000), by(CLUSTER));
}
