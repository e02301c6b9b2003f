use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::admission::{UNASKED, peers_rate};
use super::demand::Load;
use super::offload::Offload;
use crate::id::{FunctionId, NodeId};
use crate::measurements::{FunctionMeasurements, Measurements, PeerMeasurements};
use crate::plan::{FunctionPlan, PickMode, Plan};
use crate::shares::{MAX_TARGETS, SHARE_ONE, Shares, Target};
use crate::strategies::plain::{candidates, with_own_limits};

/// Most overflow candidates of a plan.
pub(super) const MOST_CANDIDATES: usize = 16;

/// Overflow begins at the latest when this part of a function's deadline is spent on waiting.
const PATIENCE: f64 = 0.3;

/// Overflow begins at so many times the wait at which all processors are at work and a peer is reached.
const WORTH: u32 = 2;

/// At a node that has more to do than it can an invocation is to end within this part of its deadline, as far as can be
/// expected: service times vary, and what would be late takes a processor from what would not.
const ENDED: f64 = 0.7;

/// A wait of this part of the deadline is borne all the same: functions that take long are not starved.
const BORNE: f64 = 0.2;

/// The least part of a function's shares that stays here: what the limits of peers refuse is served here then, instead of
/// being answered 429.
const LEFT: f64 = 1e-3;

/// A part of all shares and rates that differs less is not worth a new plan before the next tick.
const NOTABLE: f64 = 0.01;

/// A peer that may take overflow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taker<'a> {
    pub node: NodeId,
    /// The way there and back.
    pub rtt: Duration,
    pub peer: &'a PeerMeasurements,
}

/// What all plans of a tick are made of.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub measured: &'a Measurements,
    pub loads: &'a BTreeMap<FunctionId, Load>,
    pub offload: &'a Offload,
    /// Peers that may take overflow, the best first.
    pub takers: Vec<Taker<'a>>,
    /// Whether there is so much to do that waiting is likely.
    pub busy: bool,
    /// Work of a typical invocation under way (processor-seconds).
    pub typical_work: f64,
    /// Whether what is to be done here is more than can be.
    pub saturated: bool,
    /// Processors that peers may use, and those that they used.
    pub room: f64,
    pub of_peers: f64,
}

impl Scene<'_> {
    /// The plan of one function.
    pub(super) fn plan(&self, id: FunctionId, function: &FunctionMeasurements) -> FunctionPlan {
        let Some(load) = self.loads.get(&id) else {
            return with_own_limits(Shares::all(Target::Local), function);
        };
        if !function.here {
            return self.elsewhere(id, function);
        }
        let mut sent: Vec<(NodeId, f64, f64)> =
            self.offload.of(id).map(|(node, flow)| (node, flow.rate, flow.limit)).collect();
        // A stable sort: of equal rates the lower node id stays in front.
        sent.sort_by(|a, b| b.1.total_cmp(&a.1));
        sent.truncate(MAX_TARGETS - 1);
        let kept = (load.rate - sent.iter().map(|(_, rate, _)| rate).sum::<f64>()).max(load.rate * LEFT);
        let weights: Vec<(Target, f64)> = std::iter::once((Target::Local, kept))
            .chain(sent.iter().map(|(node, rate, _)| (Target::Peer(*node), *rate)))
            .collect();
        let shares = Shares::proportional(&weights).unwrap_or_else(|_| Shares::all(Target::Local));
        let named = sent.iter().filter(|(node, ..)| shares.part(Target::Peer(*node)) > 0);
        let peer_rate = named.map(|(node, _, limit)| (*node, *limit)).collect();
        let mut plan = with_own_limits(shares, function);
        plan.mode = PickMode::Smooth;
        plan.peer_rate = peer_rate;
        plan.work = Duration::from_secs_f64(load.cost);
        plan.peers_rate = load.may_leave.then(|| peers_rate(self.room, self.of_peers, load.cost));
        if self.saturated {
            plan.local_wait = Some(longest_wait(load.cost, function.deadline));
        }
        self.add_overflow(id, function, &mut plan);
        plan
    }

    /// A function that only peers have goes to those that granted something; while there are none, a little of it to all
    /// that have it.
    fn elsewhere(&self, id: FunctionId, function: &FunctionMeasurements) -> FunctionPlan {
        let mut sent: Vec<(NodeId, f64, f64)> =
            self.offload.of(id).map(|(node, flow)| (node, flow.rate, flow.limit)).collect();
        if sent.is_empty() {
            sent = candidates(id, function, self.measured).map(|(node, _)| (node, 1.0, UNASKED)).collect();
        }
        sent.sort_by(|a, b| b.1.total_cmp(&a.1));
        sent.truncate(MAX_TARGETS - 1);
        let weights: Vec<(Target, f64)> =
            sent.iter().map(|(node, rate, _)| (Target::Peer(*node), *rate)).collect();
        let shares = Shares::proportional(&weights).unwrap_or_else(|_| Shares::all(Target::Local));
        let named = sent.iter().filter(|(node, ..)| shares.part(Target::Peer(*node)) > 0);
        let peer_rate = named.map(|(node, _, limit)| (*node, *limit)).collect();
        FunctionPlan { mode: PickMode::Smooth, peer_rate, ..FunctionPlan::new(shares) }
    }

    /// What exceeds the local limits may overflow at any time. What merely waits may while the node is busy: in quiet
    /// times a plan without overflow lets the data plane rest.
    fn add_overflow(&self, id: FunctionId, function: &FunctionMeasurements, plan: &mut FunctionPlan) {
        let limited = plan.local_rate.is_some() || plan.local_inflight.is_some() || plan.local_wait.is_some();
        if function.local_only || !(limited || self.busy) {
            return;
        }
        let serving = self.takers.iter().filter(|taker| taker.peer.serves(id, function.here));
        let mut nearest: Option<Duration> = None;
        plan.overflow.reserve_exact(self.takers.len().min(MOST_CANDIDATES));
        for taker in serving.take(MOST_CANDIDATES) {
            plan.overflow.push(taker.node);
            nearest = Some(nearest.map_or(taker.rtt, |nearest| nearest.min(taker.rtt)));
        }
        if let Some(nearest) = nearest.filter(|_| self.busy) {
            // With all processors at work on typical invocations the expected wait is the work of one of them. As much
            // again may wait: what leaves too readily disturbs where it goes more than it gains.
            let full = Duration::from_secs_f64(self.typical_work.clamp(0.0, 1e6));
            plan.overflow_above = Some(((full + nearest) * WORTH).min(function.deadline.mul_f64(PATIENCE)));
        }
    }
}

