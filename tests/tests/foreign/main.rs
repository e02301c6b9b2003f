//! Gateways at addresses of their own: functions of several gateways at one node, gateways in containers, and those that
//! die and come back.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod away;
mod own;
mod peers;
mod site;
mod split;
