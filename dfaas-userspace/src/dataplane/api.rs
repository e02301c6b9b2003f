//! What the agent asks of the data plane, and what it learns from it. Names here are those of operators: functions
//! and peers by name. The numbers that the kernel knows them by are the data plane's own affair and survive restarts.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

pub use dfaas_control::{Admission, PickMode, Wait};
use ipnet::IpNet;

use super::mode::{Attachment, Mode};
use super::{Explanation, FlowView, Question, Taken};

/// Everything that is fixed while the data plane is attached; the `[dataplane]` table, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Interfaces where users, peers and backends come in.
    pub interfaces: Vec<String>,
    /// Addresses at which users call the gateway.
    pub listen: Vec<SocketAddr>,
    /// Who may use the node; everybody else's packets pass to the host untouched.
    pub users: Vec<IpNet>,
    /// TCP port where invocations from peers arrive.
    pub data_port: u16,
    /// Address where peers reach `data_port`; `None`: every address of the node's interfaces.
    pub data_address: Option<IpAddr>,
    /// Where the node's own gateway takes invocations; `None`: at the listen addresses. Invocations go there once
    /// [`DataPlane::set_gateways`] has named it; what peers send begins there at once.
    pub gateway: Option<SocketAddr>,
    /// Where handshakes are answered.
    pub mode: Mode,
    /// Source ports of forwarded invocations.
    pub snat_ports: RangeInclusive<u16>,
    /// Folder on bpffs for maps and links.
    pub pin: PathBuf,
    /// Most connections steered at one time.
    pub max_flows: u32,
    /// Whether requests that leave the node get an `X-Forwarded-For` line that names the user.
    pub forwarded_for: bool,
    /// Log every decision of the programs; for finding faults, costs time for each connection.
    pub packet_log: bool,
}

/// A node that invocations may be sent to and accepted from.
#[derive(Debug, Clone, PartialEq)]
pub struct Peer {
    /// Name in metrics and commands.
    pub name: String,
    /// Address of its data port.
    pub address: IpAddr,
    /// Its data port.
    pub data_port: u16,
    /// What is taken from it; a connection above that is refused at its SYN. `None`: no limit.
    pub admission: Option<Admission>,
}

/// The name of the node's own gateway among the gateways at addresses of their own.
pub const OWN_GATEWAY: &str = "gateway";

/// A gateway of this node that takes invocations at an address of its own: another one than the node's own, or the own
/// one under the name [`OWN_GATEWAY`], if it is not at the listen addresses itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// Name in metrics and commands.
    pub name: String,
    /// Where it takes invocations.
    pub address: SocketAddr,
    /// Whether invocations may be sent to it; while not, it counts as refusing them.
    pub healthy: bool,
}

/// A function of a gateway of this node or of a peer, with every spelling by which callers name it
/// (`figlet`, `figlet.openfaas-fn`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Canonical name: metrics and plans use it.
    pub name: String,
    /// All spellings, the canonical one among them.
    pub spellings: Vec<String>,
    /// The gateway that serves it here; `None`: the node's own.
    pub gateway: Option<String>,
}

/// Where a share of a function's invocations goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The gateway of this node that has the function.
    Local,
    /// The peer of this name.
    Peer(String),
    /// Answered 503 here.
    Reject,
}

/// The plan of one function.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionPlan {
    /// How a target is drawn.
    pub mode: PickMode,
    /// Targets with their parts of 65,536; the parts sum to 65,536; at most 18.
    pub shares: Vec<(Target, u32)>,
    /// Serve locally as long as the local limits allow; only the rest is drawn from the shares.
    pub local_first: bool,
    /// Most invocations of the function a second sent to a peer, by its name; one that is missing has no limit. A peer
    /// whose limit is spent is passed over.
    pub peer_rate: BTreeMap<String, f64>,
    /// Most connections bound to the local gateway at one time; 0: no limit.
    pub local_inflight: u32,
    /// Most invocations a second bound to the local gateway; 0: no limit.
    pub local_rate: f64,
    /// Expected wait here beyond which no invocation of own users is bound to the local gateway; `None`: no limit.
    pub local_wait: Option<Duration>,
    /// Most invocations a second that are taken from all peers together; `None`: no limit.
    pub peers_rate: Option<f64>,
    /// Processor time that one invocation is expected to take; zero: unknown.
    pub work: Duration,
    /// Expected wait here beyond which one of `overflow` may take an invocation; `None`: only once a local limit is
    /// reached.
    pub overflow_above: Option<Duration>,
    /// Peers that may take what exceeds that; at most 16.
    pub overflow: Vec<String>,
    /// After this long without a new plan everything goes to the local gateway.
    pub lifetime: Duration,
}

