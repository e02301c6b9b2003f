//! Search for scenarios in which something happens that never may.
//!
//! Scenarios with faults are drawn from seeds, and each is run with each strategy. What must hold in every one:
//!
//! - what a node has granted is never raised beyond its headroom;
//! - what came from a peer is never forwarded again, and each request ends exactly once, after which nothing counts it;
//! - a drained node takes nothing from peers ([`crate::techniques::drains`]);
//! - users of a node that has enough for them, and no fault, get what it would give them without sharing ([`spared`]);
//! - the same seed gives the same run.
//!
//! The engine holds the first three in every run. A scenario that fails is made smaller as long as it fails.

mod check;
mod draw;
mod faults;
mod numbers;
mod search;
mod shrink;

pub use check::{Broken, Case};
pub use draw::draw;
pub use search::{Found, Search};

/// How much less of their requests than with `alllocal` users of a node may see answered in time whose node has enough
/// for them and no fault; `None`: the technique promises them nothing, as it sends away without regard to what is free.
///
/// It is not nothing: what is under way at a peer when that dies is lost, and until a black hole or a liar is found out
/// some of what is sent there is.
pub fn spared(technique: &str) -> Option<f64> {
    match technique {
        "alllocal" | "external" | "dfaas-base" => Some(0.0),
        "lease" => Some(0.05),
        _ => None,
    }
}
