//! What the agent's data plane writes for the kernel programs, read back from the pinned maps: gateways and the homes of
//! functions, segment sizes, settings.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use aya::Pod;
use aya::maps::{Array, HashMap, Map, MapData};
use dfaas_common::address::{Endpoint, unmapped};
use dfaas_common::config::{Config, Peer as Entry, place, setting};
use dfaas_common::{ABI_VERSION, MAX_PEERS};
use dfaas_userspace::dataplane::{
    DataPlane as _, Function, Gateway, Kernel, Mode, OWN_GATEWAY, Peer, Settings, open_kernel, unload,
};
use nix::sched::{CloneFlags, unshare};

/// Backend number of the first gateway that is named.
const FIRST: u32 = MAX_PEERS + 1;

/// The pins, which go with the test.
struct Pin(PathBuf);

impl Drop for Pin {
    fn drop(&mut self) {
        let _ = unload(&self.0);
    }
}

struct Node {
    kernel: Kernel,
    settings: Settings,
    pin: Pin,
}

fn ip(words: &str) {
    let status = Command::new("ip").args(words.split(' ')).status();
    assert!(status.expect("`ip`: `cargo xtask setup` installs it").success(), "ip {words}");
}

impl Node {
    /// In a network of its own: `users0` with MTU 1500 and `peers0` with 1400, both families.
    fn run(name: &str, test: impl FnOnce(Self) + Send) {
        let thread = || {
            unshare(CloneFlags::CLONE_NEWNET).expect("a network of its own: tests need root");
            for words in [
                "link set dev lo up",
                "link add name users0 type veth peer name users1",
                "link add name peers0 mtu 1400 type veth peer name peers1",
                "address add 10.9.0.1/24 dev users0",
                "address add 10.9.1.1/24 dev peers0",
                "address add fd09:1::1/64 dev peers0 nodad",
                "link set dev users0 up",
                "link set dev users1 up",
                "link set dev peers0 up",
                "link set dev peers1 up",
            ] {
                ip(words);
            }
            let pin = Pin(PathBuf::from(format!("/sys/fs/bpf/dfaas-written-{}-{name}", std::process::id())));
            let settings = Settings {
                interfaces: vec!["users0".to_owned(), "peers0".to_owned()],
                listen: vec!["10.9.0.1:8080".parse().unwrap()],
                users: Vec::new(),
                data_port: 31601,
                data_address: None,
                gateway: None,
                mode: Mode::Auto,
                snat_ports: 20_000..=20_099,
                pin: pin.0.clone(),
                max_flows: 256,
                forwarded_for: true,
                packet_log: false,
            };
            let kernel = open_kernel(&settings).unwrap_or_else(|e| panic!("the agent's data plane: {e}"));
            test(Self { kernel, settings, pin });
        };
        let ended = std::thread::scope(|scope| scope.spawn(thread).join());
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    }

    /// Another agent takes it over.
    fn restart(self) -> Self {
        let Self { kernel, settings, pin } = self;
        drop(kernel);
        let kernel = open_kernel(&settings).unwrap();
        Self { kernel, settings, pin }
    }

    fn map(&self, name: &str) -> MapData {
        MapData::from_pin(folder(&self.pin.0).join(name)).expect("a pinned map")
    }

    fn array<T: Pod>(&self, name: &str, index: u32) -> T {
        Array::<_, T>::try_from(Map::Array(self.map(name))).unwrap().get(&index, 0).unwrap()
    }

    fn entry(&self, number: u32) -> Entry {
        self.array("PEERS", number)
    }

    /// Backend number of the gateway that serves each of these names; an empty one is what no function has.
    fn homes<const N: usize>(&self, names: [&str; N]) -> [u32; N] {
        let numbers: HashMap<_, [u8; 64], u32> = Map::HashMap(self.map("NAMES")).try_into().unwrap();
        names.map(|name| {
            let key = dfaas_common::plan::name_key(name);
            let number = key.map_or(0, |key| numbers.get(&key, 0).expect("a known name"));
            self.array("HOMES", number)
        })
    }

    fn config(&self) -> Config {
        self.array("CONFIG", 0)
    }

    fn gateways(&mut self, gateways: &[(&str, &str, bool)]) {
        let gateways: Vec<Gateway> = gateways
            .iter()
            .map(|(name, at, healthy)| Gateway {
                name: (*name).to_owned(),
                address: at.parse().unwrap(),
                healthy: *healthy,
            })
            .collect();
        self.kernel.set_gateways(&gateways).unwrap();
    }

