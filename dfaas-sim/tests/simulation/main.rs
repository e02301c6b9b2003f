//! Stories of simulated federations.

mod failures;
mod federations;
mod files;
mod measured;
mod queueing;
mod replay;
