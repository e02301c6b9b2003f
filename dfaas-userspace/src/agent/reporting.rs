//! From the agent's state and the data plane's counters to the reports.

use std::time::Instant;

use super::report::{
    FunctionReport, FunctionsReport, InflightReport, InvocationReport, PeerReport, PeersReport, PlanReport,
    PlansReport, ShareReport, StatusReport,
};
use super::state::State;
use crate::dataplane::{Origin, PickMode, Snapshot, Target};

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
