//! The parts of the `dfaas` binary: data plane loader, agent, gateway for trials, command line.

pub mod admin;
pub mod agent;
pub mod cli;
pub mod config;
pub mod dataplane;
pub mod discovery;
pub mod doctor;
pub mod federation;
pub mod gateway;
pub mod machine;
pub mod overlay;
pub mod profile;
pub mod record;
mod written;
