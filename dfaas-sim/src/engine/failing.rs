//! Failures and their ends.

use super::queue::What;
use super::{Simulation, Violation};
use crate::federation::Nanos;
use crate::outcome::End;
use crate::scenario;

/// How many times what it has a liar promises, where nothing else is said.
const LIES: f64 = 2.0;

impl Simulation<'_> {
    /// A failure begins.
    pub(super) fn fails(&mut self, now: Nanos, number: u32) -> Result<(), Violation> {
        let failure = &self.scenario.failures[number as usize];
        match failure.what {
            scenario::What::Kill => failure.nodes.iter().try_for_each(|node| self.kill(now, *node)),
            scenario::What::Join => failure.nodes.iter().try_for_each(|node| self.start(now, *node)),
            scenario::What::Partition => {
                failure.nodes.iter().for_each(|node| self.sides[*node] ^= 1 << (number % 64));
                Ok(())
            }
            scenario::What::BlackHole => {
                failure.nodes.iter().for_each(|node| self.nodes[*node].gateway.mute = true);
                Ok(())
            }
            scenario::What::Liar => {
                let factor = failure.factor.unwrap_or(LIES);
                failure.nodes.iter().for_each(|node| self.nodes[*node].agent.lies = Some(factor));
                Ok(())
            }
            scenario::What::Drain => {
                failure.nodes.iter().for_each(|node| self.nodes[*node].drain(Some(now)));
                Ok(())
            }
            scenario::What::Slow => {
                let factor = failure.factor.unwrap_or(1.0);
                failure.nodes.iter().for_each(|node| self.slow_down(now, *node, factor));
                Ok(())
            }
        }
    }

    /// It ends.
    pub(super) fn heals(&mut self, now: Nanos, number: u32) -> Result<(), Violation> {
        let failure = &self.scenario.failures[number as usize];
        for node in failure.nodes.iter().copied() {
            match failure.what {
                scenario::What::Kill => self.start(now, node)?,
                scenario::What::Join => {}
                scenario::What::Partition => self.sides[node] ^= 1 << (number % 64),
                scenario::What::BlackHole => self.nodes[node].gateway.mute = false,
                scenario::What::Liar => self.nodes[node].agent.lies = None,
                scenario::What::Drain => self.nodes[node].drain(None),
                scenario::What::Slow => self.slow_down(now, node, 1.0),
            }
        }
        Ok(())
    }

    fn slow_down(&mut self, now: Nanos, node: usize, factor: f64) {
        self.nodes[node].gateway.set_slow(now, factor);
        self.plan_shared(node as u32);
    }

    /// A node is gone, with all that its kernel and gateway had under way.
    fn kill(&mut self, now: Nanos, node: usize) -> Result<(), Violation> {
        self.nodes[node].up = false;
        let mut live = vec![true; self.requests.places() as usize];
        self.requests.free().iter().for_each(|free| live[*free as usize] = false);
        for number in (0..self.requests.places()).filter(|number| live[*number as usize]) {
            let request = self.requests[number];
            // One that only asks to be taken hears nothing and goes elsewhere.
            let is_there = request.at as usize == node && (request.admitted || request.over);
            let passes = request.origin as usize == node || is_there;
            if !passes {
                continue;
            }
            if !request.over {
                self.end(now, number, End::Lost)?;
            }
            if request.at as usize == node {
                self.requests[number].stranded = true;
                // Nothing else names what stands in the queue, which is cleared below.
                if request.queued {
                    self.requests.remove(number);
                }
            }
        }
        self.nodes[node].gateway.clear();
        Ok(())
    }

    /// A node comes, or comes again.
    fn start(&mut self, now: Nanos, node: usize) -> Result<(), Violation> {
        if self.nodes[node].up {
            return Ok(());
        }
        let (memory, functions) = (self.scenario.nodes.memory, &self.federation.functions);
        let restarted = self.nodes[node].restart(self.technique, &self.options, memory, functions, now);
        restarted.map_err(|error| self.violation(now, error.to_string()))?;
        self.plan_tick(now, node as u32, true);
        Ok(())
    }

    /// The failures as events.
    pub(super) fn plan_failures(&mut self) {
        let begin = self.begin;
        for (number, failure) in (0..).zip(&self.scenario.failures) {
            if failure.what == scenario::What::Join {
                failure.nodes.iter().for_each(|node| self.nodes[*node].up = false);
            }
            self.queue.push(begin + crate::federation::nanos(failure.at), What::Fails(number));
            if let Some(until) = failure.until {
                self.queue.push(begin + crate::federation::nanos(until), What::Heals(number));
            }
        }
    }
}
