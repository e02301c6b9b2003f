//! Distance between the nodes of a lab, without network emulation in the kernel: a program that carries their frames and
//! holds each for the time that it would take on its way.
//!
//! The cable of each node ends in a TAP device of its own instead of a common bridge. TAP devices have no offloads, so
//! what is held are frames as on a wire.

mod delays;
mod forwarding;
mod held;
mod run;
mod tap;

pub use delays::Delays;
pub use run::{Carried, Relay};
