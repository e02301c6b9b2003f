//! What lies between: routers with smaller links and without routes, loopback, bridges and pods.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod bridge;
mod loopback;
mod routers;
mod site;
mod widths;
