//! When users ask, without a run.

use std::time::Duration;

use super::users::{Users, Work};
use crate::federation::{Federation, Nanos, nanos};
use crate::random::{Stream, stream};
use crate::scenario::Scenario;

/// A request of a node's users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// When, from the start of the warm-up.
    pub at: Duration,
    /// What for: a place in [`Federation::functions`].
    pub function: usize,
    /// Processor time that it takes.
    pub work: Duration,
}

/// All that users of this node ask for, in order: what they ask for in a run with this seed, if nothing fails.
pub fn arrivals(scenario: &Scenario, federation: &Federation, node: usize, seed: u64) -> Vec<Arrival> {
    let works: Vec<Work> = federation.functions.iter().map(Work::of).collect();
    let mut users = Users::new(stream(seed, Stream::Users(node)));
    let rates = &federation.rates;
    let end = nanos(scenario.warmup + scenario.duration);
    let mut arrivals = Vec::new();
    for piece in 0..rates.pieces() {
        users.set_rates(rates.of(piece, node));
        let until = if piece + 1 < rates.pieces() { rates.begins(piece + 1) } else { end };
        let mut now: Nanos = rates.begins(piece);
        while let Some(pause) = users.pause() {
            now = now.saturating_add(pause);
            // Who would ask later asks by the next rates.
            if now >= until {
                break;
            }
            let (function, work) = users.ask(&works);
            arrivals.push(Arrival {
                at: Duration::from_nanos(now),
                function,
                work: Duration::from_nanos(work),
            });
        }
    }
    arrivals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::run_in;

    #[test]
    fn users_ask_at_the_moments_at_which_they_ask_in_a_run() {
        let text = "warmup = \"3s\"\nduration = \"9s\"\nnodes = { count = 2, cores = [2] }\n\
            functions = [{ name = \"a\", cpu = \"5ms\" }, { name = \"b\", cpu = \"9ms\" }]\n\
            load = { rates = [{ node = 0, function = \"a\", rate = 40.0 }, { node = 1, function = \"b\", rate = 7.0 }, \
            { from = \"4s\", node = 0, function = \"b\", rate = 90.0 }, { from = \"6s\", node = 1, function = \"b\", rate = 0.0 }] }";
        let scenario = Scenario::parse(text).unwrap();
        for seed in 1..4 {
            let federation = Federation::new(&scenario, seed);
            let outcome = run_in(&scenario, &federation, "alllocal", seed).unwrap();
            for (node, seconds) in outcome.series.iter().enumerate() {
                let mut asked = vec![0; seconds.len()];
                for arrival in arrivals(&scenario, &federation, node, seed) {
                    if let Some(at) = arrival.at.checked_sub(scenario.warmup) {
                        asked[at.as_secs() as usize] += 1;
                    }
                }
                let expected: Vec<u32> = seconds.iter().map(|second| second.asked).collect();
                assert_eq!(asked, expected, "node {node}, seed {seed}");
            }
        }
    }
}
