//! What strategies share that give each function nothing but shares.

use std::time::Duration;

use crate::command::Command;
use crate::id::{FunctionId, NodeId};
use crate::measurements::{FunctionMeasurements, Measurements, PeerMeasurements};
use crate::plan::{FunctionPlan, Plan};
use crate::shares::Shares;

/// The plan that gives each function the shares that `shares` decides on, with the function's own limits.
pub(super) fn set_plan(
    measured: &Measurements,
    lifetime: Duration,
    mut shares: impl FnMut(FunctionId, &FunctionMeasurements) -> Shares,
) -> Vec<Command> {
    let functions = measured
        .functions
        .iter()
        .map(|(id, function)| (*id, with_own_limits(shares(*id, function), function)))
        .collect();
    vec![Command::SetPlan(Plan::new(functions, lifetime))]
}

/// A plan with these shares, and the limits that the function's labels or configuration ask for.
pub(super) fn with_own_limits(shares: Shares, function: &FunctionMeasurements) -> FunctionPlan {
    FunctionPlan {
        local_inflight: function.max_inflight,
        local_rate: function.max_rate.filter(|rate| rate.is_finite()),
        ..FunctionPlan::new(shares)
    }
}

/// A function's limit in invocations a second; what cannot be one is none.
pub(super) fn limit(function: &FunctionMeasurements) -> Option<f64> {
    function.max_rate.filter(|rate| rate.is_finite() && *rate > 0.0)
}

/// The least that peers may send of a function that has a limit, in invocations a second: so they find out when there is
/// more again.
const LEAST: f64 = 0.5;

/// What this node's users leave of a function's limit, in invocations a second; `None`: there is no limit.
pub(super) fn left_for_peers(function: &FunctionMeasurements) -> Option<f64> {
    let most = limit(function)?;
    let asked = if function.user_rate.is_finite() { function.user_rate.clamp(0.0, most) } else { 0.0 };
    Some((most - asked).max(LEAST))
}

/// The peers to which invocations of a function may be sent: none if it must not leave, else those that have it and are
/// not kept out by a share of 0.
pub(super) fn candidates<'a>(
    id: FunctionId,
    function: &FunctionMeasurements,
    measured: &'a Measurements,
) -> impl Iterator<Item = (NodeId, &'a PeerMeasurements)> {
    let (here, may_leave) = (function.here, !function.local_only);
    let peers = measured.peers.iter().filter(move |_| may_leave);
    let usable =
        move |peer: &PeerMeasurements| peer.serves(id, here) && peer.share.is_finite() && peer.share > 0.0;
    peers.filter(move |(_, peer)| usable(peer)).map(|(node, peer)| (*node, peer))
}
