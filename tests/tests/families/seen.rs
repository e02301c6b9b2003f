//! What gateways see of users and peers.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use dfaas_tests::Family;
use dfaas_tests::http::Connection;
use dfaas_tests::invocation::call;
use dfaas_tests::settings::{DATA_PORT, INVOCATION_PORT};

use crate::site::Site;

/// The client as the gateway sees it, and as it is.
async fn seen(address: SocketAddr) -> (SocketAddr, SocketAddr) {
    let mut connection = Connection::open(address).await.unwrap();
    let answer = connection.exchange(call("whoami", Bytes::new())).await.unwrap();
    let seen: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    (seen["peer"].as_str().unwrap().parse().unwrap(), connection.local())
}

#[test]
fn the_local_gateway_sees_the_users_own_address_over_both_families() {
    let site = Site::new(Family::Both, 100.0);
    for address in site.nodes[0].addresses() {
        let (seen, client) = site.client(|| seen(address));
        assert_eq!(seen, client);
        assert_eq!(seen.is_ipv6(), address.is_ipv6());
    }
    assert_eq!(site.bound_to("local"), 2.0, "steered, not passed by");
}

#[test]
fn a_peers_gateway_sees_the_node_that_sends_at_its_address_between_nodes() {
    for family in Family::ALL {
        let site = Site::new(family, 0.0);
        for address in site.nodes[0].addresses() {
            let (seen, _) = site.client(|| seen(address));
            assert_eq!(seen.ip(), family.peer_address(1), "{family:?}, called at {address}");
            assert!((20_000..30_000).contains(&seen.port()), "{seen}");
        }
    }
}

#[test]
fn the_data_port_resets_strangers_over_both_families() {
    let site = Site::new(Family::BothOverV6, 0.0);
    let addresses: [IpAddr; 4] = [
        dfaas_tests::peer_address(1).into(),
        dfaas_tests::peer_address6(1).into(),
        dfaas_tests::node_address(1).into(),
        dfaas_tests::node_address6(1).into(),
    ];
    for address in addresses {
        let connect = || tokio::net::TcpStream::connect(SocketAddr::new(address, DATA_PORT));
        let error = site.client(connect).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused, "{address}");
    }
    let strangers = site.nodes[0].metric("dfaas_drops_total", &["reason=\"stranger\""]).unwrap();
    assert_eq!(strangers, 4.0, "the counter tells who refused");
}

#[test]
fn an_ipv6_source_that_is_no_user_reaches_the_gateway_as_if_there_were_no_program() {
    let site = Site::new(Family::Both, 0.0);
    let agent = dfaas_tests::settings::Agent {
        family: Family::Both,
        static_local: 0.0,
        peers: vec![dfaas_tests::settings::StaticPeer::node(2, 1.0)],
        overrides: toml::toml! { [dataplane]
        users = ["0.0.0.0/0"] },
        ..Default::default()
    };
    let mut site = site;
    site.nodes[0].stop_agent().unwrap();
    site.nodes[0].configure_agent(&site.lab, &agent).unwrap();
    site.nodes[0].start_agent().unwrap();
    let [by_v4, by_v6] = site.nodes[0].addresses()[..] else { panic!("two addresses") };
    assert_eq!(by_v6.port(), INVOCATION_PORT);
    site.client(|| async move {
        crate::site::echoes(by_v4, &[1_000], 2).await;
        crate::site::echoes(by_v6, &[1_000, 100_000], 1).await;
    });
    assert_eq!((site.bound_to("node-2"), site.bound_to("local")), (1.0, 0.0));
}