/// For how long invocations that cost `cost` (s) may wait at a node that has more to do than it can: what would wait longer is
/// refused at once, as it could only be answered late and would make others late. Of the functions those that cost most are
/// given up first: that leaves as much work to do, and fewer users without an answer.
fn longest_wait(cost: f64, deadline: Duration) -> Duration {
    let ended =
        deadline.mul_f64(ENDED).saturating_sub(Duration::try_from_secs_f64(cost).unwrap_or(Duration::MAX));
    ended.max(deadline.mul_f64(BORNE))
}

/// Whether two plans differ notably: in where invocations go, or in what is taken.
pub(super) fn differ(a: &Plan, b: &Plan) -> bool {
    let admitted = |plan: &Plan| plan.admission.iter().map(|(node, a)| (*node, a.rate)).collect::<Vec<_>>();
    let function = |((a, plan), (b, other)): (Of<'_>, Of<'_>)| a != b || functions_differ(plan, other);
    rates_differ(&admitted(a), &admitted(b))
        || a.waits.keys().ne(b.waits.keys())
        || !Arc::ptr_eq(&a.functions, &b.functions)
            && (a.functions.len() != b.functions.len()
                || a.functions.iter().zip(b.functions.iter()).any(function))
}

type Of<'a> = (&'a FunctionId, &'a FunctionPlan);

fn functions_differ(a: &FunctionPlan, b: &FunctionPlan) -> bool {
    let part = |part: u32| f64::from(part) / f64::from(SHARE_ONE);
    let (old, new) = (a.shares.parts(), b.shares.parts());
    // Shares name a target once, and none without a part.
    let differs = |(target, old): &(Target, u32)| match b.shares.part(*target) {
        0 => true,
        new => (part(*old) - part(new)).abs() > NOTABLE,
    };
    let rates =
        |plan: &FunctionPlan| plan.peer_rate.iter().map(|(node, rate)| (*node, *rate)).collect::<Vec<_>>();
    old.len() != new.len()
        || old.iter().any(differs)
        || rates_differ(&rates(a), &rates(b))
        || a.overflow != b.overflow
        || a.overflow_above.is_some() != b.overflow_above.is_some()
        || a.local_wait.is_some() != b.local_wait.is_some()
}

/// Both in the order of the nodes.
fn rates_differ(a: &[(NodeId, f64)], b: &[(NodeId, f64)]) -> bool {
    let notable = |a: f64, b: f64| (a - b).abs() > NOTABLE * a.max(b);
    a.len() != b.len() || a.iter().zip(b).any(|(a, b)| a.0 != b.0 || notable(a.1, b.1))
}