/// How long invocations wait at this node and at its peers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Waits {
    /// At the gateways of this node; what is under way there is added.
    pub here: Option<Wait>,
    /// At each peer, by its name; what was sent since it said so is added.
    pub peers: BTreeMap<String, Wait>,
}

/// Who called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A user of this node.
    #[default]
    User,
    /// A user of a peer, through that peer.
    Peer,
}

/// Invocations of one function since the data plane was first loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invocations {
    /// Canonical name; `""` for requests that are no invocation of a known function.
    pub function: String,
    /// Who called.
    pub origin: Origin,
    /// `local`, `reject` or the name of a peer.
    pub backend: String,
    /// Number of invocations.
    pub count: u64,
    /// Answers by class: the first digit of the status, or 0 where it could not be read.
    pub answers: [u64; 6],
    /// Of the invocations, those that came here because another backend had refused or kept silent.
    pub retries: u64,
    /// Bytes of requests, heads included.
    pub bytes_to_backend: u64,
    /// Bytes of answers, heads included.
    pub bytes_to_client: u64,
}

/// The words of metrics and commands for the classes of answers, as [`Invocations::answers`] has them.
pub const CLASS_NAMES: [&str; 6] = ["unknown", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// Kept connections that went on with another backend at a boundary between requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    /// The backend that was left: `local` or the name of a peer.
    pub from: String,
    /// The next.
    pub to: String,
    /// Number of connections.
    pub count: u64,
}

/// Kept connections that can no longer move, by reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pins {
    /// Stable, lower-case name of the reason.
    pub reason: &'static str,
    /// Number of connections.
    pub count: u64,
}

/// Invocations that are under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inflight {
    /// Canonical name.
    pub function: String,
    /// `local` or the name of a peer.
    pub backend: String,
    /// Number of invocations.
    pub count: u64,
}

/// Packets dropped, by reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drops {
    /// Stable, lower-case name of the reason.
    pub reason: &'static str,
    /// Number of packets.
    pub count: u64,
}

/// Upper bounds, in seconds, of the buckets of times to the first byte; a last bucket has no bound. Those of the
/// OpenFaaS gateway's own histogram.
pub const FIRST_BYTE_BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// How long a backend took from the SYN to it until the first byte of its answer, since the data plane was first
/// loaded. For `local` it includes what peers sent here, measured from their request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstByte {
    /// Canonical name; `""` for requests that are no invocation of a known function.
    pub function: String,
    /// `local` or the name of a peer.
    pub backend: String,
    /// Answers by time, not cumulative; see [`FIRST_BYTE_BOUNDS`].
    pub buckets: [u64; 12],
    /// Sum of the times.
    pub sum: Duration,
}

/// What became of connections with one peer since the data plane was first loaded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeerCounters {
    /// Its name.
    pub peer: String,
    /// Connections that it refused by a reset to the SYN.
    pub refused: u64,
    /// Connections that it left unanswered until another backend was tried.
    pub silent: u64,
    /// Connections that it reset after accepting them.
    pub reset: u64,
    /// Connections of it that were accepted at the data port.
    pub accepted: u64,
    /// Connections of it that its admission refused.
    pub denied: u64,
    /// Connections of it that are bound to the local gateway now.
    pub inflight: u64,
}

