//! The data path with real sockets: whole nodes in namespaces, users' connections through the kernel programs, and
//! every byte compared.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod bodies;
mod clients;
mod container;
mod endings;
mod heads;
mod many;
mod not_understood;
mod raw;
mod seen;
mod site;
mod strangers;
