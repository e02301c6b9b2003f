use std::time::Duration;

use super::check::{Broken, Case};
use crate::scenario::{Network, Scenario};

impl Case {
    /// Makes the scenario smaller as long as the same kind of thing is broken in it, with at most so many checks; what is
    /// broken in the smallest.
    pub fn shrink(mut self, mut broken: Broken, mut checks: usize) -> (Self, Broken) {
        'smaller: loop {
            for scenario in smaller(&self.scenario, &broken) {
                let candidate = Self { scenario, ..self.clone() };
                if checks == 0 {
                    return (self, broken);
                }
                checks -= 1;
                if let Ok(Some(still)) = candidate.check()
                    && still.is_like(&broken)
                {
                    (self, broken) = (candidate, still);
                    continue 'smaller;
                }
            }
            return (self, broken);
        }
    }
}

/// Scenarios that lack something of this one, those that lack most first.
fn smaller(scenario: &Scenario, broken: &Broken) -> Vec<Scenario> {
    let mut all = Vec::new();
    let mut with = |change: &dyn Fn(&mut Scenario)| {
        let mut candidate = scenario.clone();
        change(&mut candidate);
        if candidate != *scenario {
            all.push(candidate);
        }
    };
    if let Broken::Rule(violation) = broken {
        let left = violation.at.saturating_sub(scenario.warmup).max(Duration::from_millis(100));
        with(&|s| s.duration = s.duration.min(left));
    }
    with(&|s| s.duration = halved(s.duration));
    with(&|s| s.warmup = halved(s.warmup));
    if scenario.nodes.count > 1 {
        (0..scenario.nodes.count).rev().for_each(|node| with(&|s| without_node(s, node)));
    }
    (0..scenario.failures.len()).rev().for_each(|n| with(&|s| drop(s.failures.remove(n))));
    if scenario.functions.len() > 1 {
        scenario.functions.iter().for_each(|function| with(&|s| without_function(s, &function.name)));
    }
    (0..scenario.load.rates.len()).rev().for_each(|n| with(&|s| drop(s.load.rates.remove(n))));
    with(&|s| s.network.loss = 0.0);
    with(&|s| s.network.duplicated = 0.0);
    with(&|s| s.network.jitter = Duration::ZERO);
    with(&|s| s.network.bandwidth = 0.0);
    for index in 0..scenario.functions.len() {
        with(&|s| (s.functions[index].max_rate, s.functions[index].max_inflight) = (None, None));
        with(&|s| s.functions[index].payload = 0);
        with(&|s| s.functions[index].cv = 0.0);
    }
    all.retain(|candidate| !candidate.load.rates.is_empty() || candidate.load.utilisation > 0.0);
    all
}

fn halved(duration: Duration) -> Duration {
    if duration < Duration::from_millis(200) { duration } else { duration / 2 }
}

/// Nodes behind it move up.
fn without_node(scenario: &mut Scenario, gone: usize) {
    let moved = |node: usize| (node != gone).then(|| node - usize::from(node > gone));
    let nodes = &mut scenario.nodes;
    if nodes.cores.len() == nodes.count {
        nodes.cores.remove(gone);
    }
    nodes.count -= 1;
    scenario.load.rates.retain_mut(|piece| moved(piece.node).map(|node| piece.node = node).is_some());
    let Network { links, rtts_ms, .. } = &mut scenario.network;
    links.retain_mut(|(a, b)| moved(*a).zip(moved(*b)).map(|link| (*a, *b) = link).is_some());
    if !rtts_ms.is_empty() {
        rtts_ms.remove(gone);
        for row in rtts_ms {
            row.remove(gone);
        }
    }
    for failure in &mut scenario.failures {
        failure.nodes = failure.nodes.iter().filter_map(|node| moved(*node)).collect();
    }
    scenario.failures.retain(|failure| !failure.nodes.is_empty());
}

fn without_function(scenario: &mut Scenario, name: &str) {
    scenario.functions.retain(|function| function.name != name);
    scenario.load.rates.retain(|piece| piece.function != name);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::draw;

    #[test]
    fn every_smaller_scenario_is_one_that_a_file_could_hold() {
        for seed in 0..40 {
            let scenario = draw(seed);
            let broken = Broken::Unlike(1, 2);
            for candidate in smaller(&scenario, &broken) {
                let text = candidate.to_toml();
                let read = Scenario::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
                assert_eq!(read, candidate, "seed {seed}");
            }
        }
    }

    #[test]
    fn links_and_failures_follow_when_a_node_is_left_out() {
        let mut scenario = draw(1);
        scenario.nodes.count = 3;
        scenario.nodes.cores = vec![1, 2, 3];
        scenario.network.links = vec![(0, 1), (1, 2), (0, 2)];
        scenario.failures.truncate(0);
        without_node(&mut scenario, 1);
        assert_eq!((&scenario.nodes.cores, &scenario.network.links), (&vec![1, 3], &vec![(0, 1)]));
    }
}
