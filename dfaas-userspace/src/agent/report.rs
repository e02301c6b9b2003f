//! What the agent tells operators, in the form of the JSON that the commands and other programs read.

use std::collections::BTreeMap;
use std::net::SocketAddr;

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
    /// Why they have to be, or why they pass natively.
    #[serde(default)]
    pub armed_why: String,
    /// Whether the functions were read once and their plans written.
    pub ready: bool,
    /// How the agent is.
    pub health: Health,
    /// The gateways at addresses of their own.
    pub gateways: Vec<GatewayReport>,
    /// What stands in the way of backends, one line each.
    pub problems: Vec<String>,
    /// How each interface is served.
    #[serde(default)]
    pub interfaces: Vec<InterfaceReport>,
    /// Whether it takes nothing from peers, by an operator's word.
    #[serde(default)]
    pub draining: bool,
    /// Why the model server of the strategy `external` gave no answer of use; nothing if it did, or is not asked.
    #[serde(default)]
    pub policy_error: Option<String>,
    /// Number of functions of the gateways.
    pub functions: usize,
    /// Number of peers: nodes that invocations go to or come from.
    pub peers: usize,
    /// How the overlay is; nothing without one.
    pub overlay: Option<OverlayReport>,
    /// Entries of the flow table in use.
    pub flows: u64,
    /// Times that a function's plan said something new.
    pub plan_changes: u64,
    /// Invocations sent to another backend because the first refused.
    pub retries: u64,
    /// Answers by class since the data plane was loaded, whoever asked; classes that never came are left out.
    #[serde(default)]
    pub answers: BTreeMap<String, u64>,
    /// Bytes of requests and of answers, heads included.
    #[serde(default)]
    pub bytes: (u64, u64),
    /// Kept connections that went on with this node, and with a peer.
    #[serde(default)]
    pub moves: (u64, u64),
    /// Kept connections that can no longer move.
    #[serde(default)]
    pub pinned: u64,
    /// Data plane calls that failed.
    pub dataplane_errors: u64,
}

/// An interface of `dfaas status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceReport {
    /// Its name.
    pub name: String,
    /// Where handshakes are answered: `tcx`, or `xdp-native` in front of it.
    pub mode: String,
    /// Why there.
    pub why: String,
}

/// A gateway of `dfaas status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GatewayReport {
    /// Its name; `gateway` is the node's own.
    pub name: String,
    /// Where it takes invocations.
    pub address: SocketAddr,
    /// Whether invocations are sent to it.
    pub healthy: bool,
    /// Why not, or why its functions cannot be read; nothing if all is well.
    pub reason: Option<String>,
    /// Functions that it serves here.
    pub functions: usize,
}

/// The overlay of `dfaas status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OverlayReport {
    /// Addresses at which it listens, each ending with this node's id: what other nodes bootstrap with.
    pub listening: Vec<String>,
    /// Nodes of the federation that were heard of.
    pub members: usize,
    /// Nodes to which there is a link.
    pub links: usize,
    /// Beats received and sent.
    pub beats: (u64, u64),
    /// Bytes of beats received and sent.
    pub bytes: (u64, u64),
    /// Beats that were older than what was known of their sender.
    pub stale_beats: u64,
    /// Offences and refused connections by kind.
    pub refused: BTreeMap<String, u64>,
    /// Whether another agent seems to use this node's identity.
    pub conflict: bool,
    /// Why bootstrapping does not get on.
    pub bootstrap_error: Option<String>,
}

/// `dfaas functions`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionsReport {
    /// Whether the gateways told their functions; before, the list is empty because nothing is known.
    pub known: bool,
    /// By name.
    pub functions: Vec<FunctionReport>,
}

/// One function of this node's gateways.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionReport {
    /// Canonical name.
    pub name: String,
    /// How callers may name it.
    pub spellings: Vec<String>,
    /// The gateway that serves it; nothing: the node's own.
    pub gateway: Option<String>,
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
    /// Invocations under way.
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
    /// Answers by class (`2xx`; `unknown` where the status could not be read); classes that never came are left out.
    #[serde(default)]
    pub answers: BTreeMap<String, u64>,
    /// Of the invocations, those that came here because another backend had refused or kept silent.
    #[serde(default)]
    pub retries: u64,
    /// Bytes of requests, heads included.
    #[serde(default)]
    pub bytes_to_backend: u64,
    /// Bytes of answers, heads included.
    #[serde(default)]
    pub bytes_to_client: u64,
}

/// Invocations under way by backend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InflightReport {
    /// `local` or a peer's name.
    pub backend: String,
    /// How many.
    pub count: u64,
}
