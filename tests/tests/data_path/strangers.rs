//! Who may not use the data port, and who is not steered.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use dfaas_tests::http::Connection;
use dfaas_tests::invocation::{body, call};
use dfaas_tests::settings::DATA_PORT;
use dfaas_tests::{Topology, node_address, peer_address, user_address};
use tokio::net::{TcpSocket, TcpStream};

use crate::site::{Plan, Site, check_echo};

#[test]
fn the_data_port_resets_users_and_goes_on_serving_peers() {
    let site = Site::new(&Plan::all_to_a_peer());
    let node_2 = site.lab.users(2);
    for (users, address) in [
        (site.lab.users(1), IpAddr::from(node_address(1))),
        (site.lab.users(1), peer_address(1).into()),
        (node_2.clone(), node_address(2).into()),
        (node_2, peer_address(2).into()),
    ] {
        let connect = || async move {
            let connect = TcpStream::connect(SocketAddr::new(address, DATA_PORT));
            tokio::time::timeout(std::time::Duration::from_secs(5), connect).await
        };
        let error = users.block_on(connect).unwrap().expect("a reset, not silence").unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused, "{address}");
    }
    for node in [1, 2] {
        // Nobody listens there, so the host would refuse as well: the counter tells who did.
        site.wait_for_metric(node, "dfaas_drops_total", &["reason=\"stranger\""], 2.0);
    }
    site.client(|| async {
        let sent = body(1_000);
        let answer = site.connect().await.exchange(call("echo", sent.clone())).await.unwrap();
        check_echo(&answer, &sent, 2);
    });
}

#[test]
fn a_source_that_is_no_user_reaches_the_gateway_as_if_there_were_no_program() {
    let plan = Plan::all_to_a_peer();
    let overrides = toml::toml! { [dataplane]
    users = ["10.77.1.10/32"] };
    let site = Site::new(&Plan { topology: Topology { users: 2, ..plan.topology }, overrides, ..plan });
    let address = site.nodes[0].address();
    let from = |user: u8| async move {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((user_address(1, user), 0).into()).unwrap();
        Connection::on(socket.connect(address).await.unwrap()).await.unwrap()
    };
    site.client(|| async {
        for (user, node) in [(0, 2), (1, 1)] {
            let sent = body(100_000);
            let answer = from(user).await.exchange(call("echo", sent.clone())).await.unwrap();
            check_echo(&answer, &sent, node);
        }
        let answer = from(1).await.exchange(call("whoami", Bytes::new())).await.unwrap();
        assert!(answer.body().windows(10).any(|seen| seen == b"10.77.1.11"), "{answer:?}");
    });
    assert_eq!((site.bound_to("node-2"), site.bound_to("local"), site.bound_to("reject")), (1.0, 0.0, 0.0));
}
