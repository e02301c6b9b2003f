//! What the gateway sees of users, and what the node in the middle does not see of forwarded connections.

use std::time::Duration;

use bytes::Bytes;
use dfaas_tests::invocation::{call, served_by};
use dfaas_tests::user_address;
use tokio::task::JoinSet;

use crate::site::{Plan, SLEEP_MS, Site};

/// TCP sockets in node 1's namespace, as `ss -tan` lists them.
fn sockets(site: &Site) -> String {
    site.lab.node(1).output("ss", &["-tan"], "").unwrap()
}

/// Keeps 20 connections busy and returns what node 1's namespace lists meanwhile, for two thirds of the time.
fn sockets_while_serving(site: &Site, node: &str, backend: &str) -> Vec<String> {
    let connects: Vec<_> = (0..20).map(|_| site.connect()).collect();
    let node = node.to_owned();
    let calls = move || async move {
        let mut calls = JoinSet::new();
        for connect in connects {
            let node = node.clone();
            calls.spawn(async move {
                let answer = connect.await.exchange(call("sleep", Bytes::new())).await.unwrap();
                assert_eq!((answer.status().as_u16(), served_by(&answer)), (200, node.as_str()));
            });
        }
        calls.join_all().await;
    };
    let clients = site.lab.users(1).spawn_async(calls).unwrap();
    site.wait_for_metric(
        1,
        "dfaas_inflight",
        &[&format!("backend=\"{backend}\""), "function=\"sleep\""],
        20.0,
    );
    let listings = (0..4).map(|_| {
        std::thread::sleep(Duration::from_millis(SLEEP_MS / 6));
        assert!(!clients.is_finished(), "the connections must be open while sockets are listed");
        sockets(site)
    });
    let listings = listings.collect();
    clients.join().unwrap().unwrap();
    listings
}

#[test]
fn the_local_gateway_sees_the_users_own_address_and_port() {
    let site = Site::new(&Plan::alone());
    site.client(|| async {
        for _ in 0..10 {
            let mut connection = site.connect().await;
            let answer = connection.exchange(call("whoami", Bytes::new())).await.unwrap();
            let seen: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
            assert_eq!(seen["peer"], connection.local().to_string());
        }
    });
    assert_eq!(site.bound_to("local"), 10.0, "steered, not passed by");
}

#[test]
fn forwarded_connections_have_no_socket_on_the_node_that_forwards_them() {
    let site = Site::new(&Plan::all_to_a_peer());
    let user = user_address(1, 0).to_string();
    for listing in sockets_while_serving(&site, "node-2", "node-2") {
        assert!(listing.contains("LISTEN") && listing.contains("10.77.1.1:8080"), "{listing}");
        assert!(!listing.contains(&user), "a socket of the user: {listing}");
        assert!(!listing.contains("10.77.0."), "a socket to the peer: {listing}");
    }
}

#[test]
fn local_connections_have_the_user_at_their_other_end() {
    let site = Site::new(&Plan::alone());
    let user = user_address(1, 0).to_string();
    for listing in sockets_while_serving(&site, "node-1", "local") {
        let theirs = listing.lines().filter(|line| line.starts_with("ESTAB") && line.contains(&user));
        assert_eq!(theirs.count(), 20, "{listing}");
    }
}
