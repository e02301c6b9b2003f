use std::collections::BTreeMap;

use dfaas_control::{FunctionId, NodeId};

/// Part of what is left of a function that goes in one step.
const STEP: f64 = 0.01;

/// A function of which less than this part is left is not moved any more.
const LEAST: f64 = 1e-4;

/// A peer that can take something.
pub(super) struct Taker {
    pub node: NodeId,
    /// Points that may be added to it.
    pub margin: f64,
    /// Functions that it has, and the points that one invocation a second adds to it.
    pub costs: Vec<(FunctionId, f64)>,
}

/// Invocations a second of each function that go to each peer.
pub(super) type Moved = BTreeMap<FunctionId, BTreeMap<NodeId, f64>>;

/// Moves a hundredth of what is left of a function at a time, peer by peer and at each peer function by function, until
/// `enough` of what is left, or nobody can take a step: one that does not fit a peer's margin is not tried there again.
pub(super) fn shed(
    asked: &BTreeMap<FunctionId, f64>,
    mut takers: Vec<Taker>,
    enough: impl Fn(&BTreeMap<FunctionId, f64>) -> bool,
) -> Moved {
    let (mut left, mut moved) = (asked.clone(), Moved::new());
    let mut turns = vec![0_usize; takers.len()];
    let mut peer = 0;
    while !enough(&left) && takers.iter().any(|taker| !taker.costs.is_empty()) {
        let taker = &mut takers[peer];
        if !taker.costs.is_empty() {
            let turn = turns[peer] % taker.costs.len();
            let (id, cost) = taker.costs[turn];
            let rest = left.get(&id).copied().unwrap_or(0.0);
            let step = rest * STEP;
            if rest <= LEAST * asked.get(&id).copied().unwrap_or(0.0) || step * cost > taker.margin {
                taker.costs.remove(turn);
                turns[peer] = turn;
            } else {
                taker.margin -= step * cost;
                left.insert(id, rest - step);
                *moved.entry(id).or_default().entry(taker.node).or_default() += step;
                turns[peer] = turn + 1;
            }
        }
        peer = (peer + 1) % takers.len();
    }
    moved
}
