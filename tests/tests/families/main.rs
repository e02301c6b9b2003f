//! IPv4 and IPv6 in every combination: users of one, of the other and of both, with either between the nodes.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod bodies;
mod federation;
mod load;
mod path;
mod seen;
mod site;
