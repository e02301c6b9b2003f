//! The maps. User space gives those with `FLOWS` and `TABLE` their size, pins all of them, and reads the counters.

use aya_ebpf::bindings::BPF_F_NO_PREALLOC;
use aya_ebpf::macros::map;
use aya_ebpf::maps::lpm_trie::LpmTrie;
use aya_ebpf::maps::{Array, HashMap, LruHashMap, PerCpuArray, PerCpuHashMap, ProgramArray, Queue, RingBuf};
use dfaas_common::address::{Address, Endpoint, Tuple};
use dfaas_common::config::{Config, Load, Peer, Report, cursor};
use dfaas_common::count::{CountKey, DROP_REASONS, EVENTS, MoveKey, PIN_REASONS, PeerCounts, Tally};
use dfaas_common::event::RING_BYTES;
use dfaas_common::flow::{Flow, FlowRef, Greeting, SLOTS as SLOT_COUNT, Slot};
use dfaas_common::plan::{FunctionState, Name, Plan, RATES};
use dfaas_common::steps::STEPS;
use dfaas_common::{BACKENDS, MAX_FUNCTIONS, MAX_GATEWAYS, MAX_PEERS};

use super::scratch::Scratch;

/// Settings; one element.
#[map]
pub static CONFIG: Array<Config> = Array::with_max_entries(1, 0);

/// What the node's own endpoints are for ([`dfaas_common::config::place`]).
#[map]
pub static PLACES: HashMap<Endpoint, u32> = HashMap::with_max_entries(256, 0);

/// Who may use the node: the longest prefix that fits an address decides, 1 admits and 0 does not.
#[map]
pub static USERS: LpmTrie<Address, u32> = LpmTrie::with_max_entries(4096, BPF_F_NO_PREALLOC);

/// Peers and gateways at addresses of their own, by backend number; 0 is the own gateway and stays empty.
#[map]
pub static PEERS: Array<Peer> = Array::with_max_entries(BACKENDS, 0);

/// What has been learnt of the paths to peers and gateways from ICMP errors, by backend number
/// ([`dfaas_common::icmp::learn`]).
#[map]
pub static PATHS: Array<u64> = Array::with_max_entries(BACKENDS, 0);

/// Backend number of the gateway that serves each function here; at 0 for whatever is no known function.
#[map]
pub static HOMES: Array<u32> = Array::with_max_entries(MAX_FUNCTIONS, 0);

/// Backend number of a peer's address.
#[map]
pub static PEER_NUMBERS: HashMap<Address, u32> = HashMap::with_max_entries(MAX_PEERS * 2, 0);

/// Function numbers of all spellings.
#[map]
pub static NAMES: HashMap<Name, u32> = HashMap::with_max_entries(MAX_FUNCTIONS * 4, 0);

/// Plans by function number; a replaced value is freed after a grace period, so readers see whole plans.
#[map]
pub static PLANS: HashMap<u32, Plan> = HashMap::with_max_entries(MAX_FUNCTIONS, BPF_F_NO_PREALLOC);

/// Canonical name of each function number; for user space alone, so that numbers keep their meaning over restarts.
#[map]
pub static FUNCTION_LABELS: Array<Name> = Array::with_max_entries(MAX_FUNCTIONS, 0);

/// Name of each peer number; for user space alone.
#[map]
pub static PEER_LABELS: Array<Name> = Array::with_max_entries(MAX_PEERS + 1, 0);

/// Name of each gateway at an address of its own, from 1; for user space alone.
#[map]
pub static GATEWAY_LABELS: Array<Name> = Array::with_max_entries(MAX_GATEWAYS + 1, 0);

/// What is remembered of functions between invocations.
#[map]
pub static FUNCTIONS: Array<FunctionState> = Array::with_max_entries(MAX_FUNCTIONS, 0);

/// Theoretical arrival times of the rate limits towards peers; indexes by [`dfaas_common::plan::rate_index`].
#[map]
pub static PEER_RATES: Array<u64> = Array::with_max_entries(RATES, 0);

