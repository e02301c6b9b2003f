//! One node with its host in small: it carries out every command and checks it.

use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_control::{
    Command, FunctionId, FunctionMeasurements, LeaseWord, MAX_TARGETS, Measurements, Message, NodeId,
    NodeMeasurements, Options, PeerMeasurements, Plan, Random, SHARE_ONE, Strategy, Target, Time, lease_flag,
    strategy,
};

pub const FIGLET: FunctionId = FunctionId(7);
pub const PERIOD: Duration = Duration::from_secs(1);

/// Randomness that this strategy has no right to ask for.
pub struct NoDice;

impl Random for NoDice {
    fn next_u64(&mut self) -> u64 {
        panic!("lease drew a random number")
    }
}

pub struct Node {
    pub strategy: Box<dyn Strategy>,
    pub measured: Measurements,
    /// What the strategy was told at its last tick.
    ticked: Measurements,
    pub plan: Option<Plan>,
    /// What each peer was told last, and when.
    pub said: BTreeMap<NodeId, (Duration, LeaseWord)>,
    /// The flags that each peer told last.
    flags: BTreeMap<NodeId, u8>,
}

/// A function that this many a second use all processors of a node.
pub fn function(max_rate: f64) -> FunctionMeasurements {
    FunctionMeasurements { max_rate: Some(max_rate), ..FunctionMeasurements::default() }
}

