//! What the agent tells operators, in the form of the JSON that the commands and other programs read.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::health::Health;

/// `dfaas status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusReport {
    /// Name of the node.
    pub node: String,
    /// Its region; may be empty.
    pub region: String,
    /// Version of the agent.
    pub version: String,
    /// Process id of the agent.
    pub pid: u32,
    /// Seconds since the agent started.
    pub uptime_seconds: f64,
    /// Name of the strategy.
    pub strategy: String,
    /// Seconds between ticks.
    pub period_seconds: f64,
    /// Addresses at which users call.
    pub listen: Vec<SocketAddr>,
    /// Where invocations from peers arrive.
    pub data_port: u16,
    /// Whether new connections are steered.
    pub armed: bool,
    /// Whether the functions were read once and their plans written.
    pub ready: bool,
    /// How the agent is.
    pub health: Health,
    /// Number of functions of the gateway.
    pub functions: usize,
    /// Number of peers.
    pub peers: usize,
    /// Entries of the flow table in use.
    pub flows: u64,
    /// Times that a function's plan said something new.
    pub plan_changes: u64,
    /// Invocations sent to another backend because the first refused.
    pub retries: u64,
    /// Data plane calls that failed.
    pub dataplane_errors: u64,
}

/// `dfaas peers`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeersReport {
    /// By the order of the configuration.
    pub peers: Vec<PeerReport>,
}

/// One peer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerReport {
    /// Its name.
    pub name: String,
    /// Where this node knows it from.
    pub source: String,
    /// Address of its data port.
    pub address: IpAddr,
    /// Its data port.
    pub data_port: u16,
    /// Its weight among the peers.
    pub share: f64,
    /// Invocations sent to it since the data plane was loaded.
    pub invocations: u64,
    /// Connections bound to it now.
    pub inflight: u64,
}

/// `dfaas functions`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionsReport {
    /// Whether the gateway told its functions; before, the list is empty because nothing is known.
    pub known: bool,
    /// By name.
    pub functions: Vec<FunctionReport>,
}

/// One function of the local gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionReport {
    /// Canonical name.
    pub name: String,
    /// How callers may name it.
    pub spellings: Vec<String>,
    /// Replicas that are ready.
    pub available_replicas: u64,
    /// Most invocations a second served here.
    pub max_rate: Option<f64>,
    /// Most connections at one time.
    pub max_inflight: Option<u32>,
    /// Milliseconds within which an answer is of use.
    pub timeout_ms: u64,
    /// Whether invocations must stay here.
    pub local_only: bool,
    /// Invocations since the data plane was loaded.
    pub invocations: Vec<InvocationReport>,
    /// Connections bound now.
    pub inflight: Vec<InflightReport>,
}

/// Invocations by origin and backend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvocationReport {
    /// `user` or `peer`.
    pub origin: String,
    /// `local`, `reject` or a peer's name.
    pub backend: String,
    /// How many.
    pub count: u64,
}

/// Connections by backend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InflightReport {
    /// `local` or a peer's name.
    pub backend: String,
    /// How many.
    pub count: u64,
}

/// `dfaas plan`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlansReport {
    /// Name of the strategy.
    pub strategy: String,
    /// By name of the function.
    pub plans: Vec<PlanReport>,
}

/// The plan of one function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanReport {
    /// Canonical name.
    pub function: String,
    /// `smooth` or `share`.
    pub mode: String,
    /// Where invocations go.
    pub shares: Vec<ShareReport>,
    /// Most invocations a second served here; 0: no limit.
    pub local_rate: f64,
    /// Most connections at one time; 0: no limit.
    pub local_inflight: u32,
    /// Seconds since it was written.
    pub age_seconds: f64,
    /// Seconds after writing when everything is served here again.
    pub lifetime_seconds: f64,
}

/// One part of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShareReport {
    /// `local`, `reject` or a peer's name.
    pub backend: String,
    /// Its part of 65,536.
    pub part: u32,
}
