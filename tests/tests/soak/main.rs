//! Whole nodes under load, floods, upgrades and kills, over IPv4 and IPv6: no user notices anything, and nothing is left.
//!
//! Each story takes `DFAAS_SECONDS` seconds (8 if it is not set), and prints in one line what it measured. What is never
//! judged is how fast the machine is: a rate that was not reached is printed as such.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod call;
mod flips;
mod flood;
mod frames;
mod full;
mod kills;
mod memory;
mod rate;
mod site;
#[path = "../kept/steering.rs"]
mod steering;
mod tally;
mod upgrade;
mod users;

use std::time::Duration;

use dfaas_tests::Family;

/// Users and nodes of one family, each in its turn.
const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

/// How long anything may take that is not meant to fail.
const LIMIT: Duration = Duration::from_secs(60);

/// How long a load goes on.
fn seconds() -> Duration {
    let seconds = std::env::var("DFAAS_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(8))
}

/// A rate, and whether it is the one that was wanted.
fn reached(rate: f64, wanted: f64) -> String {
    if rate >= 0.97 * wanted {
        return format!("{rate:.0}/s");
    }
    format!("{rate:.0}/s, as the machine was too busy for the {wanted:.0}/s that were wanted")
}
