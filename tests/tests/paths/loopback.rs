//! Users on the node itself: their packets come in at `lo`.

use std::net::SocketAddr;

use dfaas_tests::settings::INVOCATION_PORT;
use dfaas_tests::{Family, node_address, node_address6};

use crate::site::{Plan, Site, connect, echo, echoes};

const SIZES: [usize; 6] = [0, 1, 1_000, 100_000, 5_000_000, 1];

/// Where a user on node 1 calls it.
fn addresses() -> [SocketAddr; 4] {
    let at = |ip: std::net::IpAddr| SocketAddr::new(ip, INVOCATION_PORT);
    [
        at([127, 0, 0, 1].into()),
        at(std::net::Ipv6Addr::LOCALHOST.into()),
        at(node_address(1).into()),
        at(node_address6(1).into()),
    ]
}

fn site(family: Family, local: f64) -> Site {
    let mut plan = Plan::away(family).local(local);
    let listen: Vec<_> = addresses().iter().map(|address| toml::Value::from(address.to_string())).collect();
    let mut dataplane = toml::toml! { interfaces = ["lo", "users0", "peers0"] };
    dataplane.insert("listen".to_owned(), listen.clone().into());
    plan.agent.insert("dataplane".to_owned(), dataplane.into());
    plan.gateway.insert("listen".to_owned(), listen.into());
    Site::new(&plan, |_| ())
}

#[test]
fn users_on_the_node_are_served_by_it() {
    let site = site(Family::Both, 100.0);
    for address in addresses() {
        println!("{address}");
        site.client(&site.lab.node(1), || echoes(address, &SIZES, 1));
    }
    assert_eq!(site.bound_to("local"), (SIZES.len() * addresses().len()) as f64, "steered, not passed by");
}

#[test]
fn users_on_the_node_are_served_by_a_peer() {
    for family in [Family::Both, Family::BothOverV6] {
        let site = site(family, 0.0);
        for address in addresses() {
            println!("{family:?}, {address}");
            site.client(&site.lab.node(1), || echoes(address, &SIZES, 2));
        }
    }
}

#[test]
fn connections_of_users_on_the_node_move_between_it_and_a_peer() {
    for family in [Family::Both, Family::BothOverV6] {
        let site = site(family, 50.0);
        for address in addresses() {
            println!("{family:?}, {address}");
            let by = site.client(&site.lab.node(1), || async move {
                let mut connection = connect(address).await;
                let mut by = Vec::new();
                for request in 0..20 {
                    by.push(echo(&mut connection, 300 * request).await);
                }
                by
            });
            for node in ["node-1", "node-2"] {
                assert!(by.iter().any(|name| name == node), "{by:?}");
            }
        }
        let happened = site.happened(1);
        assert!(happened.contains_key("moved_local") && happened.contains_key("moved_peer"), "{happened:?}");
    }
}
