//! Stories of simulated federations.

mod failures;
mod federations;
mod files;
mod queueing;
mod replay;
