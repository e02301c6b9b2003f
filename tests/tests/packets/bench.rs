//! A private copy of the programs, run packet by packet through BPF_PROG_TEST_RUN.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use aya::maps::lpm_trie::{Key, LpmTrie};
use aya::maps::{Array, HashMap, MapData, PerCpuArray, PerCpuHashMap, Queue, RingBuf};
use aya::programs::{TestRun as _, TestRunOptions};
use dfaas_common::address::{Address, Endpoint, from_bytes, mapped};
use dfaas_common::config::{Config, Load, Peer, Report, place};
use dfaas_common::count::{CountKey, MoveKey, PeerCounts, Tally};
use dfaas_common::flow::Flow;
use dfaas_common::plan::{FunctionState, Name, Plan, name_key};
use dfaas_userspace::dataplane::Object;

use crate::loaded::Loaded;
use crate::segment::{End, Segment};
use crate::world::{Family, World};

/// Verdicts of the programs as the kernel returns them.
pub const PASS: u32 = u32::MAX;
pub const DROP: u32 = 2;
pub const REDIRECT: u32 = 7;

/// Number of the function `figlet`.
pub const FIGLET: u32 = 5;
/// Number of the function `qrcode`.
pub const QRCODE: u32 = 6;

/// What a run did.
#[derive(Debug)]
pub struct Outcome {
    pub verdict: u32,
    pub frame: Vec<u8>,
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
    /// Who is where.
    pub world: World,
    pub(crate) object: Loaded,
    config: Array<MapData, Config>,
    names: HashMap<MapData, Name, u32>,
    plans: HashMap<MapData, u32, Plan>,
    pub(crate) functions: Array<MapData, FunctionState>,
    pub(crate) table: Array<MapData, Flow>,
    pub(crate) cursors: Array<MapData, u64>,
    pub(crate) tallies: PerCpuHashMap<MapData, CountKey, Tally>,
    pub(crate) bound: HashMap<MapData, CountKey, u64>,
    pub(crate) peer_counts: PerCpuArray<MapData, PeerCounts>,
    pub(crate) peer_bound: Array<MapData, u64>,
    pub(crate) drops: PerCpuArray<MapData, u64>,
    pub(crate) happened: PerCpuArray<MapData, u64>,
    pub(crate) moves: PerCpuHashMap<MapData, MoveKey, u64>,
    pub(crate) pins: PerCpuArray<MapData, u64>,
    pub(crate) ring: RingBuf<MapData>,
    free: Queue<MapData, u32>,
    pub(crate) reports: Array<MapData, Report>,
    pub(crate) loads: Array<MapData, Load>,
    peers: Array<MapData, Peer>,
    peer_numbers: HashMap<MapData, Address, u32>,
}

/// Flows of a bench.
pub const FLOWS: u32 = 64;