    fn functions(&mut self, functions: &[(&str, Option<&str>)]) {
        let functions: Vec<Function> = functions
            .iter()
            .map(|(name, gateway)| Function {
                name: (*name).to_owned(),
                spellings: vec![(*name).to_owned()],
                gateway: gateway.map(str::to_owned),
            })
            .collect();
        self.kernel.set_functions(&functions).unwrap();
    }

    fn peers(&mut self, peers: &[(&str, &str)]) {
        let peers: Vec<Peer> = peers
            .iter()
            .map(|(name, address)| Peer {
                name: (*name).to_owned(),
                address: address.parse().unwrap(),
                data_port: 31601,
                admission: None,
            })
            .collect();
        self.kernel.set_peers(&peers).unwrap();
    }

    fn problems(&self) -> Vec<String> {
        self.kernel.snapshot().unwrap().problems
    }
}

fn folder(pin: &Path) -> PathBuf {
    pin.join(format!("v{ABI_VERSION}"))
}

#[test]
fn functions_lead_to_their_gateways_and_gateways_keep_their_numbers() {
    Node::run("homes", |mut node| {
        node.gateways(&[("b", "10.9.1.2:8080", true), ("c", "[fd09:1::2]:31112", true)]);
        node.functions(&[("figlet", None), ("env", Some("b")), ("pay", Some("c"))]);
        assert_eq!(node.homes(["", "figlet", "env", "pay"]), [0, 0, FIRST, FIRST + 1]);
        let (b, c) = (node.entry(FIRST), node.entry(FIRST + 1));
        assert_eq!(unmapped(&b.address).map(u32::to_ne_bytes), Some([10, 9, 1, 2]));
        assert_eq!(unmapped(&b.source).map(u32::to_ne_bytes), Some([10, 9, 1, 1]));
        assert_eq!((b.port, b.usable, b.segment_size), (8080u16.to_be(), 1, 1360));
        assert_eq!((c.port, c.usable, c.segment_size), (31112u16.to_be(), 1, 1340));
        assert_eq!((b.interface, unmapped(&c.address)), (c.interface, None));

        // A restarted agent that knows them in another order.
        node = node.restart();
        assert_eq!(node.homes(["env", "pay"]), [FIRST, FIRST + 1], "in force while no agent is there");
        node.gateways(&[("c", "[fd09:1::2]:31112", true), ("b", "10.9.1.2:8080", true)]);
        node.functions(&[("figlet", Some("c")), ("env", Some("b")), ("pay", Some("c"))]);
        assert_eq!(node.homes(["", "figlet", "env", "pay"]), [0, FIRST + 1, FIRST, FIRST + 1]);

        // A gateway that is gone leaves nothing that points to it.
        node.gateways(&[("c", "[fd09:1::2]:31112", true)]);
        assert_eq!(node.homes(["figlet", "env"]), [FIRST + 1, 0]);
        assert_eq!(node.entry(FIRST), Entry::default());
        assert_eq!(node.entry(FIRST + 1), c);
    });
}

#[test]
fn the_own_gateway_at_an_address_of_its_own_is_the_home_of_everything_that_has_no_other() {
    Node::run("own", |mut node| {
        node.functions(&[("figlet", None)]);
        node.gateways(&[(OWN_GATEWAY, "10.9.1.7:8080", true), ("b", "10.9.1.2:8080", true)]);
        assert_eq!(node.homes(["", "figlet"]), [FIRST, FIRST]);
        node.functions(&[("figlet", None), ("env", Some("b"))]);
        assert_eq!(node.homes(["", "figlet", "env"]), [FIRST, FIRST, FIRST + 1]);
        node.gateways(&[]);
        assert_eq!(node.homes(["", "figlet", "env"]), [0, 0, 0]);
    });
}

#[test]
fn a_gateway_without_health_or_route_is_not_usable_and_unknown_ones_are_refused() {
    Node::run("health", |mut node| {
        node.gateways(&[("b", "10.9.1.2:8080", false), ("c", "192.0.2.1:8080", true)]);
        node.functions(&[("env", Some("b"))]);
        assert_eq!((node.entry(FIRST).usable, node.entry(FIRST + 1).usable), (0, 0));
        assert_ne!(node.entry(FIRST).interface, 0, "it is known how it is reached");
        node.gateways(&[("b", "10.9.1.2:8080", true), ("c", "192.0.2.1:8080", true)]);
        assert_eq!((node.entry(FIRST).usable, node.homes(["env"])), (1, [FIRST]));
        assert_eq!(node.problems(), ["gateway c (192.0.2.1:8080): no route to 192.0.2.1"]);
        ip("route add 192.0.2.0/24 via 10.9.1.9");
        node.kernel.maintain().unwrap();
        assert_eq!((node.entry(FIRST + 1).usable, node.problems().len()), (1, 0));
        ip("route del 192.0.2.0/24");
        node.kernel.maintain().unwrap();
        assert_eq!(node.entry(FIRST + 1).usable, 0);

        let gateway = Some("nobody".to_owned());
        let function = Function { name: "f".to_owned(), spellings: vec!["f".to_owned()], gateway };
        let error = node.kernel.set_functions(&[function]).unwrap_err().to_string();
        assert!(error.contains("nobody is not a gateway"), "{error}");
    });
}

