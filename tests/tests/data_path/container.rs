//! A gateway in a container behind the node: destination NAT and connection tracking after the kernel programs.

use std::net::SocketAddrV4;
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use dfaas_tests::invocation::call;
use dfaas_tests::settings::{Agent, INVOCATION_PORT, StaticPeer};
use dfaas_tests::{Process, container_address, dfaas_binary, firewall, http, node_address};

use crate::site::{Plan, Site, echoes};

/// Node 1's gateway runs in a container; the port that users call is published to it.
fn with_container(plan: Plan) -> (Process, Site) {
    let address = SocketAddrV4::new(container_address(1), INVOCATION_PORT);
    let overrides = toml::toml! { [gateway]
    url = "http://10.78.1.2:8080" };
    let mut site = Site::prepared(&Plan { overrides, ..plan });
    let container = site.lab.add_container(1).unwrap();
    let published = SocketAddrV4::new(node_address(1), INVOCATION_PORT);
    firewall::publish(&site.lab.node(1), published, (*address.ip(), address.port())).unwrap();

    let file = site.lab.folder().join("container.toml");
    let text = "name = 'node-1'\nlisten = ['10.78.1.2:8080']\n[functions.echo]\nkind = 'echo'\n\
                [functions.whoami]\nkind = 'whoami'\n";
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(dfaas_binary().unwrap());
    command.arg("gateway").arg("--config").arg(&file);
    let log = site.lab.folder().join("container.log");
    let gateway = Process::spawn("gateway in the container", &container, command, &log).unwrap();
    while http::get(&container, address.into(), "/healthz", Duration::from_secs(1)).is_err() {
        std::thread::sleep(Duration::from_millis(20));
    }
    for node in &mut site.nodes[1..] {
        node.start_gateway().unwrap();
    }
    site.start_agents();
    (gateway, site)
}

#[test]
fn a_gateway_in_a_container_serves_users_and_sees_their_addresses() {
    let (_gateway, site) = with_container(Plan::alone());
    site.client(|| async {
        let mut connection = site.connect().await;
        echoes(&mut connection, &[0, 1, 1_000, 100_000, 5_000_000, 1], 1).await;
        for _ in 0..20 {
            let mut connection = site.connect().await;
            let answer = connection.exchange(call("whoami", Bytes::new())).await.unwrap();
            let seen: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
            assert_eq!(seen["peer"], connection.local().to_string());
        }
    });
    assert_eq!(site.bound_to("local"), 26.0, "steered, not passed by");
}

#[test]
fn a_gateway_in_a_container_serves_what_peers_send() {
    let (_gateway, mut site) =
        with_container(Plan { shares: vec![1.0], local: 100.0, ..Plan::all_to_a_peer() });
    // Node 2 sends all to node 1, not the other way round.
    let agent = Agent { static_local: 0.0, peers: vec![StaticPeer::node(1, 1.0)], ..Agent::default() };
    site.nodes[1].stop_agent().unwrap();
    site.nodes[1].configure_agent(&site.lab, &agent).unwrap();
    site.nodes[1].start_agent().unwrap();

    let address = site.nodes[1].address();
    let client = || async move {
        let mut connection = http::Connection::open(address).await.unwrap();
        echoes(&mut connection, &[0, 1, 1_000, 100_000, 5_000_000, 1], 1).await;
    };
    site.lab.users(2).block_on(client).unwrap();
    let labels = ["function=\"echo\"", "origin=\"peer\"", "backend=\"local\""];
    assert_eq!(site.nodes[0].metric("dfaas_invocations_total", &labels).unwrap(), 6.0);
}
