use crate::id::NodeId;
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

/// What strategies tell each other. No strategy needs to talk yet, so there is nothing to say: the first one that
/// does adds its variant, and the compiler then asks every host to carry it.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {}

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
