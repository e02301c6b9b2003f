//! Ways that become narrower while connections are open: the node itself tells their clients.

use std::time::Duration;

use dfaas_tests::{Family, Lab, Offloads};

use crate::site::{Plan, Site, connect, echo, echoes, ip};

const MTU: u32 = 1300;

#[test]
fn open_connections_go_on_over_a_way_that_has_become_narrower() {
    for offloads in [Offloads::WithGro, Offloads::AsMade, Offloads::None] {
        for family in [Family::V4, Family::V6, Family::V4OverV6, Family::V6OverV4] {
            println!("{offloads:?}, {family:?}");
            let site = Site::new(&Plan { offloads, ..Plan::away(family) }, |_| ());
            let address = site.nodes[0].address();
            let lab = &site.lab;
            let narrow = || {
                for index in 1..=2 {
                    ip(&lab.node(index), &format!("link set dev peers0 mtu {MTU}"));
                    ip(&lab.switch(), &format!("link set dev node{index} mtu {MTU}"));
                }
            };
            site.client(&lab.users(1), || async move {
                let mut connection = connect(address).await;
                assert_eq!(echo(&mut connection, 100_000).await, "node-2");
                // Clients must not wait for `ip`, nor this thread leave their namespace.
                std::thread::scope(|scope| scope.spawn(narrow).join().unwrap());
                // The agents follow within a second or two.
                tokio::time::sleep(Duration::from_millis(2500)).await;
                assert_eq!(echo(&mut connection, 1_000_000).await, "node-2");
                assert_eq!(echo(&mut connection, 1).await, "node-2");
            });
            let happened = site.happened(1);
            assert!(happened.get("too_big_answered").is_some_and(|&count| count >= 1), "{happened:?}");
        }
    }
}

#[test]
fn answers_fit_an_interface_towards_users_that_takes_less_than_they_do() {
    for offloads in [Offloads::WithGro, Offloads::None] {
        for family in [Family::V4, Family::V6, Family::V4OverV6, Family::V6OverV4] {
            println!("{offloads:?}, {family:?}");
            let plan = Plan { offloads, ..Plan::away(family) };
            let narrow = |lab: &Lab| ip(&lab.node(1), &format!("link set dev users0 mtu {MTU}"));
            let site = Site::new(&plan, narrow);
            let address = site.nodes[0].address();
            site.client(&site.lab.users(1), || echoes(address, &[1, 100_000, 1_000_000], 2));
        }
    }
}
