//! What a node can do, learnt from what it did: how much of its processors, memory and limits each function's rate uses.
//!
//! Nobody types in node classes or function groups. A function that computes much has a high cost and one that waits a
//! low one, and the same function costs less on a larger node.

mod capacity;
mod learner;

pub use capacity::Capacity;
pub(crate) use capacity::{RESOURCES, Use};
