mod heard;
mod moves;

use std::collections::BTreeMap;
use std::time::Duration;

use super::plain::{candidates, left_for_peers, with_own_limits};
use crate::command::{Command, MarginWord, Message};
use crate::factory::Options;
use crate::id::{FunctionId, NodeId, Time};
use crate::measurements::{FunctionMeasurements, Measurements};
use crate::model::Capacity;
use crate::plan::{FunctionPlan, Plan};
use crate::random::Random;
use crate::shares::{MAX_TARGETS, SHARE_ONE, Shares, Target};
use crate::strategy::Strategy;
use heard::Heard;
use moves::{Moves, Own};

/// Part of the threshold below which an overloaded node is so no longer.
const RELIEF: f64 = 0.96;

/// What a new measurement of a rate weighs.
const FRESH: f64 = 0.5;

/// A tick that comes sooner than this part of a period after the one before measures a moment, not a rate.
const FULL: f64 = 0.5;

/// Most functions that a message tells of.
const MOST_TOLD: usize = 256;

/// Nodes tell each other how much more they can take, in points of usage, and what each function costs them; one that
/// is overloaded moves load away, 1 % of each function at a time, while the rise at the peer stays below its margin.
///
/// The rule is that of the original, whose predictor was trained before for three types of nodes and three groups of
/// functions. Here it is a [`Capacity`] that each node learns while it runs. What differs besides:
///
/// * Usage is that of the scarcest resource, not the mean over all: a mean of processors and memory looks fine while one
///   of them is exhausted.
/// * A margin is divided among the common peers that are overloaded, all if none is; else most of it is stranded.
/// * A node's own users alone count, as if all of them were served here. That does not depend on what is moved, so moving
///   does not feed back.
#[derive(Debug)]
pub struct NodeMargin {
    threshold: f64,
    period: Duration,
    lifetime: Duration,
    capacity: Capacity,
    measured: Measurements,
    /// What users ask of each function, smoothed.
    rates: BTreeMap<FunctionId, f64>,
    counted: Option<Time>,
    overloaded: bool,
    heard: Heard,
    /// The part of each function that was served here, by the plan in force.
    kept: BTreeMap<FunctionId, f64>,
}

impl NodeMargin {
    /// A node that has measured nothing yet.
    pub fn new(options: &Options) -> Self {
        Self {
            threshold: options.nodemargin_threshold.clamp(1.0, 100.0),
            period: options.period,
            lifetime: options.lifetime(),
            capacity: Capacity::default(),
            measured: Measurements::default(),
            rates: BTreeMap::new(),
            counted: None,
            overloaded: false,
            heard: Heard::default(),
            kept: BTreeMap::new(),
        }
    }

    /// Takes rates and usage, unless the last measurement was a moment ago.
    fn measure(&mut self, now: Time, measured: &Measurements) {
        let full = self.period.mul_f64(FULL);
        if self.counted.is_some_and(|then| now.since(then) < full) {
            self.rates.retain(|id, _| measured.functions.contains_key(id));
            return;
        }
        // The rates of the first tick are of no time at all.
        let first = self.counted.replace(now).is_none();
        if first {
            return;
        }
        let rate = |(id, function): (&FunctionId, &FunctionMeasurements)| {
            let fresh = usable(function.user_rate);
            let old = self.rates.get(id).copied();
            (*id, old.map_or(fresh, |old| old + FRESH * (fresh - old)))
        };
        self.rates = measured.functions.iter().map(rate).collect();
        let served = |(id, function): (&FunctionId, &FunctionMeasurements)| {
            let kept = self.kept.get(id).copied().unwrap_or(1.0);
            let guess = (kept * usable(function.user_rate)).min(function.max_rate.unwrap_or(f64::INFINITY));
            (*id, function.completion_rate.map_or(guess + usable(function.peer_rate), usable))
        };
        let served = measured.functions.iter().map(served).collect();
        self.capacity.learn(measured, &served);
    }

    /// What users ask for of the functions that are here.
    fn own_rates(&self) -> BTreeMap<FunctionId, f64> {
        let here = |id: &FunctionId| self.measured.functions.get(id).is_some_and(|function| function.here);
        self.rates.iter().filter(|(id, _)| here(id)).map(|(id, rate)| (*id, *rate)).collect()
    }

    /// Percent of what may be used of the scarcest resource.
    fn usage(&self) -> f64 {
        100.0 * self.capacity.usage(&self.own_rates()) / self.threshold
    }

