use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::action::{Action, Observation};
use crate::id::{FunctionId, NodeId};
use crate::plan::{Plan, Wait};

/// What a strategy wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Replace the plan in force, whole.
    SetPlan(Plan),
    /// A peer's wait in the plan in force is this one now; all else of it stays. Nothing before there is a plan.
    SetWait(NodeId, Wait),
    /// Send a message to a node; it may be lost.
    Send(NodeId, Message),
    /// Ask something; the answer or its failure comes back by [`crate::Strategy::on_reply`] with the same id.
    Query(QueryId, Request),
}

/// Names a query until its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(pub u64);

/// What strategies tell each other. A message is the sender's whole word to the receiver: a newer one replaces those
/// before, and hosts may leave older ones out. Its numbers come from the network: nothing about them is certain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Message {
    /// `recalc`: an entry for each function of the sender.
    Recalc(Vec<Offer>),
    /// `lease`: what the sender can do, and its ask and grant for the receiver.
    Lease(LeaseWord),
    /// `nodemargin`: what the sender has left, and what it would cost.
    Margin(MarginWord),
    /// `p2c`: a question, an answer, or both.
    Probe(ProbeWord),
}

/// What the sender of a [`Message::Lease`] says of itself, and to the receiver. In processors of whoever gives them: those
/// of two nodes do not do the same work, so an ask is in the receiver's and a grant in the sender's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LeaseWord {
    /// Processors that its functions can use well.
    pub capacity: f32,
    /// What its own users ask for.
    pub demand: f32,
    /// The part of `capacity` up to which it works.
    pub level: f32,
    /// What it can take from others.
    pub headroom: f32,
    /// Of that, what it has granted to nobody.
    pub free: f32,
    /// How long (us) an invocation that reaches it now waits.
    pub wait: u32,
    /// Bits of [`lease_flag`].
    pub flags: u8,
    /// What the sender would like to send to the receiver.
    pub ask: f32,
    /// What the receiver may send to the sender, until the lease ends.
    pub grant: f32,
    /// Processor time (s) that one invocation takes at the sender, of functions that it serves: told to those that ask,
    /// who count by it how many fit a grant. None told: those told before hold.
    pub costs: Vec<(FunctionId, f32)>,
}

/// Bits of [`LeaseWord::flags`].
pub mod lease_flag {
    /// The sender sends invocations to others, so it takes none.
    pub const SENDER: u8 = 1;
    /// It is about to leave and takes nothing new.
    pub const DRAINING: u8 = 2;
    /// It has just come and takes little.
    pub const COLD: u8 = 4;
}

/// What the sender of a [`Message::Margin`] has left.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MarginWord {
    /// Points of usage (of 100) that each peer may add to it; 0: it is overloaded.
    pub margin: f32,
    /// Points of usage that one invocation a second of each of its functions adds to it.
    pub costs: Vec<(FunctionId, f32)>,
}

/// A question or an answer of `p2c`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProbeWord {
    /// Number of a question to the receiver; 0: none.
    pub question: u32,
    /// Number of the receiver's question that is answered; 0: none.
    pub answer: u32,
    /// Invocations under way at the sender.
    pub inflight: u32,
    /// How long (us) an invocation that reaches the sender now waits.
    pub wait: u32,
}

/// What the sender of a [`Message::Recalc`] says of one of its functions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// The function.
    pub function: FunctionId,
    /// Whether the sender's own users ask for more than it serves.
    pub overloaded: bool,
    /// Invocations a second that the sender takes from the receiver.
    pub limit: f32,
}

/// What a strategy can ask of the host.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// `external`: how these functions' invocations are to be divided.
    Action(BTreeMap<FunctionId, Observation>),
}

/// The answer to a [`Request`].
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// An action for each function that the answer was about; what is not there stays as it is.
    Action(BTreeMap<FunctionId, Action>),
}

/// Why a query has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryFailed {
    /// No answer within the time allowed.
    #[error("no answer in time")]
    TimedOut,
    /// The other side could not be reached or refused.
    #[error("refused or unreachable")]
    Refused,
    /// There was an answer, but none that can be meant.
    #[error("an answer of no use")]
    Unusable,
}
