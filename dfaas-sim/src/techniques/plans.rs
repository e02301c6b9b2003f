use std::time::Duration;

use dfaas_control::{
    Command, FunctionId, FunctionMeasurements, FunctionPlan, MAX_TARGETS, Measurements, NodeId, Plan, Shares,
    Target,
};

use super::neighbours::{limit, rate};
use super::technique::Act;

/// The plan that gives each function what `of` decides.
pub(super) fn plan(
    measured: &Measurements,
    lifetime: Duration,
    mut of: impl FnMut(FunctionId, &FunctionMeasurements) -> FunctionPlan,
) -> Act {
    let functions = measured.functions.iter().map(|(id, function)| (*id, of(*id, function))).collect();
    Act::Do(Command::SetPlan(Plan::new(functions, lifetime)))
}

/// Of what this plan's function serves peers get what its users leave of the limit, as with the original, whose proxy counts
/// both together.
pub(super) fn limited(plan: FunctionPlan, function: &FunctionMeasurements) -> FunctionPlan {
    let peers_rate = limit(function).map(|limit| (limit - rate(function.user_rate)).max(0.0));
    FunctionPlan { peers_rate, ..plan }
}

/// All is served here as far as the function's limits reach; the rest is refused.
pub(super) fn all_here(function: &FunctionMeasurements) -> FunctionPlan {
    with_limits(Shares::all(Target::Local), function)
}

/// What is beyond the limits goes to peers by these weights; to nobody, if there are none.
pub(super) fn rest_to(weights: &[(NodeId, f64)], function: &FunctionMeasurements) -> FunctionPlan {
    let shares = shares(weights, 0.0);
    shares.map_or_else(
        || all_here(function),
        |shares| FunctionPlan { local_first: function.here, ..with_limits(shares, function) },
    )
}

/// Of all that is asked `here` stays and the rest goes to peers, by these weights that sum to 1 with it.
pub(super) fn divided(here: f64, weights: &[(NodeId, f64)], function: &FunctionMeasurements) -> FunctionPlan {
    shares(weights, here).map_or_else(|| all_here(function), |shares| with_limits(shares, function))
}

/// Of more peers than a plan holds those with the largest weights are taken.
fn shares(weights: &[(NodeId, f64)], here: f64) -> Option<Shares> {
    let mut parts: Vec<(Target, f64)> = weights
        .iter()
        .map(|(node, weight)| (Target::Peer(*node), *weight))
        .filter(|(_, w)| *w > 0.0)
        .collect();
    parts.sort_by(|a, b| b.1.total_cmp(&a.1));
    parts.truncate(MAX_TARGETS - 1);
    parts.push((Target::Local, here));
    Shares::proportional(&parts).ok()
}

fn with_limits(shares: Shares, function: &FunctionMeasurements) -> FunctionPlan {
    FunctionPlan {
        local_inflight: function.max_inflight,
        local_rate: limit(function),
        ..FunctionPlan::new(shares)
    }
}
