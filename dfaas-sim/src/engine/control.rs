//! Ticks and plans: the agent's part, in virtual time.

use std::time::Duration;

use dfaas_common::config::Report;
use dfaas_control::{NodeId, Plan, Time, Wait};
use rand::Rng;

use super::node::{newcomer, number};
use super::queue::What;
use super::{Simulation, Violation, compile};
use crate::federation::{Nanos, nanos};
use crate::random::ForStrategy;

/// A peer that was not heard for so many periods is none any more.
const SILENT_PERIODS: f64 = 3.5;

pub(super) fn time(now: Nanos) -> Time {
    Time(Duration::from_nanos(now))
}

impl Simulation<'_> {
    /// When a node's next tick is due: a period later, or up to a tenth less or more.
    pub(super) fn plan_tick(&mut self, now: Nanos, node: u32, first: bool) {
        let agent = &mut self.nodes[node as usize].agent;
        let part = if first { agent.random.random::<f64>() } else { agent.random.random_range(0.9..1.1) };
        agent.due = now + (nanos(self.scenario.period) as f64 * part) as Nanos;
        self.queue.push(agent.due, What::Tick(node));
    }

    /// A node's strategy decides.
    pub(super) fn tick(&mut self, now: Nanos, node: u32) -> Result<(), Violation> {
        let index = node as usize;
        if !self.nodes[index].up || self.nodes[index].agent.due != now {
            return Ok(());
        }
        if now < self.end || self.requests.len() > 0 {
            self.plan_tick(now, node, false);
        }
        self.beat(now, index);
        self.measure(now, index);
        let agent = &mut self.nodes[index].agent;
        let acts = agent.technique.on_tick(time(now), &agent.measured, &mut ForStrategy(&mut agent.random));
        self.carry_out(now, index, acts)
    }

    /// Peers hear that the node is there.
    fn beat(&mut self, now: Nanos, node: usize) {
        for number in 1..self.nodes[node].backends.len() {
            let peer = self.nodes[node].backends[number] as usize;
            if self.reach(node, peer) && self.nodes[peer].up && !self.is_lost() {
                let own = usize::from(self.nodes[peer].numbers[node]);
                self.nodes[peer].agent.heard[own] = now + self.federation.rtt(node, peer) / 2;
            }
        }
    }

    /// Brings what the strategy is told up to date.
    fn measure(&mut self, now: Nanos, index: usize) {
        let patience = (nanos(self.scenario.period) as f64 * SILENT_PERIODS) as Nanos;
        let node = &mut self.nodes[index];
        let agent = &mut node.agent;
        let seconds = (now - agent.ticked) as f64 / 1e9;
        agent.ticked = now;
        let of_functions = node.of_functions.iter_mut().zip(&node.kernel.inflight);
        for ((counted, inflight), out) in of_functions.zip(agent.measured.functions.values_mut()) {
            counted.read(seconds, *inflight, self.scenario.nodes.measure_cpu, out);
        }
        if let Some((total, free)) = self.scenario.nodes.memory.zip(node.instances.free()) {
            agent.measured.node.memory_total = Some(total << 20);
            agent.measured.node.memory_free = Some(free << 20);
        }
        for (function, out) in agent.measured.functions.values_mut().enumerate() {
            out.replicas = node.instances.ready(function);
        }
        for number in 1..node.backends.len() {
            let peer = node.backends[number];
            let id = NodeId(peer.into());
            if agent.heard[number] + patience <= now {
                if agent.measured.peers.remove(&id).is_some() {
                    node.kernel.peers[number].usable = 0;
                    node.kernel.reports[number] = Report::default();
                    agent.reports[number] = None;
                    agent.grants.forget(number);
                }
                continue;
            }
            node.kernel.peers[number].usable = 1;
            let entry = agent.measured.peers.entry(id);
            let measured = entry.or_insert_with(|| newcomer(self.federation, index, peer as usize).1);
            node.of_peers[number].read(seconds, measured);
        }
    }

    /// Tells a node's kernel a peer's wait.
    pub(super) fn set_wait(&mut self, node: usize, peer: NodeId, wait: &Wait) {
        let node = &mut self.nodes[node];
        if let number @ 1.. = node.number(peer) {
            node.report(number as usize, wait);
        }
    }

    /// Gives a node's kernel a plan.
    pub(super) fn set_plan(&mut self, now: Nanos, index: usize, plan: &Plan) {
        let federation = self.federation;
        let node = &mut self.nodes[index];
        let numbers = &node.numbers;
        let backend = |id: NodeId| number(numbers, id);
        let expires = now.saturating_add(nanos(plan.lifetime));
        let mut functions = plan.functions.iter().peekable();
        for (service, out) in federation.functions.iter().zip(&mut node.plans) {
            while functions.next_if(|(id, _)| **id < service.id).is_some() {}
            match functions.next_if(|(id, _)| **id == service.id) {
                Some((_, function)) => *out = compile::plan(function, expires, backend),
                None => out.expires = 0,
            }
        }
        plan.here.iter().for_each(|wait| node.report(0, wait));
        for (id, wait) in &plan.waits {
            if let number @ 1.. = node.number(*id) {
                node.report(number as usize, wait);
            }
        }
        for number in 1..node.backends.len() {
            let id = NodeId(node.backends[number].into());
            let peer = &mut node.kernel.peers[number];
            *peer = compile::admission(plan.admission.get(&id), *peer);
        }
    }
}
