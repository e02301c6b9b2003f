//! A private copy of the programs, run packet by packet through BPF_PROG_TEST_RUN.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use aya::maps::lpm_trie::{Key, LpmTrie};
use aya::maps::{Array, HashMap, MapData, PerCpuArray, PerCpuHashMap, Queue};
use aya::programs::{TestRun as _, TestRunOptions};
use dfaas_common::address::{Address, Endpoint};
use dfaas_common::config::{Config, Peer, cursor, place};
use dfaas_common::count::{CountKey, DropReason, Event};
use dfaas_common::flow::Flow;
use dfaas_common::plan::{FunctionState, Name, Plan, name_key};
use dfaas_userspace::dataplane::Object;

use crate::segment::{End, Segment};

/// Verdicts of the programs as the kernel returns them.
pub const PASS: u32 = u32::MAX;
pub const DROP: u32 = 2;
pub const REDIRECT: u32 = 7;

/// The node's own endpoints.
pub const LISTEN: End = ([192, 0, 2, 1], 8080);
pub const DATA: End = ([192, 0, 2, 1], 31601);
/// Peers, numbers 1 and 2.
pub const PEERS: [[u8; 4]; 2] = [[198, 51, 100, 1], [198, 51, 100, 2]];
/// A user.
pub const USER: End = ([203, 0, 113, 7], 40000);

/// Number of the function `figlet`.
pub const FIGLET: u32 = 5;

/// What a run did.
#[derive(Debug)]
pub struct Outcome {
    pub verdict: u32,
    frame: Vec<u8>,
    before: Vec<u8>,
}

impl Outcome {
    /// The segment that leaves, checksums checked.
    pub fn segment(&self) -> Segment {
        Segment::read(&self.frame)
    }

    /// Asserts that the packet passed untouched.
    pub fn passed_untouched(&self) {
        assert_eq!(self.verdict, PASS);
        assert_eq!(self.frame, self.before, "the packet was changed");
    }
}

/// The programs and their maps.
pub struct Bench {
    object: Object,
    config: Array<MapData, Config>,
    names: HashMap<MapData, Name, u32>,
    plans: HashMap<MapData, u32, Plan>,
    functions: Array<MapData, FunctionState>,
    table: Array<MapData, Flow>,
    cursors: Array<MapData, u64>,
    invocations: PerCpuHashMap<MapData, CountKey, u64>,
    bound: HashMap<MapData, CountKey, u64>,
    drops: PerCpuArray<MapData, u64>,
    happened: PerCpuArray<MapData, u64>,
    free: Queue<MapData, u32>,
    peers: Array<MapData, Peer>,
}

/// Flows of a bench.
pub const FLOWS: u32 = 64;

pub fn address(bytes: [u8; 4]) -> Address {
    dfaas_common::address::mapped(u32::from_ne_bytes(bytes))
}

fn endpoint(end: End) -> Endpoint {
    Endpoint { address: address(end.0), port: end.1.to_be(), padding: 0 }
}

/// The monotonic clock, ns.
pub fn now() -> u64 {
    let text = std::fs::read_to_string("/proc/uptime").expect("the uptime");
    let seconds: f64 = text.split(' ').next().and_then(|t| t.parse().ok()).expect("seconds since boot");
    (seconds * 1e9) as u64
}

