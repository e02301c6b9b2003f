//! Life-cycle of whole nodes: what starts, ends, dies, comes back, or is told nonsense, and what users notice of it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod armed;
mod connection;
mod deploy;
mod doctor;
mod explain;
mod federation;
mod following;
mod gateway_away;
mod kernel;
mod leaving;
mod metrics;
mod noise;
mod observe;
mod peers_away;
mod recording;
mod restart;
mod start;
