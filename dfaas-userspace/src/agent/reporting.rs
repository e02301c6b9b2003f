//! From the agent's state and the data plane's counters to the reports.

use std::collections::BTreeMap;
use std::time::Instant;

use super::gateways::GatewayView;
use super::report::{
    FunctionReport, FunctionsReport, GatewayReport, InflightReport, InterfaceReport, InvocationReport,
    OverlayReport, StatusReport,
};
use super::report_plan::{PlanReport, PlansReport, ShareReport};
use super::state::{State, WrittenPlan};
use crate::dataplane::{Attachment, CLASS_NAMES, Invocations, Moves, Origin, PickMode, Snapshot, Target};

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

/// How many went to this node, and how many to peers.
fn moves(moves: &[Moves]) -> (u64, u64) {
    let to =
        |here: bool| moves.iter().filter(|line| (line.to == "local") == here).map(|line| line.count).sum();
    (to(true), to(false))
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
            armed_why: self.armed_why(snapshot.armed),
            ready: self.ready(),
            health: self.health(now),
            gateways: self.gateways.iter().map(gateway).collect(),
            draining: self.draining,
            policy_error: self.query_error.clone(),
            problems: snapshot.problems.clone(),
            interfaces: snapshot.attachments.iter().map(interface).collect(),
            functions: self.catalogue.as_ref().map_or(0, |catalogue| catalogue.functions.len()),
            peers: self.static_peers.len() + self.members.iter().filter(|member| member.is_peer()).count(),
            overlay: self.overlay_report(),
            flows: snapshot.flows,
            plan_changes: self.plan_changes,
            retries: snapshot.retries,
            answers: answers(snapshot.invocations.iter()),
            bytes: snapshot
                .invocations
                .iter()
                .fold((0, 0), |sum, line| (sum.0 + line.bytes_to_backend, sum.1 + line.bytes_to_client)),
            moves: moves(&snapshot.moves),
            pinned: snapshot.pins.iter().map(|line| line.count).sum(),
            dataplane_errors: self.dataplane_errors,
        }
    }

    /// The report of `dfaas functions`.
    pub fn function_reports(&self, snapshot: &Snapshot) -> FunctionsReport {
        let listed = self.catalogue.iter().flat_map(|catalogue| &catalogue.functions);
        let functions = listed.map(|(name, info)| FunctionReport {
            name: name.clone(),
            spellings: info.spellings.clone(),
            gateway: info.gateway.clone(),
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
        let plans = self.plans.iter().map(|(name, written)| self.plan_report(name, written, now));
        PlansReport { strategy: self.strategy.clone(), plans: plans.collect() }
    }

    fn plan_report(&self, name: &str, written: &WrittenPlan, now: Instant) -> PlanReport {
        let plan = &written.plan;
        let rates = self.rates.get(name).copied().unwrap_or_default();
        let share = |(target, part): &(Target, u32)| ShareReport {
            backend: backend(target).to_owned(),
            part: *part,
            max_rate: plan.peer_rate.get(backend(target)).copied(),
        };
        PlanReport {
            function: name.to_owned(),
            user_rate: rates.user,
            peer_rate: rates.peer,
            reject_rate: rates.reject,
            local_first: plan.local_first,
            mode: match plan.mode {
                PickMode::Smooth => "smooth".to_owned(),
                PickMode::Share => "share".to_owned(),
            },
            shares: plan.shares.iter().map(share).collect(),
            local_rate: plan.local_rate,
            local_inflight: plan.local_inflight,
            local_wait_seconds: plan.local_wait.map(|wait| wait.as_secs_f64()),
            overflow: plan.overflow.clone(),
            overflow_above_seconds: plan.overflow_above.map(|wait| wait.as_secs_f64()),
            peers_rate: plan.peers_rate,
            age_seconds: now.saturating_duration_since(written.written).as_secs_f64(),
            lifetime_seconds: plan.lifetime.as_secs_f64(),
        }
    }

    fn armed_why(&self, armed: bool) -> String {
        let why = match (&self.steering_need, armed) {
            (Some(need), _) => need,
            (None, true) if self.ready() => "nothing needs it any more; it ends after half a minute of that",
            (None, false) if self.ready() => {
                "all is served by the gateway at the listen address, without limits"
            }
            (None, true) => "as an earlier agent left it",
            (None, false) => "no plan is written yet",
        };
        why.to_owned()
    }

    fn overlay_report(&self) -> Option<OverlayReport> {
        let status = self.overlay_status()?;
        Some(OverlayReport {
            listening: status.listening.iter().map(ToString::to_string).collect(),
            members: status.members,
            links: status.links.len(),
            beats: status.beats,
            bytes: status.bytes,
            stale_beats: self.stale_beats,
            refused: status.refused.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect(),
            conflict: self.conflict,
            bootstrap_error: status.bootstrap_error.clone(),
        })
    }
}

fn interface(attachment: &Attachment) -> InterfaceReport {
    InterfaceReport {
        name: attachment.interface.clone(),
        mode: attachment.word().to_owned(),
        why: attachment.why.clone(),
    }
}

fn gateway(view: &GatewayView) -> GatewayReport {
    GatewayReport {
        name: view.name.clone(),
        address: view.address,
        healthy: view.away.is_none(),
        reason: view.away.clone().or_else(|| view.error.clone()),
        functions: view.functions,
    }
}

fn invocations(function: &str, snapshot: &Snapshot) -> Vec<InvocationReport> {
    let its = snapshot.invocations.iter().filter(|counter| counter.function == function);
    its.map(|counter| InvocationReport {
        origin: origin(counter.origin).to_owned(),
        backend: counter.backend.clone(),
        count: counter.count,
        answers: answers(std::iter::once(counter)),
        retries: counter.retries,
        bytes_to_backend: counter.bytes_to_backend,
        bytes_to_client: counter.bytes_to_client,
    })
    .collect()
}

/// The sums of the classes that came, by their words.
fn answers<'a>(lines: impl Iterator<Item = &'a Invocations>) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for (class, count) in lines.flat_map(|line| CLASS_NAMES.into_iter().zip(line.answers)) {
        if count > 0 {
            *sums.entry(class.to_owned()).or_default() += count;
        }
    }
    sums
}