impl Bench {
    /// A node with two peers and the function `figlet`, which has no plan: needs root and a kernel of 6.6 or newer.
    pub fn new() -> Self {
        let mut object = Object::load(None, FLOWS, false)
            .unwrap_or_else(|e| panic!("packet tests need root and a kernel of 6.6 or newer with BTF: {e}"));
        let mut places: HashMap<_, Endpoint, u32> = object.take("PLACES").expect("PLACES");
        let mut users: LpmTrie<_, Address, u32> = object.take("USERS").expect("USERS");
        let mut peers: Array<_, Peer> = object.take("PEERS").expect("PEERS");
        let mut numbers: HashMap<_, Address, u32> = object.take("PEER_NUMBERS").expect("PEER_NUMBERS");
        places.insert(endpoint(LISTEN), place::LISTEN, 0).expect("a place");
        places.insert(endpoint(DATA), place::DATA, 0).expect("a place");
        users.insert(&Key::new(96 + 24, address([203, 0, 113, 0])), 1, 0).expect("a prefix");
        users.insert(&Key::new(96 + 32, address([203, 0, 113, 66])), 0, 0).expect("a prefix");
        for (i, peer) in PEERS.iter().enumerate() {
            let entry = Peer {
                address: address(*peer),
                source: address(LISTEN.0),
                interface: 1,
                port: DATA.1.to_be(),
                usable: 1,
                ..Peer::default()
            };
            peers.set(i as u32 + 1, entry, 0).expect("a peer");
            numbers.insert(address(*peer), i as u32 + 1, 0).expect("a peer's number");
        }
        let mut bench = Self {
            config: object.take("CONFIG").expect("CONFIG"),
            names: object.take("NAMES").expect("NAMES"),
            plans: object.take("PLANS").expect("PLANS"),
            functions: object.take("FUNCTIONS").expect("FUNCTIONS"),
            table: object.take("TABLE").expect("TABLE"),
            cursors: object.take("CURSORS").expect("CURSORS"),
            invocations: object.take("INVOCATIONS").expect("INVOCATIONS"),
            bound: object.take("BOUND").expect("BOUND"),
            drops: object.take("DROPS").expect("DROPS"),
            happened: object.take("HAPPENED").expect("HAPPENED"),
            free: object.take("FREE").expect("FREE"),
            peers,
            object,
        };
        for index in 0..FLOWS {
            bench.free.push(index, 0).expect("a free flow");
        }
        bench.configure(|_| {});
        bench.names.insert(name_key("figlet").expect("a name"), FIGLET, 0).expect("a name");
        bench
    }

    /// Changes the settings.
    pub fn configure(&mut self, change: impl FnOnce(&mut Config)) {
        let mut config = Config {
            version: dfaas_common::ABI_VERSION,
            armed: 1,
            cookie_key: [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210],
            max_flows: FLOWS,
            snat_first: 20_000,
            snat_count: 100,
            gateway: endpoint(LISTEN),
        };
        change(&mut config);
        self.config.set(0, config, 0).expect("settings");
    }

    /// Takes the route to a peer away.
    pub fn unroute(&mut self, number: u32) {
        let mut peer = self.peers.get(&number, 0).expect("a peer");
        peer.interface = 0;
        self.peers.set(number, peer, 0).expect("a peer");
    }

    /// Gives `figlet` a plan: backend numbers with shares of 65,536.
    pub fn plan(&mut self, shares: &[(u32, u32)], change: impl FnOnce(&mut Plan)) {
        let mut plan = Plan { expires: now() + Duration::from_secs(3600).as_nanos() as u64, ..Plan::EMPTY };
        plan.set_shares(shares.iter().copied());
        change(&mut plan);
        self.plans.insert(FIGLET, plan, 0).expect("a plan");
    }

    fn run(&mut self, program: &str, segment: &[u8]) -> Outcome {
        let mut out = vec![0; 4096];
        let program = self.object.program(program).expect("a loaded program");
        let options =
            TestRunOptions { data_in: Some(segment), data_out: Some(&mut out), ..TestRunOptions::default() };
        let result = program.test_run(options).expect("BPF_PROG_TEST_RUN");
        out.truncate(result.data_size_out as usize);
        Outcome { verdict: result.return_value, frame: out, before: segment.to_vec() }
    }

    /// A segment comes in.
    pub fn ingress(&mut self, segment: &Segment) -> Outcome {
        self.run("dfaas_ingress", &segment.bytes())
    }