impl Node {
    pub fn new(functions: BTreeMap<FunctionId, FunctionMeasurements>) -> Self {
        let options = Options { period: PERIOD, ..Options::default() };
        let node = NodeMeasurements { cores: Some(2.0), ..NodeMeasurements::default() };
        Self {
            strategy: strategy("lease", &options).expect("a known name"),
            measured: Measurements { node, functions, ..Measurements::default() },
            ticked: Measurements::default(),
            plan: None,
            said: BTreeMap::new(),
            flags: BTreeMap::new(),
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
        self.said.retain(|node, _| self.ticked.peers.contains_key(node));
        self.flags.retain(|node, _| self.ticked.peers.contains_key(node));
        let commands = self.strategy.on_tick(Time(now), &self.measured, &mut NoDice);
        assert!(matches!(commands.first(), Some(Command::SetPlan(_))), "every tick sets a plan");
        self.carry_out(now, &commands);
        commands
    }

    pub fn hear(&mut self, now: Duration, from: u64, message: &Message) -> Vec<Command> {
        if let Message::Lease(word) = message
            && self.ticked.peers.contains_key(&NodeId(from))
        {
            self.flags.insert(NodeId(from), word.flags);
        }
        let mut commands = self.strategy.on_message(Time(now), NodeId(from), message);
        self.carry_out(now, &commands);
        // Nothing else comes: what follows from it can be worked out.
        if self.strategy.due().is_some() {
            commands.extend(self.work_out(now));
        }
        commands
    }

    /// Hears a word with which others may come.
    pub fn hear_of_many(&mut self, now: Duration, from: u64, message: &Message) -> Vec<Command> {
        let commands = self.strategy.on_message(Time(now), NodeId(from), message);
        self.carry_out(now, &commands);
        commands
    }

    /// What was heard is worked out.
    pub fn work_out(&mut self, now: Duration) -> Vec<Command> {
        let commands = self.strategy.on_due(Time(now));
        assert_eq!(self.strategy.due(), None);
        self.carry_out(now, &commands);
        commands
    }

    fn carry_out(&mut self, now: Duration, commands: &[Command]) {
        for (index, command) in commands.iter().enumerate() {
            match command {
                Command::SetPlan(plan) => {
                    assert_eq!(index, 0, "a plan comes before what is said of it");
                    self.check_plan(plan);
                    self.plan = Some(plan.clone());
                }
                Command::SetWait(peer, wait) => {
                    let plan = self.plan.as_mut().expect("a plan comes before what changes in it");
                    assert!(plan.waits.insert(*peer, *wait).is_some(), "{peer:?} is not in the plan");
                }
                Command::Send(to, Message::Lease(word)) => self.send(now, *to, word),
                Command::Send(..) => panic!("lease spoke the words of another strategy"),
                Command::Query(..) => panic!("lease asked something"),
            }
        }
        self.check_grants(commands);
    }

    fn send(&mut self, now: Duration, to: NodeId, word: &LeaseWord) {
        assert!(self.ticked.peers.contains_key(&to), "{to:?} is no peer");
        let before = self.said.insert(to, (now, word.clone()));
        if let Some((then, _)) = before {
            assert!(now - then >= PERIOD / 5, "more than five words a second to {to:?}");
        }
        let numbers =
            [word.capacity, word.demand, word.level, word.headroom, word.free, word.ask, word.grant];
        assert!(numbers.iter().all(|number| number.is_finite() && *number >= 0.0), "{word:?}");
        if word.flags & (lease_flag::SENDER | lease_flag::DRAINING) != 0 {
            assert_eq!((word.headroom, word.free, word.grant), (0.0, 0.0, 0.0), "{word:?}");
        }
    }

    /// What the peers were told, all together, is never more than the headroom while anything is granted.
    fn check_grants(&self, commands: &[Command]) {
        let granted: f64 = self.said.values().map(|(_, word)| f64::from(word.grant)).sum();
        for command in commands {
            if let Command::Send(_, Message::Lease(word)) = command
                && word.grant > 0.0
            {
                let headroom = f64::from(word.headroom) * (1.0 + 1e-6);
                assert!(granted <= headroom, "{granted} granted of {headroom}: {:?}", self.said);
            }
        }
    }

    fn check_plan(&self, plan: &Plan) {
        assert_eq!(plan.lifetime, PERIOD * 7 / 2);
        assert_eq!(plan.functions.len(), self.ticked.functions.len());
        for (id, function) in plan.functions.iter() {
            let measured = &self.ticked.functions[id];
            let parts = function.shares.parts();
            assert_eq!(parts.iter().map(|(_, part)| part).sum::<u32>(), SHARE_ONE);
            assert!(parts.len() <= MAX_TARGETS && function.overflow.len() <= 16, "{function:?}");
            for (target, _) in parts {
                if let Target::Peer(node) = target {
                    assert!(!measured.local_only, "{id:?} left");
                    self.check_target(*node, id, measured.here);
                    assert!(function.peer_rate[node] > 0.0 && function.peer_rate[node].is_finite());
                }
            }
            for node in &function.overflow {
                assert!(!measured.local_only, "{id:?} overflows");
                self.check_target(*node, id, true);
                assert!(plan.waits.contains_key(node), "{node:?} has told nothing");
            }
            assert!(function.peers_rate.is_none_or(|rate| rate > 0.0 && rate.is_finite()));
            assert!(function.work < PERIOD * 1_001, "{function:?}");
        }
        for (node, admission) in &plan.admission {
            assert!(self.ticked.peers.contains_key(node), "{node:?} is no peer");
            assert!(admission.rate >= 0.0 && admission.rate.is_finite() && admission.burst >= 1.0);
        }
        for (node, wait) in &plan.waits {
            assert!(self.ticked.peers.contains_key(node), "{node:?} is no peer");
            assert!(wait.cores > 0.0 && wait.cores.is_finite());
        }
    }

    /// Invocations go only to peers that serve the function and take something. Those of a function that is not here
    /// have no other way, and a little of them goes to anybody.
    fn check_target(&self, node: NodeId, id: &FunctionId, here: bool) {
        let Some(peer) = self.ticked.peers.get(&node) else { panic!("{node:?} is no peer") };
        assert!(peer.serves(*id, here), "{node:?} does not serve {id:?}");
        let flags = self.flags.get(&node).copied().unwrap_or(0);
        assert!(!here || flags & (lease_flag::SENDER | lease_flag::DRAINING) == 0, "{node:?} takes nothing");
    }

    /// The part of each target, local ones under this node's own number.
    pub fn shares(&self, own: u64) -> BTreeMap<u64, f64> {
        let plan = self.plan.as_ref().expect("it has ticked");
        let part = |(target, part): &(Target, u32)| {
            let node = match target {
                Target::Local => own,
                Target::Peer(node) => node.0,
                Target::Reject => panic!("lease rejects nothing"),
            };
            (node, f64::from(*part) / f64::from(SHARE_ONE))
        };
        plan.functions[&FIGLET].shares.parts().iter().map(part).collect()
    }
}

/// The words of commands, with their receivers.
pub fn words(commands: &[Command]) -> BTreeMap<u64, LeaseWord> {
    let word = |command: &Command| match command {
        Command::Send(to, Message::Lease(word)) => Some((to.0, word.clone())),
        _ => None,
    };
    commands.iter().filter_map(word).collect()
}
