//! A strategy's plan as the kernel reads it.

use dfaas_common::choice::NO_WAY;
use dfaas_common::config::{Peer, Report};
use dfaas_common::count::{LOCAL, REJECT};
use dfaas_common::plan::{MAX_CANDIDATES, Plan, flag, mode};
use dfaas_common::units::{interval, micros, wait_limit};
use dfaas_control::{Admission, FunctionPlan, NodeId, PickMode, Target, Wait};

use crate::federation::Nanos;

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
    out.local_wait = wait_limit(plan.local_wait);
    out.local_interval = plan.local_rate.filter(|rate| *rate > 0.0).map_or(0, interval);
    out
}

/// What a backend has said, to which what is sent from now on is added.
pub(super) fn report(wait: &Wait, sent: u64) -> Report {
    // The low half: the choice takes differences.
    Report::of(wait.wait, wait.cores, sent as u32)
}

/// The entry of a peer with what is taken from it.
pub(super) fn admission(admission: Option<&Admission>, peer: Peer) -> Peer {
    match admission {
        None => peer.without_limits(),
        Some(Admission { inflight, rate, burst, wait }) => peer.with_limits(*inflight, *rate, *burst, *wait),
    }
}