    /// Any bytes come in.
    pub fn ingress_bytes(&mut self, frame: &[u8]) -> Outcome {
        self.run("dfaas_ingress", frame)
    }

    /// A segment of the node goes out.
    pub fn egress(&mut self, segment: Segment) -> Outcome {
        self.run("dfaas_egress", &segment.outgoing().bytes())
    }

    /// Frees dead flows, as the agent does every second.
    pub fn sweep(&mut self) {
        self.run("dfaas_sweep", &[0; 64]);
    }

    /// Makes every flow look as if its last packet had come this long ago.
    pub fn age(&mut self, by: Duration) {
        for index in 0..FLOWS {
            let mut flow = self.table.get(&index, 0).expect("a flow");
            flow.last_seen = flow.last_seen.saturating_sub(by.as_nanos() as u64);
            self.table.set(index, flow, 0).expect("a flow");
        }
    }

    /// The flows in use.
    pub fn flows(&self) -> Vec<Flow> {
        self.table.iter().map(|f| f.expect("a flow")).filter(|f| f.state != 0).collect()
    }

    /// The number of flows in use as the programs count it.
    pub fn live(&self) -> u64 {
        self.cursors.get(&cursor::LIVE, 0).expect("a number")
    }

    /// Counters of invocations by (function, backend, origin).
    pub fn invocations(&self) -> BTreeMap<(u32, u16, u16), u64> {
        let entries = self.invocations.iter().map(|e| e.expect("a counter"));
        entries.map(|(k, v)| ((k.function, k.backend, k.origin), v.iter().sum())).collect()
    }

    /// Connections bound now by (function, backend), without zeros.
    pub fn bound(&self) -> BTreeMap<(u32, u16), u64> {
        let entries = self.bound.iter().map(|e| e.expect("a gauge")).filter(|(_, v)| *v != 0);
        entries.map(|(k, v)| ((k.function, k.backend), v)).collect()
    }

    /// Drops by reason, without zeros.
    pub fn drops(&self) -> BTreeMap<&'static str, u64> {
        nonzero(&self.drops, DropReason::ALL.iter().map(|(r, n)| (*r as u32, *n)))
    }

    /// Events by name, without zeros.
    pub fn events(&self) -> BTreeMap<&'static str, u64> {
        nonzero(&self.happened, Event::ALL.iter().map(|(e, n)| (*e as u32, *n)))
    }

    /// Draws made for `figlet`.
    pub fn draws(&self) -> u64 {
        self.functions.get(&FIGLET, 0).expect("a state").draws
    }

    /// Verified instructions by program.
    pub fn verified(&self) -> Vec<(&'static str, u32)> {
        ["dfaas_ingress", "dfaas_egress", "dfaas_sweep"]
            .into_iter()
            .map(|name| {
                let info = self.object.program(name).expect("a program").info().expect("its description");
                (name, info.verified_instruction_count().expect("the kernel tells"))
            })
            .collect()
    }
}

fn nonzero(
    map: &PerCpuArray<MapData, u64>,
    names: impl Iterator<Item = (u32, &'static str)>,
) -> BTreeMap<&'static str, u64> {
    let sum = |index: u32| map.get(&index, 0).expect("a counter").iter().sum::<u64>();
    names.map(|(index, name)| (name, sum(index))).filter(|(_, count)| *count != 0).collect()
}

impl Drop for Bench {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("state of the data plane at the failure:");
            eprintln!("  invocations {:?}", self.invocations());
            eprintln!("  bound {:?}  live {}", self.bound(), self.live());
            eprintln!("  drops {:?}", self.drops());
            eprintln!("  events {:?}", self.events());
            for flow in self.flows().iter().take(4) {
                eprintln!("  {flow:?}");
            }
        }
    }
}

/// The address of an end, for messages.
pub fn socket(end: End) -> SocketAddr {
    SocketAddr::new(IpAddr::from(end.0), end.1)
}
