use serde::{Deserialize, Serialize};

use crate::id::{FunctionId, NodeId};
use crate::plan::Plan;

/// What a strategy wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Replace the plan in force, whole.
    SetPlan(Plan),
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

/// What a strategy can ask: probes of peers, external policies. None does yet.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {}

/// The answer to a [`Request`]. There is none yet, as there is no request.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {}

/// Why a query has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryFailed {
    /// No answer within the time allowed.
    #[error("no answer in time")]
    TimedOut,
    /// The other side could not be reached or refused.
    #[error("refused or unreachable")]
    Refused,
}
