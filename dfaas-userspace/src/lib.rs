//! The parts of the `dfaas` binary: data plane loader, agent, gateway for trials, command line.

pub mod dataplane;
pub mod gateway;
