use std::collections::BTreeMap;

use super::asks::Want;
use super::demand::Load;
use super::prices::Prices;
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
#[derive(Debug, Clone, Copy)]
pub(super) struct Holding<'a> {
    pub node: NodeId,
    /// Its processors that this node may use.
    pub grant: f64,
    /// What an invocation of each function that is to leave costs there.
    pub costs: &'a Prices,
}

/// Where invocations go: for each function and peer what is sent there, and what may be, a second. In the order of the
/// functions, and of the peers of each.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Offload(Vec<(FunctionId, Vec<(NodeId, Flow)>)>);

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
    pub(super) fn divide(wants: &[Want], holdings: &[Holding<'_>]) -> Self {
        let rates = Rates::of(wants, holdings);
        let grows: Vec<f64> = holdings
            .iter()
            .zip(&rates.left)
            .map(|(holding, left)| {
                let used = holding.grant - left;
                if used > 0.0 { holding.grant / used } else { 1.0 }
            })
            .collect();
        // A function that is named twice keeps the order of its wants: the sort is stable.
        let mut order: Vec<usize> = (0..wants.len()).collect();
        order.sort_by_key(|want| wants[*want].function);
        let mut flows: Vec<(FunctionId, Vec<(NodeId, Flow)>)> = Vec::with_capacity(order.len());
        for same in order.chunk_by(|a, b| wants[*a].function == wants[*b].function) {
            let sums = (0..holdings.len()).map(|to| same.iter().map(|want| rates.at(*want, to)).sum::<f64>());
            let to = holdings.iter().zip(&grows).zip(sums).filter(|(_, rate)| *rate > 0.0);
            let mut to: Vec<(NodeId, Flow)> = to
                .map(|((holding, grows), rate)| (holding.node, Flow { rate, limit: rate * grows }))
                .collect();
            to.sort_by_key(|(node, _)| *node);
            flows.extend((!to.is_empty()).then_some((wants[same[0]].function, to)));
        }
        Self(flows)
    }

    /// What of a function goes to whom.
    pub(super) fn of(&self, function: FunctionId) -> impl Iterator<Item = (NodeId, Flow)> {
        let place = self.0.binary_search_by_key(&function, |(id, _)| *id);
        place.into_iter().flat_map(|place| self.0[place].1.iter().copied())
    }

    /// Invocations a second that each peer is to be sent.
    pub(super) fn by_peer(&self) -> BTreeMap<NodeId, f64> {
        let mut sums = BTreeMap::new();
        for (node, flow) in self.0.iter().flat_map(|(_, flows)| flows) {
            *sums.entry(*node).or_default() += flow.rate;
        }
        sums
    }

    /// Processors of this node that its users do not need for what leaves it.
    pub(super) fn relief(&self, loads: &BTreeMap<FunctionId, Load>) -> f64 {
        let saved = |(id, flows): &(FunctionId, Vec<(NodeId, Flow)>)| {
            let load = loads.get(id).filter(|load| load.here)?;
            Some(flows.iter().map(|(_, flow)| flow.rate).sum::<f64>() * load.cost)
        };
        self.0.iter().filter_map(saved).sum()
    }
}

/// What of each want is sent to each holding, a second, and the processors of each that are left.
struct Rates {
    holdings: usize,
    /// Want by want; 0: nothing.
    rates: Vec<f64>,
    left: Vec<f64>,
}

impl Rates {
    fn of(wants: &[Want], holdings: &[Holding<'_>]) -> Self {
        let mut rates = vec![0.0; wants.len() * holdings.len()];
        let mut left: Vec<f64> = holdings.iter().map(|holding| holding.grant).collect();
        if holdings.is_empty() {
            return Self { holdings: 0, rates, left };
        }
        for (index, (want, rates)) in wants.iter().zip(rates.chunks_exact_mut(holdings.len())).enumerate() {
            let mut whole = 0.0;
            for ((holding, left), room) in holdings.iter().zip(&left).zip(rates.iter_mut()) {
                *room = holding.costs.of(index).map_or(0.0, |cost| left / cost);
                whole += *room;
            }
            let moved = want.rate.min(whole);
            for ((holding, left), part) in holdings.iter().zip(&mut left).zip(rates) {
                let rate = if whole > 0.0 { moved * (*part / whole) } else { 0.0 };
                let cost = holding.costs.of(index).filter(|_| rate >= LEAST);
                *part = if cost.is_some() { rate } else { 0.0 };
                *left = cost.map_or(*left, |cost| (*left - rate * cost).max(0.0));
            }
        }
        Self { holdings: holdings.len(), rates, left }
    }

    fn at(&self, want: usize, holding: usize) -> f64 {
        self.rates[want * self.holdings + holding]
    }
}

#[cfg(test)]
#[path = "offload_tests.rs"]
mod tests;
