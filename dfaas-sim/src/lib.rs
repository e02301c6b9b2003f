//! Federations in virtual time.
//!
//! The strategies of [`dfaas_control`] and the choice of [`dfaas_common`], which decide in the agent and in the kernel,
//! decide here too; nodes, links, users and failures are simulated around them.
#![forbid(unsafe_code)]

pub mod bound;
pub mod cli;
pub mod columns;
mod compare;
mod engine;
pub mod federation;
pub mod fuzz;
pub mod input;
pub mod network;
pub mod outcome;
pub mod profile;
pub mod random;
pub mod report;
pub mod samples;
pub mod scenario;
pub mod shape;
pub mod study;
pub mod techniques;
pub mod trace;

pub use compare::{Row, compare};
pub use engine::{Arrival, RunError, Violation, arrivals, run, run_in};
pub use federation::Federation;
pub use outcome::Outcome;
pub use scenario::{Scenario, ScenarioError};