/// An address as the maps have it.
pub fn address(address: IpAddr) -> Address {
    match address {
        IpAddr::V4(four) => mapped(u32::from_ne_bytes(four.octets())),
        IpAddr::V6(six) => from_bytes(six.octets()),
    }
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

/// Runs a program on a frame.
pub fn run(object: &Object, program: &str, frame: &[u8]) -> Outcome {
    let mut out = vec![0; 4096];
    let program = object.program(program).expect("a loaded program");
    let options =
        TestRunOptions { data_in: Some(frame), data_out: Some(&mut out), ..TestRunOptions::default() };
    let result = program.test_run(options).expect("BPF_PROG_TEST_RUN");
    out.truncate(result.data_size_out as usize);
    Outcome { verdict: result.return_value, frame: out, before: frame.to_vec() }
}

impl Bench {
    /// A node with two peers and two functions without a plan: needs root and a kernel of 6.6 or newer.
    pub fn new(world: World) -> Self {
        Self::with(Loaded::borrow(), world)
    }

    /// The same, with programs to be attached to interfaces.
    pub fn to_attach(world: World) -> Self {
        Self::with(Loaded::own(), world)
    }

    fn with(object: Loaded, world: World) -> Self {
        let maps = object.open();
        let mut places: HashMap<_, Endpoint, u32> = maps.get("PLACES");
        let mut users: LpmTrie<_, Address, u32> = maps.get("USERS");
        let mut peers: Array<_, Peer> = maps.get("PEERS");
        let mut peer_numbers: HashMap<_, Address, u32> = maps.get("PEER_NUMBERS");
        for family in Family::BOTH {
            let in_family = World { users: family, nodes: family };
            places.insert(endpoint(in_family.listen()), place::LISTEN, 0).expect("a place");
            places.insert(endpoint(in_family.data()), place::DATA, 0).expect("a place");
            let prefix = Key::new(family.users_prefix(), address(family.user()));
            users.insert(&prefix, 1, 0).expect("a prefix");
            users.insert(&Key::new(128, address(family.excluded())), 0, 0).expect("a prefix");
        }
        for (i, peer) in world.peers().into_iter().enumerate() {
            let entry = Peer {
                address: address(peer),
                source: address(world.data().0),
                interface: 1,
                port: world.data().1.to_be(),
                usable: 1,
                ..Peer::default()
            };
            peers.set(i as u32 + 1, entry, 0).expect("a peer");
            peer_numbers.insert(address(peer), i as u32 + 1, 0).expect("a peer's number");
        }
        let mut bench = Self {
            world,
            config: maps.get("CONFIG"),
            names: maps.get("NAMES"),
            plans: maps.get("PLANS"),
            functions: maps.get("FUNCTIONS"),
            table: maps.get("TABLE"),
            cursors: maps.get("CURSORS"),
            tallies: maps.get("TALLIES"),
            bound: maps.get("BOUND"),
            peer_counts: maps.get("PEER_COUNTS"),
            peer_bound: maps.get("PEER_BOUND"),
            drops: maps.get("DROPS"),
            happened: maps.get("HAPPENED"),
            moves: maps.get("MOVES"),
            pins: maps.get("PINS"),
            ring: maps.get("RING"),
            free: maps.get("FREE"),
            reports: maps.get("REPORTS"),
            loads: maps.get("LOADS"),
            peers,
            peer_numbers,
            object,
        };
        for index in 0..FLOWS {
            bench.free.push(index, 0).expect("a free flow");
        }
        // What earlier tests have left.
        bench.reports();
        bench.configure(|_| {});
        for (name, number) in [("figlet", FIGLET), ("qrcode", QRCODE)] {
            bench.names.insert(name_key(name).expect("a name"), number, 0).expect("a name");
        }
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
            // Over IPv6 it is where the peer has sent it, so both ways to say it are tried.
            gateways: [
                endpoint(Family::V4.listen()),
                Endpoint { port: Family::V6.listen().1.to_be(), ..Endpoint::default() },
            ],
            segment_size: 1460,
            ..Config::default()
        };
        change(&mut config);
        self.config.set(0, config, 0).expect("settings");
    }

    /// Changes the entry of a peer.
    pub fn peer(&mut self, number: u32, change: impl FnOnce(&mut Peer)) {
        let mut peer = self.peers.get(&number, 0).expect("a peer");
        change(&mut peer);
        self.peers.set(number, peer, 0).expect("a peer");
    }

    /// Takes the route to a peer away.
    pub fn unroute(&mut self, number: u32) {
        self.peer(number, |peer| peer.interface = 0);
    }

    /// The address is no peer's any more.
    pub fn forget_peer(&mut self, at: IpAddr) {
        self.peer_numbers.remove(&address(at)).expect("a peer's number");
    }

    /// Gives `figlet` a plan: backend numbers with shares of 65,536.
    pub fn plan(&mut self, shares: &[(u32, u32)], change: impl FnOnce(&mut Plan)) {
        self.plan_of(FIGLET, shares, change);
    }

    /// Gives a function a plan.
    pub fn plan_of(&mut self, function: u32, shares: &[(u32, u32)], change: impl FnOnce(&mut Plan)) {
        let mut plan = Plan { expires: now() + Duration::from_secs(3600).as_nanos() as u64, ..Plan::EMPTY };
        plan.set_shares(shares.iter().copied());
        change(&mut plan);
        self.plans.insert(function, plan, 0).expect("a plan");
    }

    /// A segment comes in.
    pub fn ingress(&mut self, segment: &Segment) -> Outcome {
        run(&self.object, "dfaas_ingress", &segment.bytes())
    }

    /// Any bytes come in.
    pub fn ingress_bytes(&mut self, frame: &[u8]) -> Outcome {
        run(&self.object, "dfaas_ingress", frame)
    }

    /// A segment of the node goes out.
    pub fn egress(&mut self, segment: Segment) -> Outcome {
        self.egress_bytes(&segment.outgoing().bytes())
    }

    /// Any bytes go out.
    pub fn egress_bytes(&mut self, frame: &[u8]) -> Outcome {
        run(&self.object, "dfaas_egress", frame)
    }
}

/// The address of an end, for messages.
pub fn socket(end: End) -> SocketAddr {
    SocketAddr::from(end)
}
