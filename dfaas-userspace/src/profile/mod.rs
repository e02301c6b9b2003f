//! `dfaas profile`: what a function of a gateway does under rising load, as a measured run that the simulator reads.
//!
//! [`Target`] is the one address that is asked, [`Meter`] what is measured beside it, [`send`] puts an open-loop load,
//! [`climb`] takes the steps one after the other.

mod climb;
mod error;
mod meter;
mod plan;
mod send;
mod target;

pub use climb::{Climbed, Said, climb};
pub use error::ProfileError;
pub use meter::Meter;
pub use plan::{MAX_REQUESTS, Plan, rates_to};
pub use send::{Outcome, send};
pub use target::Target;
