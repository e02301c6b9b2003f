//! The gateway for trials, over real sockets on loopback.

// `cfg(test)`, always true here, tells clippy that the helpers are test code too.
#[cfg(test)]
#[path = "gateway/harness.rs"]
mod harness;

#[cfg(test)]
#[path = "gateway/admin.rs"]
mod admin;
#[cfg(test)]
#[path = "gateway/connections.rs"]
mod connections;
#[cfg(test)]
#[path = "gateway/invocations.rs"]
mod invocations;
#[cfg(test)]
#[path = "gateway/limits.rs"]
mod limits;
#[cfg(test)]
#[path = "gateway/profile.rs"]
mod profile;
#[cfg(test)]
#[path = "gateway/provider.rs"]
mod provider;
