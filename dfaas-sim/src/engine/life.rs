//! The life of a request.

use dfaas_common::choice::{Choice, TOO_MANY};
use dfaas_common::count::{LOCAL, REJECT};

use super::kernel::{Chosen, in_force};
use super::node::Node;
use super::queue::What;
use super::request::{Leg, Request};
use super::{Simulation, Violation};
use crate::federation::Nanos;
use crate::outcome::End;

/// A kernel sends the first segment to a silent peer three times and then asks another: by the client's timers some
/// 0.2 s, 0.6 s and 1.4 s after the choice (RFC 6298 with Linux's shortest time-out).
const SILENCE: Nanos = 1_400_000_000;

/// What a kernel is asked.
pub(super) enum Ask {
    First,
    Again(u32),
    ForPeer,
}

/// What a node's kernel answers.
pub(super) fn choose(node: &mut Node, leg: &mut Leg, function: usize, now: Nanos, ask: Ask) -> u32 {
    let Node { kernel, plans, random, .. } = node;
    let plan = in_force(&plans[function], now);
    let work = plan.map_or(0, |plan| plan.work);
    let mut choice = Choice::new(Chosen { kernel, random, leg, function, work, now }, plan);
    match ask {
        Ask::First => choice.choose(),
        Ask::Again(refused) => choice.choose_again(refused),
        Ask::ForPeer => choice.for_peer(),
    }
}

