//! Federations in virtual time.
//!
//! The strategies of [`dfaas_control`] and the choice of [`dfaas_common`], which decide in the agent and in the kernel,
//! decide here too; nodes, links, users and failures are simulated around them.
#![forbid(unsafe_code)]

pub mod bound;
pub mod cli;
pub mod input;
pub mod network;
pub mod profile;
pub mod samples;
pub mod shape;
pub mod techniques;
pub mod trace;