    /// What every peer is told: each may add as much.
    fn word(&self) -> MarginWord {
        let told =
            self.measured.functions.iter().filter(|(_, function)| function.here && !function.local_only);
        let told: Vec<FunctionId> = told.map(|(id, _)| *id).take(MOST_TOLD).collect();
        let common: Vec<NodeId> = self
            .measured
            .peers
            .iter()
            .filter(|(_, peer)| told.iter().any(|id| peer.serves(*id, true)))
            .map(|(node, _)| *node)
            .collect();
        let needy = common.iter().filter(|node| self.heard.overloaded(**node)).count();
        let among = if needy > 0 { needy } else { common.len() };
        let left =
            if self.overloaded || self.counted.is_none() { 0.0 } else { (100.0 - self.usage()).max(0.0) };
        let cost = |id: FunctionId| (id, (100.0 * self.capacity.cost(id) / self.threshold) as f32);
        MarginWord {
            margin: (left / among.max(1) as f64) as f32,
            costs: told.into_iter().map(cost).collect(),
        }
    }

    /// The plan as things stand.
    fn plan(&mut self) -> Plan {
        let own = Own { capacity: &self.capacity, threshold: self.threshold, rates: self.own_rates() };
        let moved =
            if self.overloaded { moves::moves(&own, &self.measured, &self.heard) } else { Moves::new() };
        let functions: BTreeMap<FunctionId, FunctionPlan> = self
            .measured
            .functions
            .iter()
            .map(|(id, function)| {
                let shares = if function.here || function.local_only {
                    shares(moved.get(id))
                } else {
                    self.elsewhere(*id, function)
                };
                let peers_rate = left_for_peers(function);
                (*id, FunctionPlan { peers_rate, ..with_own_limits(shares, function) })
            })
            .collect();
        let kept = |plan: &FunctionPlan| f64::from(plan.shares.part(Target::Local)) / f64::from(SHARE_ONE);
        self.kept = functions.iter().map(|(id, plan)| (*id, kept(plan))).collect();
        Plan::new(functions, self.lifetime)
    }

    /// A function that only peers have goes to them by their margins; evenly, if none has any.
    fn elsewhere(&self, id: FunctionId, function: &FunctionMeasurements) -> Shares {
        let serving: Vec<NodeId> = candidates(id, function, &self.measured).map(|(node, _)| node).collect();
        let margins = || serving.iter().map(|node| (Target::Peer(*node), self.heard.margin(*node)));
        let mut weights: Vec<(Target, f64)> = margins().filter(|(_, margin)| *margin > 0.0).collect();
        if weights.is_empty() {
            weights = margins().map(|(target, _)| (target, 1.0)).collect();
        }
        weights.sort_by(|a, b| b.1.total_cmp(&a.1));
        weights.truncate(MAX_TARGETS);
        Shares::proportional(&weights).unwrap_or_else(|_| Shares::all(Target::Local))
    }
}

/// The shares of a function of which this many hundredths were moved to peers.
fn shares(moved: Option<&BTreeMap<NodeId, u32>>) -> Shares {
    let mut parts: Vec<(Target, f64)> =
        moved.into_iter().flatten().map(|(node, steps)| (Target::Peer(*node), f64::from(*steps))).collect();
    parts.sort_by(|a, b| b.1.total_cmp(&a.1));
    // What does not fit into a plan stays.
    parts.truncate(MAX_TARGETS - 1);
    let away: f64 = parts.iter().map(|(_, steps)| steps).sum();
    parts.push((Target::Local, (100.0 - away).max(0.0)));
    Shares::proportional(&parts).unwrap_or_else(|_| Shares::all(Target::Local))
}

fn usable(rate: f64) -> f64 {
    if rate.is_finite() { rate.clamp(0.0, 1e9) } else { 0.0 }
}

impl Strategy for NodeMargin {
    fn name(&self) -> &'static str {
        "nodemargin"
    }

    fn on_tick(&mut self, now: Time, measured: &Measurements, _random: &mut dyn Random) -> Vec<Command> {
        self.measured = measured.clone();
        self.measure(now, measured);
        self.heard.forget(now, self.lifetime, &measured.peers);
        let usage = self.usage();
        self.overloaded = usage > if self.overloaded { 100.0 * RELIEF } else { 100.0 };
        let word = self.word();
        let mut commands = vec![Command::SetPlan(self.plan())];
        let say = |node: &NodeId| Command::Send(*node, Message::Margin(word.clone()));
        commands.extend(measured.peers.keys().map(say));
        commands
    }

    fn on_message(&mut self, now: Time, from: NodeId, message: &Message) -> Vec<Command> {
        let Message::Margin(word) = message else { return Vec::new() };
        if !self.measured.peers.contains_key(&from) {
            return Vec::new();
        }
        let news = self.heard.take(now, from, word, &self.measured.functions);
        // A smaller or larger margin can wait for the next tick; one that comes or goes cannot.
        if news && self.overloaded { vec![Command::SetPlan(self.plan())] } else { Vec::new() }
    }
}
