//! The gateway for trials, over real sockets on loopback.

#[path = "gateway/harness.rs"]
mod harness;

#[path = "gateway/admin.rs"]
mod admin;
#[path = "gateway/connections.rs"]
mod connections;
#[path = "gateway/invocations.rs"]
mod invocations;
#[path = "gateway/limits.rs"]
mod limits;
