use std::collections::BTreeMap;

use super::demand::capacity;
use super::notable;
use super::received::Received;
use crate::id::{FunctionId, NodeId};
use crate::measurements::{FunctionMeasurements, Measurements};
use crate::plan::{FunctionPlan, PickMode, Plan};
use crate::shares::{MAX_TARGETS, Shares, Target};
use crate::strategies::plain::{candidates, with_own_limits};

/// Invocations a second that every node takes from every peer unasked: for a function that is not here and that nobody
/// asked for before, until there are grants.
pub(super) const UNASKED: f64 = 0.5;

/// In a burst between two ticks a node can have this many times its `max_rate` to send away.
const SURGE: f64 = 4.0;

/// The plan of a function whose users ask for `excess` invocations a second more than is served here.
///
/// Here as far as `max_rate` reaches, then to the peers that granted something, in proportion to their grants and not
/// above them. The peers are named also while the function is not overloaded: a burst within a period goes to them
/// instead of being answered 429, and may, since their grants are their word.
///
/// A function that only peers have goes to the grantors alone; while there are none, a little of it to all that have
/// it.
pub(super) fn plan(
    id: FunctionId,
    function: &FunctionMeasurements,
    excess: f64,
    measured: &Measurements,
    received: &Received,
) -> FunctionPlan {
    let everything_here = || with_own_limits(Shares::all(Target::Local), function);
    let Some(capacity) = capacity(function) else { return everything_here() };
    let serving = || candidates(id, function, measured).map(|(node, _)| node);
    let mut peers: Vec<(NodeId, f64)> =
        serving().filter_map(|node| Some((node, received.limit(node, id)?))).collect();
    if peers.is_empty() && !function.here {
        peers = serving().map(|node| (node, UNASKED)).collect();
    }
    // A stable sort: of equal grants the lower node id stays in front.
    peers.sort_by(|a, b| b.1.total_cmp(&a.1));
    peers.truncate(MAX_TARGETS - 1);
    // More than is needed of one peer does not count, so that nobody draws everything to itself by a huge grant. If
    // the grants suffice, each part still fits its grant.
    let needed = excess.max(SURGE * capacity).max(1.0);
    let weights: Vec<(Target, f64)> =
        peers.iter().map(|(node, limit)| (Target::Peer(*node), limit.min(needed))).collect();
    let Ok(shares) = Shares::proportional(&weights) else { return everything_here() };
    let named = peers.into_iter().filter(|(node, _)| shares.part(Target::Peer(*node)) > 0);
    let peer_rate = named.collect();
    let limited = with_own_limits(shares, function);
    FunctionPlan { mode: PickMode::Smooth, local_first: function.here, peer_rate, ..limited }
}

/// Whether two plans differ notably: in a peer, or in what is sent to it or taken from it.
pub(super) fn differ(a: &Plan, b: &Plan) -> bool {
    let functions = |plan: &Plan| plan.functions.keys().copied().collect::<Vec<_>>();
    let admitted = |plan: &Plan| plan.admission.iter().map(|(node, a)| (*node, a.rate)).collect();
    functions(a) != functions(b)
        || rates_differ(&admitted(a), &admitted(b))
        || a.functions.iter().any(|(id, plan)| {
            b.functions.get(id).is_none_or(|other| rates_differ(&plan.peer_rate, &other.peer_rate))
        })
}

fn rates_differ(a: &BTreeMap<NodeId, f64>, b: &BTreeMap<NodeId, f64>) -> bool {
    a.len() != b.len() || a.iter().any(|(node, rate)| b.get(node).is_none_or(|other| notable(*rate, *other)))
}