#[test]
fn peers_and_gateways_do_not_touch_each_others_entries() {
    Node::run("apart", |mut node| {
        node.gateways(&[("b", "10.9.1.2:8080", true)]);
        node.peers(&[("p", "10.9.1.3"), ("q", "fd09:1::4")]);
        let (peers, gateway) = ([node.entry(1), node.entry(2)], node.entry(FIRST));
        assert!(peers.iter().all(|peer| peer.usable == 1) && gateway.usable == 1);
        node.gateways(&[]);
        assert_eq!([node.entry(1), node.entry(2)], peers);
        node.gateways(&[("b", "10.9.1.2:8080", true)]);
        node.peers(&[]);
        assert_eq!((node.entry(1), node.entry(FIRST)), (Entry::default(), gateway));
        assert_eq!(node.kernel.earlier_peers().unwrap(), [""; 0], "a gateway is no peer");
    });
}

#[test]
fn clients_are_told_the_segments_that_fit_every_interface_and_path() {
    Node::run("segments", |mut node| {
        assert_eq!(node.config().segment_size, 1360, "peers0 has the smaller MTU");
        node.gateways(&[]);
        node.peers(&[("p", "10.9.1.3")]);
        assert_eq!(node.config().segment_size, 1360);
        node.peers(&[("p", "10.9.1.3"), ("q", "fd09:1::4")]);
        assert_eq!((node.config().segment_size, node.entry(2).segment_size), (1340, 1340));
        ip("route add 192.0.2.0/24 via 10.9.1.9 mtu 1000");
        node.peers(&[("p", "10.9.1.3"), ("far", "192.0.2.1")]);
        assert_eq!(node.config().segment_size, 960);

        node = node.restart();
        node.kernel.maintain().unwrap();
        assert_eq!(node.config().segment_size, 960, "the far peer of before may still be sent to");
        node.gateways(&[]);
        node.peers(&[("p", "10.9.1.3")]);
        assert_eq!(node.config().segment_size, 1360);
        ip("link set dev peers0 mtu 1500");
        node.kernel.maintain().unwrap();
        assert_eq!((node.config().segment_size, node.entry(1).segment_size), (1460, 1460));
        assert_eq!(node.config().settings, setting::FORWARDED_FOR);
    });
}

#[test]
fn peers_behind_an_interface_that_is_not_watched_are_told() {
    Node::run("unseen", |mut node| {
        for words in [
            "link add name other0 type veth peer name other1",
            "address add 10.9.5.1/24 dev other0",
            "link set dev other0 up",
        ] {
            ip(words);
        }
        node.gateways(&[("b", "10.9.5.2:8080", true)]);
        node.peers(&[("p", "10.9.5.3"), ("q", "10.9.1.3")]);
        let problems = node.problems();
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].starts_with("peer p is reached through other0, which is not in"), "{problems:?}");
        assert!(
            problems[1].starts_with("gateway b (10.9.5.2:8080) is reached through other0"),
            "{problems:?}"
        );
    });
}

#[test]
fn the_data_port_is_at_every_address_of_the_interfaces_and_follows_those_that_come_and_go() {
    Node::run("places", |mut node| {
        let places = |node: &Node| {
            let map: HashMap<_, Endpoint, u32> = Map::HashMap(node.map("PLACES")).try_into().unwrap();
            let data = map.iter().map(Result::unwrap).filter(|(_, role)| *role == place::DATA);
            let mut at: Vec<IpAddr> = data
                .map(|(at, _)| {
                    let bytes = dfaas_common::address::to_bytes(&at.address);
                    IpAddr::from(bytes).to_canonical()
                })
                .collect();
            at.sort_unstable();
            at.into_iter().map(|ip| ip.to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(places(&node), "10.9.0.1 10.9.1.1 fd09:1::1", "and at no link-local one");
        ip("address add fd09::1/64 dev users0 nodad");
        ip("address del 10.9.1.1/24 dev peers0");
        node.kernel.maintain().unwrap();
        assert_eq!(places(&node), "10.9.0.1 fd09::1 fd09:1::1");
    });
}