/// Theoretical arrival times of what is taken from peers, by backend number.
#[map]
pub static ADMISSIONS: Array<u64> = Array::with_max_entries(MAX_PEERS + 1, 0);

/// Connections of peers that are bound to the local gateway now, by backend number.
#[map]
pub static PEER_BOUND: Array<u64> = Array::with_max_entries(MAX_PEERS + 1, 0);

/// What became of connections with peers, by backend number; those with the local gateway are there too, at 0.
#[map]
pub static PEER_COUNTS: PerCpuArray<PeerCounts> = PerCpuArray::with_max_entries(MAX_PEERS + 1, 0);

/// What backends have said of how long one waits there, by backend number.
#[map]
pub static REPORTS: Array<Report> = Array::with_max_entries(BACKENDS, 0);

/// Work that was given to backends, by backend number.
#[map]
pub static LOADS: Array<Load> = Array::with_max_entries(BACKENDS, 0);

/// From tuples to flows; two a flow.
#[map]
pub static FLOWS: HashMap<Tuple, FlowRef> = HashMap::with_max_entries(131_072, 0);

/// The flows.
#[map]
pub static TABLE: Array<Flow> = Array::with_max_entries(65_536, 0);

/// Indexes of free flows, first in, first out.
#[map]
pub static FREE: Queue<u32> = Queue::with_max_entries(65_536, 0);

/// Saved first segments.
#[map]
pub static SLOTS: Array<Slot> = Array::with_max_entries(SLOT_COUNT, 0);

/// Running numbers; indexes are those of [`cursor`].
#[map]
pub static CURSORS: Array<u64> = Array::with_max_entries(cursor::PORTS + BACKENDS, 0);

/// What is counted of invocations, one value a CPU.
#[map]
pub static TALLIES: PerCpuHashMap<CountKey, Tally> =
    PerCpuHashMap::with_max_entries(65_536, BPF_F_NO_PREALLOC);

/// Kept connections that went on with another backend, by both; one value a CPU.
#[map]
pub static MOVES: PerCpuHashMap<MoveKey, u64> = PerCpuHashMap::with_max_entries(8192, BPF_F_NO_PREALLOC);

/// Connections that can no longer move, by [`dfaas_common::count::PinReason`].
#[map]
pub static PINS: PerCpuArray<u64> = PerCpuArray::with_max_entries(PIN_REASONS, 0);

/// Connections that the host's own stack is opening. Lossy: a forgotten one is served, but stays where it is.
#[map]
pub static GREETINGS: LruHashMap<Tuple, Greeting> = LruHashMap::with_max_entries(16_384, 0);

/// Invocations under way, by function and backend.
#[map]
pub static BOUND: HashMap<CountKey, u64> = HashMap::with_max_entries(65_536, BPF_F_NO_PREALLOC);

/// Dropped packets by [`dfaas_common::count::DropReason`].
#[map]
pub static DROPS: PerCpuArray<u64> = PerCpuArray::with_max_entries(DROP_REASONS, 0);

/// What else happened, by [`dfaas_common::count::Event`].
#[map]
pub static HAPPENED: PerCpuArray<u64> = PerCpuArray::with_max_entries(EVENTS, 0);

/// Invocations that are over, as [`dfaas_common::event::InvocationEvent`]; nobody reads it unless somebody follows.
#[map]
pub static RING: RingBuf = RingBuf::with_byte_size(RING_BYTES, 0);

/// Segments seen out of order by connections without timestamps: a lossy table, see `handshake::missing_first`.
#[map]
pub static LATE: Array<u64> = Array::with_max_entries(1024, 0);

/// The programs of [`dfaas_common::steps`], which the entry programs jump to. Not shared between loaded objects: what was
/// loaded together belongs together.
#[map]
pub static PROGRAMS: ProgramArray = ProgramArray::with_max_entries(STEPS.len() as u32, 0);

/// Working memory of one program run.
#[map]
pub static SCRATCH: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(1, 0);
