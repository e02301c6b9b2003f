//! A host in small: nodes that run the strategy against each other, and the messages between them. It checks every
//! command on the way.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use dfaas_control::{
    Command, FunctionId, FunctionMeasurements, MAX_TARGETS, Measurements, Message, NodeId, Offer, Options,
    PeerMeasurements, Plan, Random, RecalcSplit, SHARE_ONE, Strategy, Target, Time, strategy,
};

pub const FIGLET: FunctionId = FunctionId(7);
pub const PERIOD: Duration = Duration::from_secs(1);

/// Randomness that this strategy has no right to ask for.
pub struct NoDice;

impl Random for NoDice {
    fn next_u64(&mut self) -> u64 {
        panic!("recalc drew a random number")
    }
}

/// A message on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    pub from: NodeId,
    pub to: NodeId,
    pub message: Message,
}

pub struct Node {
    strategy: Box<dyn Strategy>,
    pub measured: Measurements,
    /// What the strategy was told at its last tick.
    ticked: Measurements,
    /// When, and the least that users asked for since the last tick that covers a period: an early tick counts in part.
    counted: Option<(Duration, BTreeMap<FunctionId, f64>)>,
    pub plan: Option<Plan>,
    /// What each peer was told last.
    said: BTreeMap<NodeId, Vec<Offer>>,
}

pub struct Federation {
    pub nodes: BTreeMap<NodeId, Node>,
    pub now: Duration,
    pub wire: VecDeque<Letter>,
    /// Every command, in order.
    pub log: Vec<(NodeId, Command)>,
}

pub fn function(max_rate: f64) -> FunctionMeasurements {
    FunctionMeasurements { max_rate: Some(max_rate), ..FunctionMeasurements::default() }
}

impl Node {
    pub fn new(split: RecalcSplit, functions: BTreeMap<FunctionId, FunctionMeasurements>) -> Self {
        let options = Options { period: PERIOD, recalc_split: split, ..Options::default() };
        let measured = Measurements { functions, ..Measurements::default() };
        Self {
            strategy: strategy("recalc", &options).expect("a known name"),
            ticked: Measurements::default(),
            counted: None,
            measured,
            plan: None,
            said: BTreeMap::new(),
        }
    }

    pub fn figlet(&mut self) -> &mut FunctionMeasurements {
        self.measured.functions.get_mut(&FIGLET).expect("every node of these tests knows it")
    }

    pub fn meets(&mut self, peer: u64) -> &mut PeerMeasurements {
        self.measured.peers.entry(NodeId(peer)).or_default()
    }

    pub fn tick(&mut self, now: Duration) -> Vec<Command> {
        self.ticked = self.measured.clone();
        let mut least: BTreeMap<FunctionId, f64> =
            self.measured.functions.iter().map(|(id, function)| (*id, function.user_rate)).collect();
        if let Some((then, before)) = self.counted.take()
            && now < then + PERIOD * 9 / 10
        {
            for (id, rate) in &mut least {
                *rate = rate.min(before.get(id).copied().unwrap_or(*rate));
            }
        }
        self.counted = Some((now, least));
        self.said.retain(|node, _| self.ticked.peers.contains_key(node));
        let commands = self.strategy.on_tick(Time(now), &self.measured, &mut NoDice);
        self.carry_out(&commands);
        commands
    }

    pub fn hear(&mut self, now: Duration, from: u64, message: &Message) -> Vec<Command> {
        let commands = self.strategy.on_message(Time(now), NodeId(from), message);
        self.carry_out(&commands);
        commands
    }

    fn carry_out(&mut self, commands: &[Command]) {
        for (index, command) in commands.iter().enumerate() {
            match command {
                Command::SetPlan(plan) => {
                    assert_eq!(index, 0, "a plan comes before what is said of it");
                    self.check_plan(plan);
                    self.plan = Some(plan.clone());
                }
                Command::Send(to, Message::Recalc(offers)) => {
                    assert!(self.ticked.peers.contains_key(to), "{to:?} is no peer");
                    self.said.insert(*to, offers.clone());
                }
                Command::Query(..) => panic!("recalc asked something"),
            }
        }
        self.check_grants();
    }

    fn check_plan(&self, plan: &Plan) {
        assert_eq!(plan.lifetime, PERIOD * 7 / 2);
        for (id, function) in &plan.functions {
            assert!(self.ticked.functions.contains_key(id));
            let parts = function.shares.parts();
            assert_eq!(parts.iter().map(|(_, part)| part).sum::<u32>(), SHARE_ONE);
            assert!(parts.len() + usize::from(function.local_first) <= MAX_TARGETS, "{function:?}");
            for (target, _) in parts {
                if let Target::Peer(node) = target {
                    assert!(self.ticked.peers.contains_key(node), "{node:?} is no peer");
                    assert!(function.peer_rate[node] > 0.0 && function.peer_rate[node].is_finite());
                }
            }
        }
        for (node, admission) in &plan.admission {
            assert!(self.ticked.peers.contains_key(node), "{node:?} is no peer");
            assert!(admission.rate > 0.0 && admission.rate.is_finite() && admission.burst >= 1.0);
        }
    }

