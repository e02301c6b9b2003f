//! What the agent writes, tried on its own maps with packets; and what it reads back.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use dfaas_common::ABI_VERSION;
use dfaas_common::translate::flag::{ACK, FIN, PSH, SYN};
use dfaas_userspace::dataplane::{
    Admission, DataPlane as _, Function, Kernel, Mode, Object, Origin, Peer, PeerCounters, Settings,
    Snapshot, open_kernel, unload,
};
use nix::sched::{CloneFlags, unshare};

use crate::bench::{PASS, run};
use crate::segment::{End, Segment};
use crate::story::{ANSWER, REQUEST, syn_options};
use crate::world::World;

const LISTEN: End = World::V4.listen();
const DATA: End = World::V4.data();

/// A data plane of the agent that is attached nowhere, in a network of its own.
struct Node {
    kernel: Kernel,
    programs: Object,
    pin: Pin,
}

/// Tests of this process so far: each has pins of its own, so that several can run at a time.
static TESTS: AtomicU32 = AtomicU32::new(0);

/// The pins, which go with the test.
struct Pin(PathBuf);

impl Drop for Pin {
    fn drop(&mut self) {
        let _ = unload(&self.0);
    }
}

fn open(pin: &Path) -> (Kernel, Object) {
    let settings = Settings {
        interfaces: Vec::new(),
        listen: vec![crate::bench::socket(LISTEN)],
        users: Vec::new(),
        data_port: DATA.1,
        data_address: Some(DATA.0),
        gateway: None,
        mode: Mode::Auto,
        snat_ports: 20_000..=20_099,
        pin: pin.to_owned(),
        max_flows: 256,
        forwarded_for: false,
        packet_log: false,
    };
    let kernel = open_kernel(&settings).unwrap_or_else(|e| panic!("the agent's data plane: {e}"));
    let folder = pin.join(format!("v{ABI_VERSION}"));
    // The same maps under programs that can be run packet by packet.
    let programs = Object::load(Some(&folder), settings.max_flows, false).expect("the programs once more");
    (kernel, programs)
}

impl Node {
    fn run(test: impl FnOnce(Self) + Send) {
        let thread = || {
            unshare(CloneFlags::CLONE_NEWNET).expect("a network of its own: tests need root");
            let up = Command::new("ip").args(["link", "set", "dev", "lo", "up"]).status();
            assert!(up.expect("`ip`: `cargo xtask setup` installs it").success());
            let (process, number) = (std::process::id(), TESTS.fetch_add(1, Ordering::Relaxed));
            let pin = Pin(PathBuf::from(format!("/sys/fs/bpf/dfaas-packets-{process}-{number}")));
            let (kernel, programs) = open(&pin.0);
            test(Self { kernel, programs, pin });
        };
        let ended = std::thread::scope(|scope| scope.spawn(thread).join());
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    }

    /// Another agent takes it over.
    fn restart(self) -> Self {
        let Self { kernel, programs, pin } = self;
        drop((kernel, programs));
        let (kernel, programs) = open(&pin.0);
        Self { kernel, programs, pin }
    }

    fn peers(&mut self, peers: &[Peer]) {
        self.kernel.set_peers(peers).expect("peers");
    }

    /// Whether a connection of a peer is let in.
    fn let_in(&self, from: End) -> bool {
        let syn = Segment::new(from, DATA, SYN).numbers(100, 0).options(&syn_options(1));
        run(&self.programs, "dfaas_ingress", &syn.bytes()).verdict == PASS
    }

    fn ingress(&self, segment: &Segment) {
        run(&self.programs, "dfaas_ingress", &segment.bytes());
    }

    fn egress(&self, segment: Segment) {
        run(&self.programs, "dfaas_egress", &segment.outgoing().bytes());
    }

    fn snapshot(&self) -> Snapshot {
        self.kernel.snapshot().expect("a snapshot")
    }

    fn counters(&self, name: &str) -> PeerCounters {
        self.snapshot().peers.into_iter().find(|peer| peer.peer == name).expect("counters of the peer")
    }
}

/// A peer that is reached by the loopback.
fn peer(name: &str, last: u8, admission: Option<Admission>) -> Peer {
    let address = Ipv4Addr::new(127, 0, 0, last).into();
    Peer { name: name.to_owned(), address, data_port: DATA.1, admission }
}

fn of(last: u8, port: u16) -> End {
    (Ipv4Addr::new(127, 0, 0, last).into(), port)
}

const fn places(inflight: u32) -> Option<Admission> {
    Some(Admission { inflight, rate: 1e6, burst: 1e6, wait: None })
}

fn outcomes(node: &Node, name: &str) -> (u64, u64, u64) {
    let counters = node.counters(name);
    (counters.accepted, counters.denied, counters.inflight)
}

