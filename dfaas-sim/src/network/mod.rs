//! Who is joined to whom, how far away, and what kind of node each is.
//!
//! A [`Network`] is made by the generators here or read from a file. Every generator draws from the randomness it is
//! given, so that the same seed gives the same network.

mod class;
mod error;
mod file;
mod graph;
mod near;
mod position;
mod random;
mod regular;
mod rtt;
mod statistics;
#[cfg(test)]
mod tests;

pub use class::{Class, Draw, light_mid_heavy};
pub use error::NetworkError;
pub use file::{Network, Node};
pub use graph::Graph;
pub use near::near_and_random;
pub use position::{Position, scattered};
pub use random::{Connect, erdos_renyi, geometric};
pub use regular::{mesh, ring, star};
pub use rtt::{RttMatrix, Unit};
pub use statistics::{NetworkStatistics, Spread};