/// State of the data plane at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Counters of invocations.
    pub invocations: Vec<Invocations>,
    /// Gauges of invocations under way.
    pub inflight: Vec<Inflight>,
    /// Times to the first byte of answers.
    pub first_byte: Vec<FirstByte>,
    /// Counters of peers, also of those that are no longer there.
    pub peers: Vec<PeerCounters>,
    /// Counters of drops; reasons that never occurred are there with 0.
    pub drops: Vec<Drops>,
    /// Invocations sent to another backend because the first refused.
    pub retries: u64,
    /// Kept connections that went on with another backend.
    pub moves: Vec<Moves>,
    /// Counters of connections that can no longer move; reasons that never occurred are there with 0.
    pub pins: Vec<Pins>,
    /// What stands in the way of backends, one line each: no route, or one through an interface that is not watched.
    pub problems: Vec<String>,
    /// How each interface is served.
    pub attachments: Vec<Attachment>,
    /// Entries of the flow table in use.
    pub flows: u64,
    /// Whether new connections are steered (false: they pass natively).
    pub armed: bool,
}

/// How leaving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Connections that were still spliced when the programs were detached.
    pub abandoned: u64,
}

/// Why the data plane could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DataPlaneError {
    /// Something that the kernel or the machine lacks or refuses; `what` names it and `hint` says what to do.
    #[error("{what}: {cause}; {hint}")]
    Setup {
        /// The step or the thing, with its name.
        what: String,
        /// What the kernel answered.
        cause: String,
        /// What to do.
        hint: &'static str,
    },
    /// Reading or writing a map failed.
    #[error("map {map}: {cause}")]
    Map {
        /// Name of the map.
        map: &'static str,
        /// What the kernel answered.
        cause: String,
    },
    /// More functions, peers, gateways or targets than the maps hold.
    #[error("{what}: at most {limit} fit")]
    Full {
        /// What there is too much of.
        what: String,
        /// How much fits.
        limit: usize,
    },
}

/// The one writer of the kernel's maps.
pub trait DataPlane: Send {
    /// The names of the peers that an earlier agent left in force, until [`DataPlane::set_peers`] says who they are.
    fn earlier_peers(&self) -> Result<Vec<String>, DataPlaneError>;

    /// Makes these, and no others, the peers; the counters of those that leave stay.
    fn set_peers(&mut self, peers: &[Peer]) -> Result<(), DataPlaneError>;

    /// Makes these, and no others, the gateways at addresses of their own; at most 16. Functions of one that goes are
    /// the own gateway's until [`DataPlane::set_functions`] says otherwise.
    fn set_gateways(&mut self, gateways: &[Gateway]) -> Result<(), DataPlaneError>;

    /// Makes these, and no others, the known functions; one without a plan is served locally. A gateway that is not
    /// known is an error.
    fn set_functions(&mut self, functions: &[Function]) -> Result<(), DataPlaneError>;

    /// Writes the plan of a known function, whole. Targets that are unknown peers are an error.
    fn write_plan(&mut self, function: &str, plan: &FunctionPlan) -> Result<(), DataPlaneError>;

    /// Tells how long invocations wait at backends, for what exceeds local limits. Peers that are missing, and unknown
    /// ones, get nothing of it.
    fn set_waits(&mut self, waits: &Waits) -> Result<(), DataPlaneError>;

    /// Whether new connections are steered; disarmed they pass natively and bound ones go on.
    fn set_armed(&mut self, armed: bool) -> Result<(), DataPlaneError>;

    /// To be called once a second: frees dead flows, follows changes of routes, interfaces and their addresses.
    fn maintain(&mut self) -> Result<(), DataPlaneError>;

    /// Reads counters and gauges.
    fn snapshot(&self) -> Result<Snapshot, DataPlaneError>;

    /// Tells of one invocation in `sample` from now on, drawn at random when its request comes; 0: of none, and nothing
    /// is spent on it.
    fn set_sample(&mut self, sample: u32) -> Result<(), DataPlaneError>;

    /// Takes the invocations that were told and not taken yet, at most `most`; the oldest first.
    fn take_seen(&mut self, most: usize) -> Result<Taken, DataPlaneError>;

    /// Every connection in the flow table.
    fn flows(&self) -> Result<Vec<FlowView>, DataPlaneError>;

    /// What would become of an invocation now, and why; changes nothing.
    fn explain(&self, question: &Question) -> Result<Explanation, DataPlaneError>;

    /// Disarms, waits up to `limit` for bound connections to end, detaches and removes the pins.
    /// Dropping the value instead leaves everything attached and pinned.
    fn leave(self: Box<Self>, limit: Duration) -> Result<Left, DataPlaneError>;
}
