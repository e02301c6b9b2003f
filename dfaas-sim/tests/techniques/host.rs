//! A node that a technique runs on.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use dfaas_control::{
    Command, FunctionId, FunctionMeasurements, FunctionPlan, Measurements, NodeId, Options, PeerMeasurements,
    Plan, Random, SHARE_ONE, Target, Time,
};
use dfaas_sim::techniques::{Act, Technique, Word, technique};

pub const FUNCA: FunctionId = FunctionId(1);
pub const PERIOD: Duration = Duration::from_secs(1);

/// Gives these numbers in turn, each as a part of 1, and then 0.999.
pub struct Script(pub VecDeque<f64>);

impl Random for Script {
    fn next_u64(&mut self) -> u64 {
        let part = self.0.pop_front().unwrap_or(0.999);
        ((part * (1_u64 << 53) as f64) as u64) << 11
    }
}

pub struct Host {
    technique: Box<dyn Technique>,
    pub measured: Measurements,
    pub now: Duration,
    pub script: Script,
    pub plan: Option<Plan>,
    pub said: BTreeMap<NodeId, Word>,
}

/// A function of which users ask so much, and a node serves so much.
pub fn function(user_rate: f64, max_rate: f64) -> FunctionMeasurements {
    FunctionMeasurements { user_rate, max_rate: Some(max_rate), ..FunctionMeasurements::default() }
}

impl Host {
    /// A node with function a and so many peers, 2, 3 and so on, that have it too.
    pub fn new(name: &str, funca: FunctionMeasurements, peers: u64) -> Self {
        let peers = (2..2 + peers).map(|node| (NodeId(node), PeerMeasurements::default())).collect();
        let options = Options { period: PERIOD, ..Options::default() };
        Self {
            technique: technique(name, &options).unwrap_or_else(|error| panic!("{error}")),
            measured: Measurements { functions: [(FUNCA, funca)].into(), peers, ..Measurements::default() },
            now: Duration::ZERO,
            script: Script(VecDeque::new()),
            plan: None,
            said: BTreeMap::new(),
        }
    }

    /// A period passes.
    pub fn tick(&mut self) {
        self.now += PERIOD;
        let acts = self.technique.on_tick(Time(self.now), &self.measured, &mut self.script);
        self.carry_out(acts);
    }

    /// Users ask for so much of function a from now on.
    pub fn ask(&mut self, rate: f64) {
        if let Some(function) = self.measured.functions.get_mut(&FUNCA) {
            function.user_rate = rate;
        }
    }

    pub fn hear(&mut self, from: u64, word: &Word) {
        let acts = self.technique.on_word(Time(self.now), NodeId(from), word);
        self.carry_out(acts);
    }

    fn carry_out(&mut self, acts: Vec<Act>) {
        self.said.clear();
        for act in acts {
            match act {
                Act::Do(Command::SetPlan(plan)) => self.plan = Some(plan),
                Act::Say(to, word) => {
                    assert!(self.measured.peers.contains_key(&to), "{to:?} is no peer");
                    self.said.insert(to, word);
                }
                Act::Do(other) => panic!("nothing to do with {other:?}"),
            }
        }
    }

    pub fn funca(&self) -> &FunctionPlan {
        &self.plan.as_ref().expect("it has ticked").functions[&FUNCA]
    }

    /// Percent of function a by target, to a hundredth; 1 is this node.
    pub fn percent(&self) -> BTreeMap<u64, f64> {
        let part = |(target, part): &(Target, u32)| {
            let node = match target {
                Target::Local => 1,
                Target::Peer(node) => node.0,
                Target::Reject => 0,
            };
            (node, (f64::from(*part) / f64::from(SHARE_ONE) * 1e4).round() / 100.0)
        };
        self.funca().shares.parts().iter().map(part).collect()
    }
}