impl Simulation<'_> {
    /// A user asks.
    pub(super) fn arrival(&mut self, now: Nanos, node: u32, epoch: u32) -> Result<(), Violation> {
        let asking = &mut self.nodes[node as usize];
        if asking.users.epoch != epoch {
            return Ok(());
        }
        let (function, cpu) = asking.users.ask(&self.works);
        asking.of_functions[function].of_users += 1;
        let up = asking.up;
        let request = Request {
            asked: now,
            cpu,
            origin: node,
            at: node,
            function: function as u16,
            ..Request::default()
        };
        self.next_arrival(now, node);
        self.record.asked(&request);
        let number = self.requests.add(request);
        if !up {
            self.end(now, number, End::Lost)?;
            self.requests.remove(number);
            return Ok(());
        }
        if self.probes_per_request && self.probe(now, number) {
            return Ok(());
        }
        let request = &mut self.requests[number];
        let choice = choose(&mut self.nodes[node as usize], &mut request.home, function, now, Ask::First);
        self.follow(now, number, choice)
    }

    /// Does what the kernel of the user's node has chosen.
    pub(super) fn follow(&mut self, now: Nanos, number: u32, choice: u32) -> Result<(), Violation> {
        if choice == LOCAL {
            return self.enter(now, number);
        }
        let request = &mut self.requests[number];
        let (origin, function) = (request.origin as usize, usize::from(request.function));
        if choice >= REJECT {
            self.nodes[origin].of_functions[function].rejected += 1;
            let end = if choice == TOO_MANY { End::Limited } else { End::Unavailable };
            self.end(now, number, end)?;
            self.requests.remove(number);
            return Ok(());
        }
        let node = &mut self.nodes[origin];
        node.of_peers[choice as usize].sent += 1;
        let peer = node.backends[choice as usize];
        request.at = peer;
        if self.reach(origin, peer as usize) {
            let way = self.federation.rtt(origin, peer as usize) / 2;
            self.queue.push(now + way, What::Connect(number));
        } else {
            self.queue.push(now + SILENCE, What::Silent(number));
        }
        Ok(())
    }

    /// Its connection reaches the peer.
    pub(super) fn connect(&mut self, now: Nanos, number: u32) -> Result<(), Violation> {
        let request = self.requests[number];
        if request.over {
            self.requests.remove(number);
            return Ok(());
        }
        let (origin, at) = (request.origin as usize, request.at as usize);
        if request.forwarded {
            return Err(self.violation(now, format!("a request of node {origin} is forwarded again to {at}")));
        }
        let peer = &mut self.nodes[at];
        if !peer.up {
            self.queue.push(now + SILENCE, What::Silent(number));
            return Ok(());
        }
        let from = usize::from(peer.numbers[origin]);
        let rtt = self.federation.rtt(origin, at);
        if !peer.kernel.admit(from, now) {
            self.queue.push(now + rtt / 2, What::Refused(number));
            return Ok(());
        }
        peer.of_peers[from].taken += 1;
        if let Some(since) = peer.agent.draining.filter(|since| since.saturating_add(self.leaving) < now) {
            let drained = std::time::Duration::from_nanos(now - since);
            let what = format!("node {at} is drained since {drained:?} and takes from node {origin}");
            return Err(self.violation(now, what));
        }
        let request = &mut self.requests[number];
        (request.admitted, request.forwarded) = (true, true);
        let bits = self.federation.functions[usize::from(request.function)].payload as f64 * 8.0;
        let bandwidth = self.scenario.network.bandwidth;
        let transfer = if bandwidth > 0.0 { (bits / bandwidth * 1e9) as Nanos } else { 0 };
        self.queue.push(now + rtt + transfer, What::Head(number));
        Ok(())
    }

    /// The peer has refused it, or was silent.
    pub(super) fn refused(&mut self, now: Nanos, number: u32) -> Result<(), Violation> {
        let request = &mut self.requests[number];
        if request.over {
            self.requests.remove(number);
            return Ok(());
        }
        let function = usize::from(request.function);
        let node = &mut self.nodes[request.origin as usize];
        let refused = u32::from(request.home.backend);
        node.of_peers[refused as usize].refused += 1;
        node.kernel.release(&mut request.home, function);
        request.at = request.origin;
        let choice = choose(node, &mut request.home, function, now, Ask::Again(refused));
        self.follow(now, number, choice)
    }

    /// It reaches the peer itself.
    pub(super) fn head(&mut self, now: Nanos, number: u32) -> Result<(), Violation> {
        let request = &mut self.requests[number];
        if request.over {
            self.requests.remove(number);
            return Ok(());
        }
        let function = usize::from(request.function);
        let peer = &mut self.nodes[request.at as usize];
        peer.of_functions[function].of_peers += 1;
        let choice = choose(peer, &mut request.away, function, now, Ask::ForPeer);
        if choice == LOCAL {
            return self.enter(now, number);
        }
        if choice < REJECT {
            let (from, at) = (request.origin, request.at);
            return Err(self.violation(now, format!("node {at} forwards again what came from node {from}")));
        }
        peer.of_functions[function].rejected += 1;
        self.end(now, number, End::PeerLimited)?;
        self.requests.remove(number);
        Ok(())
    }

    /// Its user has waited for too long.
    pub(super) fn given_up(&mut self, now: Nanos, number: u32) -> Result<(), Violation> {
        if !self.requests[number].over {
            self.end(now, number, End::Lost)?;
        }
        self.requests.remove(number);
        Ok(())
    }

    /// The request ends, once.
    pub(super) fn end(&mut self, now: Nanos, number: u32, end: End) -> Result<(), Violation> {
        let request = &mut self.requests[number];
        let (origin, at, function) =
            (request.origin as usize, request.at as usize, usize::from(request.function));
        if std::mem::replace(&mut request.over, true) {
            return Err(self.violation(now, format!("a request of node {origin} has ended twice")));
        }
        let away = origin != at;
        let Node { of_functions, gateway, .. } = &mut self.nodes[at];
        let counts = &mut of_functions[function];
        let at_gateway = request.reached != 0 && matches!(end, End::Answered | End::Full);
        if at_gateway {
            counts.first_byte.add(now - request.reached);
        }
        if end == End::Answered {
            counts.cpu.add(gateway.takes(request.cpu));
        }
        if request.admitted {
            let own = usize::from(self.nodes[at].numbers[origin]);
            self.nodes[at].kernel.leave(own);
            request.admitted = false;
        }
        self.nodes[at].kernel.release(&mut request.away, function);
        let peer = usize::from(request.home.backend);
        self.nodes[origin].kernel.release(&mut request.home, function);
        let mut ended = end;
        let mut arrives = now;
        if away && end != End::Lost {
            let rtt = self.federation.rtt(origin, at);
            if self.sides[origin] == self.sides[at] {
                arrives += rtt / 2;
                self.nodes[origin].of_peers[peer].first_byte.add(now - request.reached + rtt);
            } else {
                ended = End::Lost;
            }
        }
        if away && ended == End::Lost {
            self.nodes[origin].of_peers[peer].reset += 1;
        }
        let deadline = self.federation.functions[function].deadline;
        self.record.ended(request, ended, arrives, deadline);
        Ok(())
    }
}
