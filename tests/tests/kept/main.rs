//! Connections that users keep, with real sockets: whole nodes in namespaces, and every request where the plan of the
//! time wants it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod idle;
mod many;
mod site;
mod steering;
