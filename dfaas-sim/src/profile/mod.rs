//! What nodes and functions were measured to do under load.
//!
//! A [`MeasuredRun`] is one file: a node under a given load, minute by minute, in the format of the original DFaaS, which
//! `dfaas profile` writes too. A [`Ladder`] is what `dfaas profile` measured, and
//! becomes one. A [`Profile`] puts the runs of one kind of node together and answers what a function needs
//! at a rate that was not measured.

mod arrivals;
mod curve;
#[cfg(test)]
mod ladder_tests;
mod run;
mod step;
#[cfg(test)]
mod tests;
mod together;

pub use arrivals::Arrivals;
pub use curve::Curve;
pub use run::{FunctionState, Instant, Load, MeasuredFunction, MeasuredRun};
pub use step::{Ladder, Step};
pub use together::{FunctionProfile, Profile, ProfileError};
