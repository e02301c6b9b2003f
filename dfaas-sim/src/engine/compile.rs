//! A strategy's plan as the kernel reads it, by the rules of the agent's data plane: rates count in thousandths of an
//! invocation a second, times in whole microseconds, rounded up.

use std::time::Duration;

use dfaas_common::bucket;
use dfaas_common::choice::NO_WAY;
use dfaas_common::config::{Peer, Report};
use dfaas_common::count::{LOCAL, REJECT};
use dfaas_common::plan::{MAX_CANDIDATES, Plan, flag, mode};
use dfaas_control::{Admission, FunctionPlan, NodeId, PickMode, Target, Wait};

use crate::federation::Nanos;

/// Longest time for which an admission saves up unused rate.
const LONGEST_TOLERANCE: f64 = 86_400e9;

fn interval(rate: f64) -> u64 {
    match (rate * 1000.0).round() as u64 {
        0 => bucket::NEVER,
        millirate => bucket::interval(millirate),
    }
}

fn micros(time: Duration) -> u32 {
    let micros = time.as_nanos().div_ceil(1000);
    u32::try_from(micros).map_or(NO_WAY - 1, |micros| micros.min(NO_WAY - 1))
}

/// The same of a limit, where 0 is none.
fn limit(wait: Duration) -> u32 {
    micros(wait).max(1)
}

/// The plan of a function; `backend` tells the number of a node, [`LOCAL`] if it is no neighbour.
pub(super) fn plan(plan: &FunctionPlan, expires: Nanos, backend: impl Fn(NodeId) -> u32) -> Plan {
    let number = |target: &Target| match target {
        Target::Local => LOCAL,
        Target::Reject => REJECT,
        Target::Peer(node) => backend(*node),
    };
    let mut out = Plan { expires, ..Plan::EMPTY };
    out.set_shares(plan.shares.parts().iter().map(|(target, part)| (number(target), *part)));
    out.mode = match plan.mode {
        PickMode::Share => mode::SHARE,
        PickMode::Smooth => mode::SMOOTH,
    };
    if plan.local_first {
        out.flags |= flag::LOCAL_FIRST;
    }
    for (node, rate) in &plan.peer_rate {
        match backend(*node) {
            LOCAL => {}
            peer => out.limit(peer, interval(*rate)),
        }
    }
    let candidates = plan.overflow.iter().map(|node| backend(*node)).filter(|number| *number != LOCAL);
    out.set_candidates(candidates.take(MAX_CANDIDATES).map(|number| number as u16));
    out.work = micros(plan.work);
    out.overflow_above = plan.overflow_above.map_or(NO_WAY, micros);
    out.peers_interval = plan.peers_rate.map_or(0, interval);
    out.local_inflight = plan.local_inflight.unwrap_or(0);
    out.local_wait = plan.local_wait.map_or(0, limit);
    out.local_interval = plan.local_rate.filter(|rate| *rate > 0.0).map_or(0, interval);
    out
}

/// What a backend has said, to which what is sent from now on is added.
pub(super) fn report(wait: &Wait, sent: u64) -> Report {
    let pace = if wait.cores.is_nan() { 0.0 } else { 65_536.0 / wait.cores.max(0.0) };
    // The low half: the choice takes differences.
    Report { wait: micros(wait.wait), sent: sent as u32, pace: pace as u32, known: 1 }
}

/// What is taken from a peer.
pub(super) fn admission(admission: Option<&Admission>, peer: &mut Peer) {
    let (interval, tolerance, inflight) = match admission {
        None => (0, 0, 0),
        Some(none) if none.inflight == 0 => (bucket::NEVER, 0, 0),
        Some(some) => match interval(some.rate) {
            bucket::NEVER => (bucket::NEVER, 0, 0),
            every => {
                let tolerance = (some.burst.max(1.0) * every as f64).min(LONGEST_TOLERANCE);
                (every, tolerance.round() as u64, some.inflight)
            }
        },
    };
    (peer.interval, peer.tolerance, peer.inflight) = (interval, tolerance, inflight);
    peer.wait = admission.and_then(|admission| admission.wait).map_or(0, limit);
}
