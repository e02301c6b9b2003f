//! A federation of nodes on a plane: links are sought, accepted and ended as hosts do it, in rounds of a second.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dfaas_control::{Candidate, Link, Neighbourhood, NodeId, Time};

/// Rounds for which a node that refused, or was left, is not sought.
const BARRED: u64 = 60;

/// The same numbers in every run (splitmix64).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("a small number")
    }
}

pub struct World {
    pub round: u64,
    pub nodes: Vec<Neighbourhood<usize>>,
    /// Whom each node knows, and until which round not to seek it.
    pub known: Vec<BTreeMap<usize, u64>>,
    /// The neighbours of each.
    pub links: Vec<BTreeSet<usize>>,
    /// Links that came and went since the start.
    pub changes: usize,
    /// Nodes that are there.
    pub up: Vec<bool>,
    places: Vec<(i64, i64)>,
}

impl World {
    /// So many nodes that each know `sample` others, and want `wanted` neighbours.
    pub fn new(count: usize, sample: usize, wanted: usize, seed: u64) -> Self {
        let mut numbers = Numbers(seed);
        let places = (0..count).map(|_| (numbers.below(10_000) as i64, numbers.below(10_000) as i64));
        let places = places.collect();
        let known = (0..count).map(|own| {
            let mut known = BTreeMap::new();
            while known.len() < sample.min(count - 1) {
                let other = numbers.below(count);
                if other != own {
                    known.insert(other, 0);
                }
            }
            known
        });
        Self {
            round: 0,
            known: known.collect(),
            nodes: (0..count)
                .map(|own| Neighbourhood::new(wanted, seed ^ own as u64, BTreeSet::new(), BTreeSet::new()))
                .collect(),
            links: vec![BTreeSet::new(); count],
            changes: 0,
            up: vec![true; count],
            places,
        }
    }

    /// Distance as a round-trip time: up to 14 ms, and 0.1 ms for the node's own network.
    pub fn rtt(&self, a: usize, b: usize) -> Duration {
        let ((ax, ay), (bx, by)) = (self.places[a], self.places[b]);
        let distance = ((ax - bx).pow(2) + (ay - by).pow(2)) as f64;
        Duration::from_micros(100 + distance.sqrt() as u64)
    }

    pub fn degree(&self, node: usize) -> usize {
        self.links[node].len()
    }

    pub fn linked(&self, a: usize, b: usize) -> bool {
        self.links[a].contains(&b)
    }

    /// What node `own` knows of the others.
    pub fn candidates(&self, own: usize) -> BTreeMap<usize, Candidate> {
        let one = |(other, barred): (&usize, &u64)| {
            let linked = self.linked(own, *other);
            let link = match (linked, *barred > self.round || !self.up[*other]) {
                (true, _) => Link::Held,
                (false, true) => Link::Barred,
                (false, false) => Link::Free,
            };
            let candidate = Candidate {
                number: NodeId(*other as u64),
                rtt: Some(self.rtt(own, *other)),
                link,
                links: linked.then(|| self.degree(*other)),
                keeps: linked && self.nodes[*other].keeps(&own),
            };
            (*other, candidate)
        };
        self.known[own].iter().map(one).collect()
    }

    /// A second passes; every node chooses once.
    pub fn round(&mut self) {
        self.round += 1;
        for own in (0..self.nodes.len()).filter(|own| self.up[*own]).collect::<Vec<_>>() {
            let candidates = self.candidates(own);
            let choice = self.nodes[own].choose(Time(Duration::from_secs(self.round)), &candidates);
            for other in choice.leave {
                self.leave(own, other);
            }
            for other in choice.seek {
                self.seek(own, other);
            }
        }
    }

    pub fn leave(&mut self, own: usize, other: usize) {
        assert!(self.links[own].remove(&other) && self.links[other].remove(&own), "a link that is there");
        self.changes += 1;
        for (a, b) in [(own, other), (other, own)] {
            self.known[a].insert(b, self.round + BARRED);
        }
    }

    fn seek(&mut self, own: usize, other: usize) {
        let degree = self.degree(other);
        if self.nodes[other].accepts(&own, degree) {
            self.links[own].insert(other);
            self.links[other].insert(own);
            self.known[other].entry(own).or_insert(0);
            self.changes += 1;
        } else {
            self.known[own].insert(other, self.round + BARRED);
        }
    }

    /// A node fails: its links are gone at once.
    pub fn fail(&mut self, node: usize) {
        self.up[node] = false;
        self.links[node].clear();
        for links in &mut self.links {
            links.remove(&node);
        }
    }

    /// Whether every node that is up can be reached from every other.
    pub fn is_connected(&self) -> bool {
        let up: Vec<usize> = (0..self.nodes.len()).filter(|node| self.up[*node]).collect();
        let mut reached: BTreeSet<usize> = up.iter().take(1).copied().collect();
        let mut next: Vec<usize> = reached.iter().copied().collect();
        while let Some(node) = next.pop() {
            for &other in &self.links[node] {
                if reached.insert(other) {
                    next.push(other);
                }
            }
        }
        reached.len() == up.len()
    }
}
