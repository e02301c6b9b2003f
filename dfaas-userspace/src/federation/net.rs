//! Some federations in one test, with an overlay between them that delivers at once, or not at all.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use dfaas_control::{Message, NodeId, Random, Time};
use libp2p::PeerId;

use super::{Effects, Federation, Settings, Standing};
use crate::overlay::{Beat, Card, Event, Offence, Order};

/// Time between beats.
pub const PERIOD: Duration = Duration::from_secs(1);

/// The same numbers in every run.
pub struct Numbers(u64);

impl Random for Numbers {
    fn next_u64(&mut self) -> u64 {
        // splitmix64 (Steele, Lea, Flood 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// The address of node `index`.
pub fn ip(index: usize) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, 1 + u8::try_from(index).unwrap()).into()
}

pub fn card(name: &str) -> Card {
    Card {
        name: name.to_owned(),
        region: String::new(),
        data_address: None,
        data_port: 31601,
        functions: vec!["figlet".to_owned()],
    }
}

pub fn settings(name: &str, incarnation: u64) -> Settings {
    Settings {
        card: card(name),
        period: PERIOD,
        incarnation,
        pins: BTreeMap::new(),
        reserved_names: vec![name.to_owned()],
        reserved_addresses: BTreeSet::new(),
    }
}

pub struct Net {
    pub now: Time,
    pub ids: Vec<PeerId>,
    pub nodes: Vec<Federation>,
    pub random: Numbers,
    /// Links that lose everything.
    pub cut: BTreeSet<(usize, usize)>,
    /// Offences that were reported, by who did and who reported.
    pub offences: Vec<(usize, usize, Offence)>,
    /// What strategies would have heard, by receiver.
    pub messages: Vec<(usize, NodeId, Message)>,
    /// The last beat from one node to another.
    pub last: BTreeMap<(usize, usize), Beat>,
    queue: VecDeque<(usize, Order)>,
}

impl Net {
    /// So many nodes called `n0`, `n1` and so on, all linked.
    pub fn new(count: usize) -> Self {
        let ids: Vec<PeerId> = (0..count).map(|_| PeerId::random()).collect();
        let nodes = (0..count).map(|i| Federation::new(settings(&format!("n{i}"), 1000)));
        let mut net = Self {
            now: Time::default(),
            nodes: nodes.collect(),
            ids,
            random: Numbers(7),
            cut: BTreeSet::new(),
            offences: Vec::new(),
            messages: Vec::new(),
            last: BTreeMap::new(),
            queue: VecDeque::new(),
        };
        for a in 0..count {
            for b in (0..count).filter(|b| *b != a) {
                net.link(a, b);
            }
        }
        net.settle();
        net
    }

    /// Node `a` has a link to `b`.
    pub fn link(&mut self, a: usize, b: usize) {
        self.event(a, Event::Linked { peer: self.ids[b], addresses: vec![ip(b)] });
    }

    /// Something happens to node `to`.
    pub fn event(&mut self, to: usize, event: Event) {
        let effects = self.nodes[to].on_event(self.now, event, &mut self.random);
        self.follow(to, effects);
    }

    pub fn beat(&mut self, from: usize, to: usize, beat: Beat) {
        self.event(to, Event::Beat { peer: self.ids[from], beat: Box::new(beat) });
        self.settle();
    }

    /// What an agent does with effects: the data plane takes at once whoever is admitted.
    pub fn follow(&mut self, node: usize, effects: Effects) {
        let orders = effects.orders.into_iter().map(|order| (node, order));
        self.queue.extend(orders);
        self.messages.extend(effects.messages.into_iter().map(|(from, message)| (node, from, message)));
        if effects.peers_changed {
            let admitted = self.nodes[node].admitted().into_keys().collect();
            let effects = self.nodes[node].data_plane_took(self.now, admitted);
            self.queue.extend(effects.orders.into_iter().map(|order| (node, order)));
        }
    }

    /// Delivers until nobody has anything to say; how many orders that took.
    pub fn settle(&mut self) -> usize {
        for count in 0..10_000 {
            let Some((from, order)) = self.queue.pop_front() else { return count };
            self.deliver(from, order);
        }
        panic!("the nodes do not stop talking: {:?}", self.queue);
    }

    fn deliver(&mut self, from: usize, order: Order) {
        match order {
            Order::Beat { to, beat } => {
                let to = self.ids.iter().position(|id| *id == to).unwrap();
                if !self.cut.contains(&(from, to)) {
                    self.last.insert((from, to), (*beat).clone());
                    self.event(to, Event::Beat { peer: self.ids[from], beat });
                }
            }
            Order::Probe { to, nonce } => {
                let Some(to) = (0..self.ids.len()).find(|node| ip(*node) == to.ip()) else { return };
                if !self.cut.contains(&(from, to)) {
                    self.event(to, Event::Probed { by: self.ids[from], nonce });
                }
            }
            Order::Describe { .. } | Order::Demand { .. } => {}
            Order::Offence { peer, offence } => {
                let by = self.ids.iter().position(|id| *id == peer).unwrap();
                self.offences.push((by, from, offence));
            }
        }
    }

    /// A period passes: everybody ticks.
    pub fn period(&mut self) {
        self.now = Time(self.now.0 + PERIOD);
        for node in 0..self.nodes.len() {
            let effects = self.nodes[node].tick(self.now, &mut self.random);
            self.follow(node, effects);
        }
        self.settle();
    }

    /// The names of the nodes that `of` sends invocations to.
    pub fn takers(&self, of: usize) -> Vec<String> {
        self.nodes[of].peers().into_iter().filter(|peer| peer.takes).map(|peer| peer.name).collect()
    }

    /// What node `of` thinks of `other`.
    pub fn standing(&self, of: usize, other: usize) -> Standing {
        let view = self.nodes[of].views().into_iter().find(|view| view.id == self.ids[other]);
        view.expect("a known member").standing
    }
}
