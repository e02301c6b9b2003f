//! Nodes that run the strategy against each other, and the messages between them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use dfaas_control::{Command, Message, NodeId};

use crate::host::{FIGLET, Node, PERIOD, function};

/// A message on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    pub from: NodeId,
    pub to: NodeId,
    pub message: Message,
}

pub struct Federation {
    pub nodes: BTreeMap<NodeId, Node>,
    pub now: Duration,
    pub wire: VecDeque<Letter>,
    /// Every command, in order.
    pub log: Vec<(NodeId, Command)>,
}

impl Federation {
    /// Nodes 1, 2, ... of two processors that serve these many invocations of figlet a second, each a peer of each.
    pub fn new(capacities: &[f64]) -> Self {
        let node = |capacity: &f64| Node::new([(FIGLET, function(*capacity))].into());
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
        let Some(node) = self.nodes.get_mut(&letter.to) else { return };
        let commands = node.hear(now, letter.from.0, &letter.message);
        self.note(letter.to, commands);
    }

    /// Delivers all messages, and their answers, half a second later; how many there were. Fails if there is no end to
    /// them.
    pub fn settle(&mut self) -> usize {
        self.now += PERIOD / 2;
        // Of a node to a peer there is one word at most in the time in which none passes.
        let most = self.wire.len() + 2 * self.nodes.len() * self.nodes.len();
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
        self.now += PERIOD / 2;
        let all: Vec<u64> = self.nodes.keys().map(|id| id.0).collect();
        all.into_iter().for_each(|id| self.tick(id));
        self.settle()
    }
}
