//! Whole nodes that find each other and decide by themselves, under the load of users.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod deploys;
mod drained;
mod finding;
mod identity;
mod intruders;
mod leases;
mod lost;
mod paper;
mod site;
