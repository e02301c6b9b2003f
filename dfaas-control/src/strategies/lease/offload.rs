use std::collections::BTreeMap;

use super::asks::Want;
use super::demand::Load;
use crate::id::{FunctionId, NodeId};

/// Invocations a second that are not worth a share.
const LEAST: f64 = 0.01;

/// Which invocations are to leave this node, whose users ask for `excess` processors more than it gives them. First what
/// cannot stay: functions that are not here, and what is above a function's `max_rate`. Then those that compute longest,
/// as they cost the least way for the work. A function can be named for both reasons.
pub(super) fn wants(loads: &BTreeMap<FunctionId, Load>, excess: f64) -> Vec<Want> {
    let leaving = || loads.iter().filter(|(_, load)| load.may_leave && load.rate >= LEAST);
    let mut wants: Vec<Want> =
        leaving().map(|(function, load)| Want { function: *function, rate: forced(load) }).collect();
    wants.retain(|want| want.rate >= LEAST);
    let here = |want: &Want| loads.get(&want.function).filter(|load| load.here);
    let moved: f64 = wants.iter().filter_map(|want| Some(want.rate * here(want)?.cost)).sum();
    let mut left = (excess - moved).max(0.0);
    let mut heavy: Vec<(&FunctionId, &Load)> = leaving().filter(|(_, load)| load.here).collect();
    heavy.sort_by(|a, b| b.1.cost.total_cmp(&a.1.cost).then(a.0.cmp(b.0)));
    for (function, load) in heavy {
        let rate = (load.rate - forced(load)).min(left / load.cost).max(0.0);
        if rate >= LEAST {
            wants.push(Want { function: *function, rate });
            left -= rate * load.cost;
        }
    }
    wants
}

fn forced(load: &Load) -> f64 {
    match load.most {
        _ if !load.here => load.rate,
        Some(most) => (load.rate - most).max(0.0),
        None => 0.0,
    }
}

/// A peer's grant, as far as it is believed.
#[derive(Debug, Clone)]
pub(super) struct Holding {
    pub node: NodeId,
    /// Its processors that this node may use.
    pub grant: f64,
    /// What an invocation of each function costs there (s), of those that it serves.
    pub costs: BTreeMap<FunctionId, f64>,
}

/// Where invocations go: for each function and peer what is sent there, and what may be, a second.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Offload(BTreeMap<FunctionId, BTreeMap<NodeId, Flow>>);

/// Invocations a second of one function to one peer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Flow {
    pub rate: f64,
    /// What the grant allows, if the functions that share it keep their proportions.
    pub limit: f64,
}

impl Offload {
    /// Divides what is to leave among the grants, in proportion to them and never above. In proportion, and not the
    /// nearest first, because the asks have kept that order already, and so that no part moves when a distance does.
    pub(super) fn divide(wants: &[Want], holdings: &[Holding]) -> Self {
        let mut flows: BTreeMap<FunctionId, BTreeMap<NodeId, Flow>> = BTreeMap::new();
        let mut left: Vec<f64> = holdings.iter().map(|holding| holding.grant).collect();
        for want in wants {
            let room = |(holding, left): (&Holding, &f64)| {
                holding.costs.get(&want.function).map_or(0.0, |cost| left / cost)
            };
            let rooms: Vec<f64> = holdings.iter().zip(&left).map(room).collect();
            let whole: f64 = rooms.iter().sum();
            let moved = want.rate.min(whole);
            for ((holding, left), room) in holdings.iter().zip(&mut left).zip(rooms) {
                let rate = if whole > 0.0 { moved * (room / whole) } else { 0.0 };
                let Some(cost) = holding.costs.get(&want.function).filter(|_| rate >= LEAST) else {
                    continue;
                };
                *left = (*left - rate * cost).max(0.0);
                let flows = flows.entry(want.function).or_default();
                flows.entry(holding.node).or_insert(Flow { rate: 0.0, limit: 0.0 }).rate += rate;
            }
        }
        for (holding, left) in holdings.iter().zip(left) {
            let used = holding.grant - left;
            let grows = if used > 0.0 { holding.grant / used } else { 1.0 };
            for flow in flows.values_mut().filter_map(|flows| flows.get_mut(&holding.node)) {
                flow.limit = flow.rate * grows;
            }
        }
        Self(flows)
    }

    /// What of a function goes to whom.
    pub(super) fn of(&self, function: FunctionId) -> impl Iterator<Item = (NodeId, Flow)> {
        self.0.get(&function).into_iter().flatten().map(|(node, flow)| (*node, *flow))
    }

    /// Invocations a second that each peer is to be sent.
    pub(super) fn by_peer(&self) -> BTreeMap<NodeId, f64> {
        let mut sums = BTreeMap::new();
        for (node, flow) in self.0.values().flatten() {
            *sums.entry(*node).or_default() += flow.rate;
        }
        sums
    }

    /// Processors of this node that its users do not need for what leaves it.
    pub(super) fn relief(&self, loads: &BTreeMap<FunctionId, Load>) -> f64 {
        let saved = |(id, flows): (&FunctionId, &BTreeMap<NodeId, Flow>)| {
            let load = loads.get(id).filter(|load| load.here)?;
            Some(flows.values().map(|flow| flow.rate).sum::<f64>() * load.cost)
        };
        self.0.iter().filter_map(saved).sum()
    }
}

#[cfg(test)]
#[path = "offload_tests.rs"]
mod tests;
