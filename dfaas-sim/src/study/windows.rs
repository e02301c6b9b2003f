//! What was asked for, and what there was to serve it, in one stretch of a scenario's time.

use std::time::Duration;

use super::possible::Possible;
use crate::bound::{Cost, Function, Link, Node, Window};
use crate::federation::{Federation, Nanos, Offer, Service, nanos};
use crate::scenario::{Failure, Law, Scenario, What};

/// Every number of this part errs, if at all, to the side of more being served: of several slow-downs of one node the
/// mildest counts, payloads take no more than their shortest time, a partition counts only if it lasts throughout, instances
/// come in parts and start in no time, and an invocation holds its place in one for no longer than it computes.
pub(super) struct Windows<'a> {
    pub scenario: &'a Scenario,
    pub federation: &'a Federation,
    /// Seconds after the end of a window in which its work may still be done.
    pub late: f64,
}

impl Windows<'_> {
    /// The stretch from one moment to another, both from the start of the warm-up.
    pub fn window(&self, from: Nanos, to: Nanos) -> Window {
        let (federation, nodes) = (self.federation, 0..self.federation.nodes());
        let seconds = (to - from) as f64 / 1e9;
        let node = |node: usize| Node {
            cores: f64::from(federation.cores[node]) * self.mean(from, to, |at| self.speed(node, at)),
            usable: 1.0 + self.late / seconds,
            memory: self.scenario.nodes.memory.map_or(f64::INFINITY, bytes) * (1.0 + self.late / seconds),
        };
        let demand = |node: usize| {
            let up = self.mean(from, to, |at| if self.is_down(node, at) { 0.0 } else { 1.0 });
            let mut rates = self.rates(node, from, to);
            rates.iter_mut().for_each(|rate| *rate *= up);
            rates
        };
        Window {
            nodes: nodes.clone().map(node).collect(),
            functions: federation.functions.iter().map(function).collect(),
            costs: nodes.clone().map(|node| self.costs(node)).collect(),
            demand: nodes.clone().map(demand).collect(),
            links: nodes.flat_map(|a| self.links(a, from, to)).collect(),
        }
    }

    /// What forwarding from one node to the other adds (s): the engine's connection takes a round trip and a half to the
    /// peer's gateway, and the answer half of one.
    pub fn added(&self, a: usize, b: usize) -> f64 {
        let bandwidth = self.scenario.network.bandwidth;
        let least = self.federation.functions.iter().map(|of| of.payload).min().unwrap_or(0) as f64;
        let transfer = if bandwidth > 0.0 { least * 8.0 / bandwidth } else { 0.0 };
        2.0 * self.federation.rtt(a, b) as f64 / 1e9 + transfer
    }

    /// What users of a node ask for in the mean, by function (1/s), whether or not the node is there to hear it.
    pub fn rates(&self, node: usize, from: Nanos, to: Nanos) -> Vec<f64> {
        let rates = &self.federation.rates;
        let mut mean = vec![0.0; self.federation.functions.len()];
        for piece in 0..rates.pieces() {
            let ends = if piece + 1 < rates.pieces() { rates.begins(piece + 1) } else { Nanos::MAX };
            let overlap = ends.min(to).saturating_sub(rates.begins(piece).max(from));
            let part = overlap as f64 / (to - from) as f64;
            mean.iter_mut().zip(rates.of(piece, node)).for_each(|(mean, rate)| *mean += part * rate);
        }
        mean
    }

    fn costs(&self, node: usize) -> Vec<Option<Cost>> {
        let cost = |(index, of): (usize, &Service)| {
            let offer = self.federation.offer(node, index)?;
            // Parts of instances count as instances, but one must fit.
            let fits = self.scenario.nodes.memory.is_none_or(|memory| of.memory <= memory);
            fits.then(|| cost(of, offer))
        };
        self.federation.functions.iter().enumerate().map(cost).collect()
    }

    fn links(&self, a: usize, from: Nanos, to: Nanos) -> Vec<Link> {
        let reached = |b: &&usize| !self.is_apart_throughout(a, **b, from, to);
        let link = |b: &usize| Link { from: a, to: *b, delay: self.added(a, *b), bandwidth: None };
        self.federation.neighbours[a].iter().filter(reached).map(link).collect()
    }

    /// The mean of what changes only when failures begin or end.
    fn mean(&self, from: Nanos, to: Nanos, of: impl Fn(Nanos) -> f64) -> f64 {
        let mut moments = vec![from, to];
        for failure in &self.scenario.failures {
            let (begin, end) = self.span(failure);
            moments.extend([begin, end].into_iter().filter(|at| (from..to).contains(at)));
        }
        moments.sort_unstable();
        let parts = moments.windows(2).map(|pair| (pair[1] - pair[0]) as f64 * of(pair[0]));
        parts.sum::<f64>() / (to - from) as f64
    }

    /// When a failure is there; for a node that joins, when it is not there yet.
    fn span(&self, failure: &Failure) -> (Nanos, Nanos) {
        let at = |moment: Duration| nanos(self.scenario.warmup + moment);
        match failure.what {
            What::Join => (0, at(failure.at)),
            _ => (at(failure.at), failure.until.map_or(Nanos::MAX, at)),
        }
    }

    fn active(&self, node: usize, at: Nanos) -> impl Iterator<Item = &Failure> {
        self.scenario.failures.iter().filter(move |failure| {
            let (begin, end) = self.span(failure);
            failure.nodes.contains(&node) && (begin..end).contains(&at)
        })
    }

    fn is_down(&self, node: usize, at: Nanos) -> bool {
        self.active(node, at).any(|failure| matches!(failure.what, What::Kill | What::Join))
    }

    /// How much a processor of a node does, as part of what it does when all is well.
    fn speed(&self, node: usize, at: Nanos) -> f64 {
        if self.active(node, at).any(|failure| failure.what == What::BlackHole) || self.is_down(node, at) {
            return 0.0;
        }
        let slow = |failure: &&Failure| failure.what == What::Slow && failure.nodes.contains(&node);
        // The end of one slow-down ends all of a node.
        let several = self.scenario.failures.iter().filter(slow).count() > 1;
        let now = self.active(node, at).filter(slow).filter_map(|failure| failure.factor);
        let speeds = now.map(|factor| 1.0 / factor).chain(several.then_some(1.0));
        speeds.reduce(f64::max).unwrap_or(1.0)
    }

    fn is_apart_throughout(&self, a: usize, b: usize, from: Nanos, to: Nanos) -> bool {
        let cut = |failure: &&Failure| failure.what == What::Partition;
        let splits = |failure: &Failure| failure.nodes.contains(&a) != failure.nodes.contains(&b);
        let lasts = |failure: &Failure| {
            let (begin, end) = self.span(failure);
            begin <= from && end >= to
        };
        self.scenario.failures.iter().filter(cut).any(|failure| splits(failure) && lasts(failure))
    }
}

fn seconds(time: Nanos) -> f64 {
    time as f64 / 1e9
}

/// Bytes of so many MiB.
fn bytes(mebibytes: u64) -> f64 {
    mebibytes as f64 * 1_048_576.0
}

fn function(of: &Service) -> Function {
    // Any number of invocations at one time need no more than one instance, any part of which will do.
    let memory = of.concurrency.map_or(0.0, |_| bytes(of.memory));
    let possible = Possible::of(of);
    // Short invocations of a function whose mean is above the deadline are in time.
    let varies = of.cv > 0.0 || of.law == Law::Exponential;
    let deadline = seconds(of.deadline) + if varies { seconds(of.cpu) } else { 0.0 };
    Function {
        work: possible.work,
        value: possible.requests,
        concurrency: f64::from(of.concurrency.unwrap_or(1).max(1)),
        memory,
        payload: of.payload as f64,
        deadline,
    }
}

fn cost(of: &Service, offer: Offer) -> Cost {
    let cpu = seconds(of.cpu);
    let inflight = of.max_inflight.map_or(f64::INFINITY, |most| f64::from(most) / cpu);
    Cost { cpu, hold: cpu, most: offer.max_rate.unwrap_or(f64::INFINITY).min(inflight) }
}
