//! A request at the gateway that serves it.

use super::gateway::Offered;
use super::instances::Place;
use super::queue::What;
use super::{Simulation, Violation};
use crate::federation::Nanos;
use crate::outcome::End;

impl Simulation<'_> {
    /// It reaches the gateway that serves it.
    pub(super) fn enter(&mut self, now: Nanos, number: u32) -> Result<(), Violation> {
        let request = &mut self.requests[number];
        request.reached = now;
        let function = usize::from(request.function);
        let mean = self.works[function].mean;
        let deadline = self.federation.functions[function].deadline;
        let gateway = &mut self.nodes[request.at as usize].gateway;
        if gateway.mute {
            self.queue.push(request.asked.saturating_add(deadline).max(now), What::GivenUp(number));
            return Ok(());
        }
        if let Some(patience) = self.scenario.nodes.patience {
            let expected = gateway.expected_wait() + gateway.takes(mean);
            if expected as f64 > patience * deadline as f64 {
                self.end(now, number, End::Full)?;
                self.requests.remove(number);
                return Ok(());
            }
        }
        self.find_instance(now, number)
    }

    /// An instance of its function takes it, if there is one.
    fn find_instance(&mut self, now: Nanos, number: u32) -> Result<(), Violation> {
        let request = &mut self.requests[number];
        let function = usize::from(request.function);
        let instances = &mut self.nodes[request.at as usize].instances;
        match instances.enter(now, function, number) {
            Place::Found => self.offer(now, number),
            Place::Waits => request.queued = true,
            Place::Starts(cold) => {
                request.queued = true;
                let start = u32::from(request.function) | u32::from(instances.epoch) << 16;
                self.queue.push(now + cold, What::Started(request.at, start));
            }
            Place::Refused => {
                self.end(now, number, End::Full)?;
                self.requests.remove(number);
            }
        }
        Ok(())
    }

    /// An instance has started and takes requests that waited for it.
    pub(super) fn started(&mut self, now: Nanos, node: u32, start: u32) -> Result<(), Violation> {
        let node = &mut self.nodes[node as usize];
        if node.up && u32::from(node.instances.epoch) == start >> 16 {
            let taken = node.instances.started((start & 0xffff) as usize);
            taken.into_iter().for_each(|number| self.offer(now, number));
        }
        Ok(())
    }

    /// It has left its instance; who waited for that goes in.
    fn leave_instance(&mut self, now: Nanos, at: u32, function: u16) {
        if let Some(next) = self.nodes[at as usize].instances.leave(now, usize::from(function)) {
            self.offer(now, next);
        }
    }

    /// Processors take it, now or in its turn.
    fn offer(&mut self, now: Nanos, number: u32) {
        let request = &mut self.requests[number];
        let (at, mean) = (request.at, self.works[usize::from(request.function)].mean);
        let gateway = &mut self.nodes[at as usize].gateway;
        let offered = gateway.offer(now, number, request.cpu, mean);
        request.queued = offered != Offered::Begins;
        match offered {
            Offered::Begins => self.queue.push(now + gateway.takes(request.cpu), What::Served(number)),
            Offered::Queued => {}
            Offered::Shares => self.plan_shared(at),
        }
    }

    /// It has been served, and the next one's turn comes.
    pub(super) fn served(&mut self, now: Nanos, number: u32) -> Result<(), Violation> {
        let request = self.requests[number];
        if !request.stranded {
            let gateway = &mut self.nodes[request.at as usize].gateway;
            let (requests, works) = (&mut self.requests, &self.works);
            let next = gateway.next(|number| works[usize::from(requests[number].function)].mean);
            if let Some(next) = next {
                requests[next].queued = false;
                self.queue.push(now + gateway.takes(requests[next].cpu), What::Served(next));
            }
            self.leave_instance(now, request.at, request.function);
        }
        if !request.over {
            self.end(now, number, End::Answered)?;
        }
        self.requests.remove(number);
        Ok(())
    }

    /// When the first of those that share a node's processors ends.
    pub(super) fn plan_shared(&mut self, node: u32) {
        if let Some((at, epoch)) = self.nodes[node as usize].gateway.next_shared() {
            self.queue.push(at, What::Shared(node, epoch));
        }
    }

    /// It ends, and the others go on with more.
    pub(super) fn shared(&mut self, now: Nanos, node: u32, epoch: u32) -> Result<(), Violation> {
        let (requests, works) = (&mut self.requests, &self.works);
        let mean = |number: u32| works[usize::from(requests[number].function)].mean;
        let Some(number) = self.nodes[node as usize].gateway.take_shared(now, epoch, mean) else {
            return Ok(());
        };
        self.plan_shared(node);
        self.leave_instance(now, node, self.requests[number].function);
        if !self.requests[number].over {
            self.end(now, number, End::Answered)?;
        }
        self.requests.remove(number);
        Ok(())
    }
}
