//! Networks between the nodes that carry less than those of users: what clients are told fits both.

use dfaas_tests::{Family, Lab, Offloads, Topology};

use crate::site::{Site, echoes};

/// Bytes of the largest packet between the nodes.
const MTU: u32 = 1300;

fn narrow(lab: &Lab) {
    let set = |interface: &str| {
        let name = interface.to_owned();
        move || {
            let mtu = MTU.to_string();
            let status =
                std::process::Command::new("ip").args(["link", "set", "dev", &name, "mtu", &mtu]).status();
            assert!(status.unwrap().success(), "{name}");
        }
    };
    for index in 1..=2 {
        lab.node(index).run(set("peers0")).unwrap();
        lab.switch().run(set(&format!("node{index}"))).unwrap();
    }
}

#[test]
fn bodies_to_a_peer_behind_a_narrower_network_come_back_identical() {
    for offloads in [Offloads::WithGro, Offloads::None] {
        for family in [Family::V4, Family::V6, Family::V4OverV6, Family::V6OverV4] {
            println!("{offloads:?}, {family:?}");
            let topology = Topology { nodes: 2, offloads, ..Topology::default() };
            let site = Site::within(family, 0.0, topology);
            narrow(&site.lab);
            // The agents follow within a second or two.
            std::thread::sleep(std::time::Duration::from_millis(2500));
            let address = site.nodes[0].address();
            for size in [1, 1_400, 100_000, 1_000_000] {
                site.client(|| async move { echoes(address, &[size], 2).await });
            }
            assert_eq!(site.bound_to("node-2"), 4.0);
        }
    }
}
