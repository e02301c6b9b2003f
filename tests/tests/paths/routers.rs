//! Routers between the nodes, and between users and their node: what they say reaches whoever has sent the packet.

use dfaas_tests::settings::node_name;
use dfaas_tests::{Family, Lab, Namespace, Offloads};

use crate::site::{Plan, Site, connect, echo, echoes, forwards, ip, sysctl};

/// Bytes of the largest packet on the link behind the router.
const MTU: u32 = 1300;

/// The families of users and of the network between nodes, in every combination.
const FAMILIES: [Family; 4] = [Family::V4, Family::V6, Family::V4OverV6, Family::V6OverV4];

/// Makes the switch between the nodes a router, behind which node 2 has a link of its own.
fn between(lab: &Lab) {
    let (switch, first, second) = (lab.switch(), lab.node(1), lab.node(2));
    for words in [
        "link set dev node2 nomaster",
        &format!("link set dev node2 mtu {MTU}"),
        "address add 10.77.0.254/24 dev bridge0",
        "address add 10.79.0.254/24 dev node2",
        "-6 address add fd77::254/64 dev bridge0 nodad",
        "-6 address add fd79::254/64 dev node2 nodad",
        "route add 10.77.0.2/32 dev node2",
        "-6 route add fd77::2/128 dev node2",
    ] {
        ip(&switch, words);
    }
    forwards(&switch);
    for words in [
        &format!("link set dev peers0 mtu {MTU}"),
        "address del 10.77.0.2/24 dev peers0",
        "address add 10.77.0.2/32 dev peers0",
        "-6 address del fd77::2/64 dev peers0",
        "-6 address add fd77::2/128 dev peers0 nodad",
        "route add 10.79.0.254/32 dev peers0",
        "route add 10.77.0.0/24 via 10.79.0.254 src 10.77.0.2",
        "-6 route add fd79::254/128 dev peers0",
        "-6 route add fd77::/64 via fd79::254 src fd77::2",
    ] {
        ip(&second, words);
    }
    ip(&first, "route add 10.77.0.2/32 via 10.77.0.254");
    ip(&first, "-6 route add fd77::2/128 via fd77::254");
}

#[test]
fn users_hear_of_a_smaller_link_behind_a_router_between_the_nodes() {
    for offloads in [Offloads::WithGro, Offloads::None] {
        for family in FAMILIES {
            println!("{offloads:?}, {family:?}");
            let site = Site::new(&Plan { offloads, ..Plan::away(family) }, between);
            let address = site.nodes[0].address();
            let users = site.lab.users(1);
            site.client(&users, || echoes(address, &[1, 100_000, 1_000_000, 1], 2));
            let happened = site.happened(1);
            assert!(happened.get("icmp_translated").is_some_and(|&count| count >= 1), "{happened:?}");
            // The agent has heard of it too: who comes now is told at once.
            std::thread::sleep(std::time::Duration::from_millis(2500));
            site.client(&users, || echoes(address, &[1, 100_000, 1_000_000], 2));
        }
    }
}

/// Puts a router beside node 1 and a user behind it, who takes larger segments than fit the link to it.
fn before_the_user(lab: &Lab) -> Namespace {
    let (node, router, user) = (lab.node(1), lab.users(1), lab.add_container(1).unwrap());
    ip(&router, &format!("link add name far0 mtu {MTU} type veth peer name near0 netns {}", user.name()));
    ip(&user, &format!("link set dev near0 mtu {MTU} up"));
    for (namespace, words) in [
        (&router, "link set dev far0 up"),
        (&router, "address add 10.80.1.1/24 dev far0"),
        (&router, "-6 address add fd80::1/64 dev far0 nodad"),
        (&user, "address add 10.80.1.2/24 dev near0"),
        (&user, "-6 address add fd80::2/64 dev near0 nodad"),
        (&user, "route replace default via 10.80.1.1 src 10.80.1.2 advmss 1460"),
        (&user, "-6 route replace default via fd80::1 src fd80::2 advmss 1440"),
        (&node, "route add 10.80.1.0/24 via 10.77.1.10"),
        (&node, "-6 route add fd80::/64 via fd77:1::10"),
    ] {
        ip(namespace, words);
    }
    forwards(&router);
    user
}

#[test]
fn backends_hear_of_a_smaller_link_on_the_way_to_the_user() {
    for (local, by) in [(100.0, 1), (0.0, 2)] {
        for family in FAMILIES {
            println!("node {by}, {family:?}");
            let mut user = None;
            let plan = Plan::away(family).local(local);
            let site = Site::new(&plan, |lab| user = Some(before_the_user(lab)));
            let address = site.nodes[0].address();
            site.client(user.as_ref().unwrap(), || echoes(address, &[1, 100_000, 1_000_000], by));
            let happened = site.happened(1);
            assert!(happened.get("icmp_translated").is_some_and(|&count| count >= 1), "{happened:?}");
            if by == 2 {
                assert!(site.happened(2).contains_key("icmp_translated"), "to the gateway of node 2");
            }
        }
    }
}

#[test]
fn a_peer_that_a_router_has_no_route_to_is_passed_over_and_users_notice_nothing() {
    for family in FAMILIES {
        println!("{family:?}");
        let site = Site::new(&Plan::away(family), between);
        let switch = site.lab.switch();
        ip(&switch, "route replace unreachable 10.77.0.2/32");
        ip(&switch, "-6 route del fd77::2/128 dev node2");
        ip(&switch, "-6 route add unreachable fd77::2/128");
        // By default it says so once a second.
        sysctl(&switch, "ipv4/icmp_ratelimit", "0");
        sysctl(&switch, "ipv6/icmp/ratelimit", "0");
        let address = site.nodes[0].address();
        let users = site.lab.users(1);
        site.client(&users, || async move {
            for _ in 0..3 {
                let mut connection = connect(address).await;
                assert_eq!(echo(&mut connection, 1_000).await, node_name(1));
            }
        });
        let happened = site.happened(1);
        assert!(happened.get("icmp_refused").is_some_and(|&count| count >= 1), "{happened:?}");
        assert!(!happened.contains_key("silent"), "{happened:?}");
    }
}
