//! A node from outside: the agent over a data plane that only remembers, a gateway that answers as told, real
//! sockets, and the binary.

mod admin;
mod agent_loop;
mod cli;
mod discovery;
mod double;
mod federation;
mod harness;
mod scripted;