    /// What the peers were told, all together, is never more than what users leave.
    fn check_grants(&self) {
        let Some((_, asked)) = &self.counted else { return };
        for (id, function) in &self.ticked.functions {
            let granted: f64 = self.said.values().map(|offers| f64::from(limit(offers, *id))).sum();
            let left = function.max_rate.map_or(0.0, |most| (most - asked[id]).max(0.0));
            assert!(granted <= left, "{granted} granted of {left}: {:?}", self.said);
        }
    }

    /// Who serves how many of the invocations that users ask for, a second; what is left over is refused.
    pub fn served(&mut self, own: u64) -> BTreeMap<u64, f64> {
        let asked = self.figlet().user_rate;
        let plan = self.plan.as_ref().expect("it has ticked").functions[&FIGLET].clone();
        let local_rate = plan.local_rate.unwrap_or(f64::INFINITY);
        let first = if plan.local_first { asked.min(local_rate) } else { 0.0 };
        let mut served = BTreeMap::from([(own, first)]);
        for (target, part) in plan.shares.parts() {
            let drawn = (asked - first) * f64::from(*part) / f64::from(SHARE_ONE);
            match target {
                Target::Local => *served.entry(own).or_default() += drawn.min(local_rate),
                Target::Peer(node) => {
                    served.insert(node.0, drawn.min(plan.peer_rate[node]));
                }
                Target::Reject => {}
            }
        }
        served
    }

    /// What peers may be sent, by the plan.
    pub fn limits(&self) -> BTreeMap<u64, f64> {
        let plan = &self.plan.as_ref().expect("it has ticked").functions[&FIGLET];
        plan.peer_rate.iter().map(|(node, rate)| (node.0, *rate)).collect()
    }
}

/// What these offers grant of a function.
pub fn limit(offers: &[Offer], id: FunctionId) -> f32 {
    offers.iter().find(|offer| offer.function == id).map_or(0.0, |offer| offer.limit)
}

impl Federation {
    /// Nodes 1, 2, ... that serve these many invocations of figlet a second, each a peer of each.
    pub fn new(split: RecalcSplit, capacities: &[f64]) -> Self {
        let node = |capacity: &f64| Node::new(split, [(FIGLET, function(*capacity))].into());
        let nodes = (1..).map(NodeId).zip(capacities.iter().map(node)).collect();
        let mut federation = Self { nodes, now: Duration::ZERO, wire: VecDeque::new(), log: Vec::new() };
        let all: Vec<NodeId> = federation.nodes.keys().copied().collect();
        for (id, node) in &mut federation.nodes {
            all.iter().filter(|peer| *peer != id).for_each(|peer| {
                node.meets(peer.0);
            });
        }
        federation
    }

    pub fn node(&mut self, id: u64) -> &mut Node {
        self.nodes.get_mut(&NodeId(id)).expect("a node of this test")
    }

    /// Users of this node ask for `rate` invocations a second.
    pub fn load(&mut self, id: u64, rate: f64) {
        self.node(id).figlet().user_rate = rate;
    }

    /// Takes a node away, and tells the others.
    pub fn remove(&mut self, id: u64) {
        self.nodes.remove(&NodeId(id));
        for node in self.nodes.values_mut() {
            node.measured.peers.remove(&NodeId(id));
        }
    }

    fn note(&mut self, from: NodeId, commands: Vec<Command>) {
        for command in commands {
            if let Command::Send(to, message) = &command {
                self.wire.push_back(Letter { from, to: *to, message: message.clone() });
            }
            self.log.push((from, command));
        }
    }

    pub fn tick(&mut self, id: u64) {
        let now = self.now;
        let commands = self.node(id).tick(now);
        self.note(NodeId(id), commands);
    }

    pub fn deliver(&mut self, letter: &Letter) {
        let now = self.now;
        // What is for a node that is gone is lost.
        let Some(node) = self.nodes.get_mut(&letter.to) else { return };
        let commands = node.hear(now, letter.from.0, &letter.message);
        self.note(letter.to, commands);
    }

    /// Delivers all messages, and their answers; how many there were. Fails if there is no end to them.
    pub fn settle(&mut self) -> usize {
        let nodes = self.nodes.len();
        // Each message of a tick has at most one answer to everybody, and answers have none but to first words.
        let most = self.wire.len() * nodes + nodes * nodes;
        let mut delivered = 0;
        while let Some(letter) = self.wire.pop_front() {
            delivered += 1;
            assert!(delivered <= most, "no rest after {most} messages");
            self.deliver(&letter);
        }
        delivered
    }

    /// A period passes: every node ticks, and all messages arrive. How many there were.
    pub fn round(&mut self) -> usize {
        self.now += PERIOD;
        let all: Vec<u64> = self.nodes.keys().map(|id| id.0).collect();
        all.into_iter().for_each(|id| self.tick(id));
        self.settle()
    }
}
