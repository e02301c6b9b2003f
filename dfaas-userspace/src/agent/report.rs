//! What the agent tells operators, in the form of the JSON that the commands and other programs read.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::health::Health;
use super::state::State;
use crate::dataplane::{Origin, PickMode, Snapshot, Target};

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

/// The word of metrics and commands for a target.
pub(crate) fn backend(target: &Target) -> &str {
    match target {
        Target::Local => "local",
        Target::Reject => "reject",
        Target::Peer(name) => name,
    }
}

/// The word of metrics and commands for an origin.
pub(crate) fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::User => "user",
        Origin::Peer => "peer",
    }
}

impl State {
    /// The report of `dfaas status`.
    pub fn status(&self, snapshot: &Snapshot, now: Instant) -> StatusReport {
        StatusReport {
            node: self.node.clone(),
            region: self.region.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            uptime_seconds: now.saturating_duration_since(self.started).as_secs_f64(),
            strategy: self.strategy.clone(),
            period_seconds: self.period.as_secs_f64(),
            listen: self.listen.clone(),
            data_port: self.data_port,
            armed: snapshot.armed,
            ready: self.ready(),
            health: self.health(now),
            functions: self.catalogue.as_ref().map_or(0, |catalogue| catalogue.functions.len()),
            peers: self.peers.len(),
            flows: snapshot.flows,
            plan_changes: self.plan_changes,
            retries: snapshot.retries,
            dataplane_errors: self.dataplane_errors,
        }
    }

    /// The report of `dfaas peers`.
    pub fn peer_reports(&self, snapshot: &Snapshot) -> PeersReport {
        let invocations = |name: &str| {
            let to_it = snapshot.invocations.iter().filter(|counter| counter.backend == name);
            to_it.map(|counter| counter.count).sum()
        };
        let inflight = |name: &str| {
            snapshot.inflight.iter().filter(|gauge| gauge.backend == name).map(|gauge| gauge.count).sum()
        };
        let peers = self.peers.iter().map(|peer| PeerReport {
            name: peer.name.clone(),
            source: "static".to_owned(),
            address: peer.address,
            data_port: peer.data_port,
            share: peer.share,
            invocations: invocations(&peer.name),
            inflight: inflight(&peer.name),
        });
        PeersReport { peers: peers.collect() }
    }

    /// The report of `dfaas functions`.
    pub fn function_reports(&self, snapshot: &Snapshot) -> FunctionsReport {
        let listed = self.catalogue.iter().flat_map(|catalogue| &catalogue.functions);
        let functions = listed.map(|(name, info)| FunctionReport {
            name: name.clone(),
            spellings: info.spellings.clone(),
            available_replicas: info.available_replicas,
            max_rate: info.max_rate,
            max_inflight: info.max_inflight,
            timeout_ms: u64::try_from(info.deadline.as_millis()).unwrap_or(u64::MAX),
            local_only: info.local_only,
            invocations: invocations(name, snapshot),
            inflight: snapshot
                .inflight
                .iter()
                .filter(|gauge| gauge.function == *name)
                .map(|gauge| InflightReport { backend: gauge.backend.clone(), count: gauge.count })
                .collect(),
        });
        FunctionsReport { known: self.catalogue.is_some(), functions: functions.collect() }
    }

    /// The report of `dfaas plan`.
    pub fn plan_reports(&self, now: Instant) -> PlansReport {
        let plans = self.plans.iter().map(|(name, written)| PlanReport {
            function: name.clone(),
            mode: match written.plan.mode {
                PickMode::Smooth => "smooth".to_owned(),
                PickMode::Share => "share".to_owned(),
            },
            shares: written
                .plan
                .shares
                .iter()
                .map(|(target, part)| ShareReport { backend: backend(target).to_owned(), part: *part })
                .collect(),
            local_rate: written.plan.local_rate,
            local_inflight: written.plan.local_inflight,
            age_seconds: now.saturating_duration_since(written.written).as_secs_f64(),
            lifetime_seconds: written.plan.lifetime.as_secs_f64(),
        });
        PlansReport { strategy: self.strategy.clone(), plans: plans.collect() }
    }
}

fn invocations(function: &str, snapshot: &Snapshot) -> Vec<InvocationReport> {
    let its = snapshot.invocations.iter().filter(|counter| counter.function == function);
    its.map(|counter| InvocationReport {
        origin: origin(counter.origin).to_owned(),
        backend: counter.backend.clone(),
        count: counter.count,
    })
    .collect()
}