#[test]
fn admission_follows_the_agent_and_what_is_bound_and_counted_outlives_every_change() {
    Node::run(|mut node| {
        node.peers(&[peer("a", 11, places(1)), peer("b", 12, None)]);
        assert!(node.let_in(of(11, 20_000)));
        assert!(!node.let_in(of(11, 20_001)));
        assert!((0..3).all(|i| node.let_in(of(12, 20_000 + i))));
        assert!(!node.let_in(of(13, 20_000)), "a stranger");
        assert_eq!((outcomes(&node, "a"), outcomes(&node, "b")), ((1, 1, 1), (3, 0, 3)));

        node.peers(&[peer("a", 11, places(2)), peer("b", 12, places(0))]);
        assert!(node.let_in(of(11, 20_001)) && !node.let_in(of(11, 20_002)));
        assert!(!node.let_in(of(12, 20_003)), "drained");
        node.kernel.maintain().expect("maintenance");
        assert!(!node.let_in(of(11, 20_002)));
        assert_eq!((outcomes(&node, "a"), outcomes(&node, "b")), ((2, 3, 2), (3, 1, 3)));

        // A restarted agent, and peers that leave and come back, find it as it was.
        node = node.restart();
        assert!(!node.let_in(of(11, 20_002)), "limits hold while no agent is there");
        node.peers(&[]);
        assert!(!node.let_in(of(11, 20_002)), "a stranger now");
        assert_eq!(outcomes(&node, "a"), (2, 4, 2));
        node.peers(&[peer("b", 12, None), peer("a", 11, places(3))]);
        assert!(node.let_in(of(11, 20_002)) && !node.let_in(of(11, 20_003)));
        node.egress(Segment::new(LISTEN, of(11, 20_000), FIN | ACK).numbers(501, 101));
        assert_eq!((outcomes(&node, "a"), outcomes(&node, "b")), ((3, 5, 2), (3, 1, 3)));
    });
}

#[test]
fn answers_and_invocations_are_told_by_name() {
    Node::run(|mut node| {
        node.peers(&[peer("a", 11, None)]);
        let figlet =
            Function { name: "figlet".to_owned(), spellings: vec!["figlet".to_owned()], gateway: None };
        node.kernel.set_functions(&[figlet]).expect("functions");
        let from = of(11, 20_000);
        assert!(node.let_in(from));
        node.ingress(&Segment::new(from, DATA, ACK | PSH).numbers(101, 501).payload(REQUEST));
        node.egress(Segment::new(LISTEN, from, ACK).numbers(501, 200).payload(ANSWER));
        let snapshot = node.snapshot();
        let [answer] = &snapshot.first_byte[..] else { panic!("one histogram: {snapshot:?}") };
        assert_eq!((answer.function.as_str(), answer.backend.as_str()), ("figlet", "local"));
        assert_eq!(answer.buckets.iter().sum::<u64>(), 1);
        assert!(answer.sum > Duration::ZERO);
        let [invocation] = &snapshot.invocations[..] else { panic!("one counter: {snapshot:?}") };
        assert_eq!((invocation.function.as_str(), invocation.origin), ("figlet", Origin::Peer));
    });
}

#[test]
fn a_peer_that_gets_the_number_of_another_starts_clean() {
    Node::run(|mut node| {
        let once = Some(Admission { inflight: 5, rate: 0.001, burst: 1.0, wait: None });
        node.peers(&[peer("old", 11, once)]);
        assert!(node.let_in(of(11, 20_000)) && !node.let_in(of(11, 20_001)));
        node.egress(Segment::new(LISTEN, of(11, 20_000), FIN | ACK).numbers(501, 101));

        // As many others as there are numbers.
        let others: Vec<Peer> = (100..164).map(|last| peer(&format!("p{last}"), last, once)).collect();
        node.peers(&others);
        let told = node.snapshot().peers;
        assert_eq!(told.len(), others.len());
        assert!(told.iter().all(|counters| (counters.accepted, counters.denied) == (0, 0)), "{told:?}");
        assert!((100..164).all(|last| node.let_in(of(last, 20_000))), "each may send one");
        assert!(!(100..164).any(|last| node.let_in(of(last, 20_001))), "and no second one");
    });
}

#[test]
fn the_same_peers_again_cost_no_writing_and_maintenance_mends_an_entry() {
    Node::run(|mut node| {
        let peers = [peer("a", 11, None)];
        node.peers(&peers);
        let map = node.pin.0.join(format!("v{ABI_VERSION}/PEERS"));
        let map = aya::maps::MapData::from_pin(map).expect("the pinned map");
        let mut entries: aya::maps::Array<_, dfaas_common::config::Peer> =
            aya::maps::Map::Array(map).try_into().expect("an array");
        let sound = entries.get(&1, 0).expect("an entry");
        assert_ne!(sound.interface, 0);
        let strange = dfaas_common::config::Peer { inflight: 77, ..sound };
        entries.set(1, strange, 0).expect("an entry");
        node.peers(&peers);
        assert_eq!(entries.get(&1, 0).expect("an entry"), strange);
        node.kernel.maintain().expect("maintenance");
        assert_eq!(entries.get(&1, 0).expect("an entry"), sound);
    });
}

#[test]
fn every_map_but_working_memory_outlives_the_agent() {
    Node::run(|node| {
        let folder = node.pin.0.join(format!("v{ABI_VERSION}"));
        let lost =
            crate::loaded::maps_of(&node.programs).into_keys().filter(|name| !folder.join(name).exists());
        let lost: Vec<String> = lost.filter(|name| !name.starts_with('.')).collect();
        // Programs stay with those that they were loaded with, and the log is of the agent that asked for it.
        assert_eq!(lost, ["AYA_LOGS", "PROGRAMS", "SCRATCH"]);
    });
}
