//! A node from outside: the agent over a data plane that only remembers, a gateway that answers as told, real
//! sockets, and the binary.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod admin;
mod agent_loop;
mod cli;
mod discovery;
mod double;
mod external;
mod federation;
mod following;
mod gateways;
mod harness;
mod metrics;
mod provider;
mod recording;
mod scripted;
