//! Two peers are asked for each request that would wait: [`crate::techniques::PerRequest`].

use dfaas_common::count::LOCAL;
use dfaas_control::{Message, ProbeWord};
use rand::seq::IndexedRandom;

use super::life::{Ask, choose};
use super::queue::What;
use super::words::size;
use super::{Simulation, Violation};
use crate::federation::Nanos;
use crate::techniques::Word;

/// A request that has asked, and what the peers answered.
#[derive(Debug, Clone, Copy)]
struct Probe {
    request: u32,
    peers: [Option<Asked>; 2],
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    backend: u8,
    wait: Option<Nanos>,
}

/// Requests that wait for answers; places are used again.
#[derive(Debug, Default)]
pub(super) struct Probes {
    all: Vec<Probe>,
    free: Vec<u32>,
}

impl Probes {
    fn add(&mut self, probe: Probe) -> u32 {
        if let Some(place) = self.free.pop() {
            self.all[place as usize] = probe;
            return place;
        }
        self.all.push(probe);
        (self.all.len() - 1) as u32
    }

    fn take(&mut self, place: u32) -> Probe {
        self.free.push(place);
        self.all[place as usize]
    }
}

/// Bytes of a question or an answer.
fn bytes() -> u64 {
    size(&Word::Strategy(Message::Probe(ProbeWord::default())))
}

impl Simulation<'_> {
    /// Asks two peers, if the request would wait here and there is somebody to ask.
    pub(super) fn probe(&mut self, now: Nanos, number: u32) -> bool {
        let index = self.requests[number].origin as usize;
        let node = &mut self.nodes[index];
        if node.gateway.expected_wait() == 0 {
            return false;
        }
        let usable = |backend: &u8| node.kernel.peers[usize::from(*backend)].usable != 0;
        let peers: Vec<u8> = (1..node.backends.len() as u8).filter(usable).collect();
        let mut drawn = peers.choose_multiple(&mut node.random, 2).copied();
        let ask = |backend| Asked { backend, wait: None };
        let peers = [drawn.next().map(ask), drawn.next().map(ask)];
        let place = self.probes.add(Probe { request: number, peers });
        let mut longest = 0;
        for (which, asked) in (0..).zip(peers).filter_map(|(which, asked)| Some((which, asked?))) {
            let peer = self.nodes[index].backends[usize::from(asked.backend)] as usize;
            let rtt = self.federation.rtt(index, peer);
            self.record.said(now, bytes());
            self.queue.push(now + rtt / 2, What::Question(place, which));
            longest = longest.max(rtt);
        }
        // Who has not answered when the farther one could have is not waited for.
        self.queue.push(now + longest, What::Answers(place));
        true
    }

    /// A question reaches a peer.
    pub(super) fn question(&mut self, now: Nanos, place: u32, which: u32) {
        let probe = &mut self.probes.all[place as usize];
        let Some(asked) = &mut probe.peers[which as usize] else { return };
        let origin = self.requests[probe.request].origin as usize;
        let peer = self.nodes[origin].backends[usize::from(asked.backend)] as usize;
        let node = &self.nodes[peer];
        if !node.up || self.sides[origin] != self.sides[peer] {
            return;
        }
        asked.wait = Some(node.agent.lies.map_or(node.gateway.expected_wait(), |_| 0));
        self.record.said(now, bytes());
    }

    /// The answers are there: the request goes where its turn comes first.
    pub(super) fn answers(&mut self, now: Nanos, place: u32) -> Result<(), Violation> {
        let Probe { request: number, peers } = self.probes.take(place);
        let request = &mut self.requests[number];
        if request.over {
            self.requests.remove(number);
            return Ok(());
        }
        let origin = request.origin as usize;
        let node = &mut self.nodes[origin];
        let there = peers.into_iter().flatten().filter_map(|asked| {
            let peer = node.backends[usize::from(asked.backend)] as usize;
            // The connection takes a round trip, and the request half of one.
            Some((asked.wait? + self.federation.rtt(origin, peer) * 3 / 2, u32::from(asked.backend)))
        });
        let usable = there.filter(|(_, backend)| node.kernel.peers[*backend as usize].usable != 0);
        let (best, backend) = usable.min().unwrap_or((Nanos::MAX, LOCAL));
        let function = usize::from(request.function);
        let choice = if best < node.gateway.expected_wait() {
            node.kernel.bind(&mut request.home, function, backend, 0, 0);
            backend
        } else {
            choose(node, &mut request.home, function, now, Ask::First)
        };
        self.follow(now, number, choice)
    }
}
