use dfaas_control::{
    Command, Measurements, Message, NodeId, QueryFailed, QueryId, Random, Reply, Strategy, Time,
};
use serde::{Deserialize, Serialize};

use super::market::{Bid, Offer};
use super::power_saving::PowerWord;
use super::state::StateWord;

/// A way to share load, as the simulator drives it: [`Strategy`] with words of its own.
pub trait Technique: Send {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Whether requests that would wait ask two peers, each for itself.
    fn probes_per_request(&self) -> bool {
        false
    }

    /// Called once a period, and at once after functions or peers came or went.
    fn on_tick(&mut self, now: Time, measured: &Measurements, random: &mut dyn Random) -> Vec<Act>;

    /// Called for a word that `from` said to this node.
    fn on_word(&mut self, now: Time, from: NodeId, word: &Word) -> Vec<Act> {
        let _ = (now, from, word);
        Vec::new()
    }

    /// When what words have brought is to be worked out; `None`: nothing is left.
    fn due(&self) -> Option<Time> {
        None
    }

    /// Called when that moment has come.
    fn on_due(&mut self, now: Time) -> Vec<Act> {
        let _ = now;
        Vec::new()
    }

    /// The operator drains the node, or takes that back.
    fn drain(&mut self, drained: bool) {
        let _ = drained;
    }

    /// Called once for each query, with its answer or the reason why there is none.
    fn on_reply(&mut self, now: Time, query: QueryId, reply: Result<Reply, QueryFailed>) -> Vec<Act> {
        let _ = (now, query, reply);
        Vec::new()
    }
}

/// What a technique wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// What strategies want, but for messages: these are said.
    Do(Command),
    /// Say something to a node; it may be lost.
    Say(NodeId, Word),
}

/// What nodes say to each other. As with [`Message`], a newer word of a sender replaces those before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Word {
    /// Of production strategies.
    Strategy(Message),
    /// How the sender is: `dfaas-empirical`, `serverledge`.
    State(StateWord),
    /// How much power the sender may still use: `dfaas-power-saving`.
    Power(PowerWord),
    /// What the sender sells, buys and has sold: `auction`.
    Auction(AuctionWord),
}

/// What the sender of a [`Word::Auction`] says to the receiver.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AuctionWord {
    /// What the sender has to sell, to anybody.
    pub offers: Vec<Offer>,
    /// What it keeps of what the receiver has sold to it.
    pub kept: Vec<Offer>,
    /// What it would buy from the receiver besides.
    pub bids: Vec<Bid>,
    /// What it has sold to the receiver until it says otherwise.
    pub sold: Vec<Offer>,
}

/// A production strategy as a technique.
pub struct Adapted(pub Box<dyn Strategy>);

/// Messages are said; the rest is done.
fn acts(commands: Vec<Command>) -> Vec<Act> {
    let act = |command| match command {
        Command::Send(to, message) => Act::Say(to, Word::Strategy(message)),
        other => Act::Do(other),
    };
    commands.into_iter().map(act).collect()
}

impl Technique for Adapted {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn on_tick(&mut self, now: Time, measured: &Measurements, random: &mut dyn Random) -> Vec<Act> {
        acts(self.0.on_tick(now, measured, random))
    }

    fn on_word(&mut self, now: Time, from: NodeId, word: &Word) -> Vec<Act> {
        match word {
            Word::Strategy(message) => acts(self.0.on_message(now, from, message)),
            _ => Vec::new(),
        }
    }

    fn due(&self) -> Option<Time> {
        self.0.due()
    }

    fn on_due(&mut self, now: Time) -> Vec<Act> {
        acts(self.0.on_due(now))
    }

    fn drain(&mut self, drained: bool) {
        self.0.drain(drained);
    }

    fn on_reply(&mut self, now: Time, query: QueryId, reply: Result<Reply, QueryFailed>) -> Vec<Act> {
        acts(self.0.on_reply(now, query, reply))
    }
}
