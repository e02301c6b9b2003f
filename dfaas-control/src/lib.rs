//! The control plane's decisions: which part of each function's invocations is served here and which by peers.
//!
//! Pure code. Time, measurements, messages and randomness come in as arguments and [`Command`]s come out, so that the
//! agent, the simulator and the tests run the very same strategies, and the same seed gives the same run.
#![forbid(unsafe_code)]

mod action;
mod command;
mod estimate;
mod factory;
mod id;
mod incarnation;
mod measurements;
mod model;
mod neighbourhood;
mod peers;
mod plan;
mod random;
mod shares;
mod strategies;
mod strategy;

pub use action::{Action, ActionError, Forwarded, Observation};
pub use command::{
    Command, LeaseWord, MarginWord, Message, Offer, ProbeWord, QueryFailed, QueryId, Reply, Request,
    lease_flag,
};
pub use factory::{DEFAULT_STRATEGY, Options, RecalcSplit, STRATEGIES, UnknownStrategy, strategy};
pub use id::{FunctionId, NodeId, Time, fnv1a};
pub use incarnation::{Contest, Incarnation};
pub use measurements::{
    FunctionMeasurements, Measurements, NodeMeasurements, PeerFunctions, PeerMeasurements,
};
pub use model::Capacity;
pub use neighbourhood::{Candidate, Choice, Link, MOST_NEIGHBOURS, Neighbourhood};
pub use peers::{Heard, PeerTable};
pub use plan::{Admission, FunctionPlan, PickMode, Plan, Wait};
pub use random::Random;
pub use shares::{MAX_TARGETS, SHARE_ONE, Shares, SharesError, Target};
pub use strategies::{
    AllLocal, External, LatencyThreshold, Lease, NodeMargin, P2c, RandomParts, Recalc, Static,
};
pub use strategy::{Leases, Strategy};
