mod load;
mod pool;

use std::collections::BTreeMap;
use std::time::Duration;

use super::plain::{candidates, left_for_peers, with_own_limits};
use crate::command::{Command, Message, ProbeWord};
use crate::factory::Options;
use crate::id::{FunctionId, NodeId, Time};
use crate::measurements::{FunctionMeasurements, Measurements};
use crate::plan::{FunctionPlan, Plan, Wait};
use crate::random::Random;
use crate::shares::{MAX_TARGETS, Shares, Target};
use crate::strategy::Strategy;
use load::Load;
use pool::Pool;

/// Questions a second, whatever the number of peers.
const QUESTIONS: f64 = 4.0;

/// Questions that may be asked at once.
const AT_ONCE: f64 = 4.0;

/// Most overflow candidates of a function: what a plan holds.
const MOST_CANDIDATES: usize = 16;

/// The power of two choices, with a pool of asynchronous probes as in Prequal (Wydrowski and others, "Load is not what
/// you should balance", NSDI 2024).
///
/// A node asks some peers drawn at random, so many a second however many there are, and keeps the answers for a while. Its
/// plan serves everything here, and names those peers as overflow candidates with the waits that they told: for each
/// invocation that would wait here the kernel draws two of them, adds what it has sent since, and takes the one with the
/// shorter wait, if that beats the wait here. So the choice costs no message, as in Prequal, and a probe serves many.
///
/// Prequal's rule of hot and cold: a peer with more invocations under way than most reports told lately is hot and no
/// candidate; if all are hot, it is those with the fewest.
///
/// What differs: Prequal bounds how often one answer is used by requests, for its clients do not know what they have sent
/// since. Here the kernel does, so an answer is bounded by age and by plans. And a node has a service of its own, which
/// comes first.
#[derive(Debug)]
pub struct P2c {
    lifetime: Duration,
    measured: Measurements,
    load: Load,
    pool: Pool,
    /// Questions that may be asked now.
    budget: f64,
    ticked: Option<Time>,
    /// Number of the last question.
    question: u32,
    /// What was asked of each peer and is not answered.
    asked: BTreeMap<NodeId, u32>,
    /// The last question of each peer that was answered: words are repeated.
    answered: BTreeMap<NodeId, u32>,
}

impl P2c {
    /// A node that has asked nobody yet.
    pub fn new(options: &Options) -> Self {
        Self {
            lifetime: options.lifetime(),
            measured: Measurements::default(),
            load: Load::default(),
            pool: Pool::new(options.period),
            budget: AT_ONCE,
            ticked: None,
            question: 0,
            asked: BTreeMap::new(),
            answered: BTreeMap::new(),
        }
    }

    /// What is said to a peer: what is still asked of it, and the answer to its question, 0 for none.
    fn word(&self, to: NodeId, answer: u32) -> Command {
        let question = self.asked.get(&to).copied().unwrap_or(0);
        let (inflight, wait) = (self.load.inflight(), self.load.wait());
        Command::Send(to, Message::Probe(ProbeWord { question, answer, inflight, wait }))
    }

    /// Asks some peers, drawn at random.
    fn ask(&mut self, now: Time, random: &mut dyn Random) -> Vec<Command> {
        let passed = self.ticked.map_or(Duration::ZERO, |then| now.since(then)).as_secs_f64();
        self.ticked = Some(now);
        self.budget = (self.budget + passed * QUESTIONS).min(AT_ONCE);
        let mut peers: Vec<NodeId> = self.measured.peers.keys().copied().collect();
        let mut commands = Vec::new();
        while self.budget >= 1.0 && !peers.is_empty() {
            let index = (random.unit() * peers.len() as f64) as usize;
            let peer = peers.swap_remove(index.min(peers.len() - 1));
            self.budget -= 1.0;
            // 0 means that nothing is asked.
            self.question = self.question.checked_add(1).unwrap_or(1);
            self.asked.insert(peer, self.question);
            commands.push(self.word(peer, 0));
        }
        commands
    }

    /// The plan as things stand.
    fn plan(&self) -> Plan {
        let functions = self.measured.functions.iter();
        let functions = functions.map(|(id, function)| (*id, self.function(*id, function))).collect();
        let cores = self.load.cores();
        let waits = self.pool.entries().map(|(node, entry)| {
            let rtt = self.measured.peers.get(&node).and_then(|peer| peer.rtt).unwrap_or_default();
            let told = Duration::from_micros(entry.wait.into());
            let cores = self.load.cores_of(entry.inflight, told).unwrap_or(cores);
            (node, Wait { wait: told.saturating_add(rtt), cores, report: entry.report })
        });
        // What is under way here is added by the kernel, which always knows it.
        let here = Some(Wait { wait: Duration::ZERO, cores, report: 1 });
        Plan { here, waits: waits.collect(), ..Plan::new(functions, self.lifetime) }
    }

    fn function(&self, id: FunctionId, function: &FunctionMeasurements) -> FunctionPlan {
        let serving: Vec<NodeId> = candidates(id, function, &self.measured).map(|(node, _)| node).collect();
        let mut overflow = self.pool.candidates(&serving);
        overflow.truncate(MOST_CANDIDATES);
        let shares = if function.here || serving.is_empty() {
            Shares::all(Target::Local)
        } else {
            // Nobody waits here for what is not here: the candidates take turns, all that have it if nobody answered.
            let targets = if overflow.is_empty() { &serving } else { &overflow };
            let even = targets.iter().take(MAX_TARGETS).map(|node| (Target::Peer(*node), 1.0));
            Shares::proportional(&even.collect::<Vec<_>>()).unwrap_or_else(|_| Shares::all(Target::Local))
        };
        FunctionPlan {
            work: self.load.work(id),
            overflow_above: (!overflow.is_empty()).then_some(Duration::ZERO),
            overflow,
            peers_rate: left_for_peers(function),
            ..with_own_limits(shares, function)
        }
    }
}

impl Strategy for P2c {
    fn name(&self) -> &'static str {
        "p2c"
    }

    fn on_tick(&mut self, now: Time, measured: &Measurements, random: &mut dyn Random) -> Vec<Command> {
        self.measured = measured.clone();
        self.load.measure(measured);
        self.pool.forget(now, &measured.peers);
        self.asked.retain(|node, _| measured.peers.contains_key(node));
        self.answered.retain(|node, _| measured.peers.contains_key(node));
        let mut commands = vec![Command::SetPlan(self.plan())];
        self.pool.used();
        commands.extend(self.ask(now, random));
        commands
    }

    fn on_message(&mut self, now: Time, from: NodeId, message: &Message) -> Vec<Command> {
        let Message::Probe(word) = message else { return Vec::new() };
        if !self.measured.peers.contains_key(&from) {
            return Vec::new();
        }
        let mut commands = Vec::new();
        if word.answer != 0 && self.asked.get(&from) == Some(&word.answer) {
            self.asked.remove(&from);
            self.pool.answered(now, from, word);
            commands.push(Command::SetPlan(self.plan()));
        }
        if word.question != 0 && self.answered.insert(from, word.question) != Some(word.question) {
            commands.push(self.word(from, word.question));
        }
        commands
    }
}
