//! What a type cannot say of a scenario.

use std::time::Duration;

use dfaas_common::MAX_PEERS;

use rand::SeedableRng as _;
use rand::rngs::SmallRng;

use super::{Load, Runs, Scenario, ScenarioError, What};
use crate::network::Draw;

/// Most nodes: the numbers of two nodes and more fit an event.
const MOST_NODES: usize = 20_000;

/// Longest time that is simulated.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);

fn bad<T>(key: impl Into<String>, problem: impl Into<String>) -> Result<T, ScenarioError> {
    Err(ScenarioError::Value { key: key.into(), problem: problem.into() })
}

fn within(key: &str, value: f64, least: f64, most: f64) -> Result<(), ScenarioError> {
    if value.is_finite() && (least..=most).contains(&value) {
        return Ok(());
    }
    bad(key, format!("{value} is not from {least} to {most}"))
}

pub(super) fn check(scenario: &Scenario) -> Result<(), ScenarioError> {
    if scenario.duration.is_zero() || scenario.duration + scenario.warmup > LONGEST {
        return bad("duration", "must be above 0 and, with the warm-up, at most a week");
    }
    if scenario.period < Duration::from_millis(10) || scenario.period > Duration::from_secs(60) {
        return bad("period", "must be from 10ms to 60s");
    }
    nodes(scenario)?;
    network(scenario)?;
    functions(scenario)?;
    load(scenario)?;
    failures(scenario)
}

fn nodes(scenario: &Scenario) -> Result<(), ScenarioError> {
    let nodes = &scenario.nodes;
    if nodes.count == 0 || nodes.count > MOST_NODES {
        return bad("nodes.count", format!("{} is not from 1 to {MOST_NODES}", nodes.count));
    }
    let measured = scenario.load.runs.is_some();
    if measured && !nodes.cores.is_empty() {
        return bad("nodes.cores", "are those of the kinds in load.runs: leave them out");
    }
    if nodes.cores.is_empty() && !measured || nodes.cores.iter().any(|cores| !(1..=4096).contains(cores)) {
        return bad("nodes.cores", "needs at least one number from 1 to 4096");
    }
    within("nodes.memory", nodes.memory.unwrap_or(0) as f64, 0.0, 1e9)?;
    within("nodes.label_rates", nodes.label_rates.unwrap_or(1.0), 1e-3, 1e3)?;
    nodes.patience.map_or(Ok(()), |patience| within("nodes.patience", patience, 0.0, 1e6))
}

fn network(scenario: &Scenario) -> Result<(), ScenarioError> {
    let (network, count) = (&scenario.network, scenario.nodes.count);
    within("network.loss", network.loss, 0.0, 1.0)?;
    within("network.duplicated", network.duplicated, 0.0, 1.0)?;
    if network.jitter > Duration::from_secs(10) {
        return bad("network.jitter", "is longer than 10s");
    }
    within("network.bandwidth", network.bandwidth, 0.0, 1e15)?;
    if network.rtt > Duration::from_secs(10) {
        return bad("network.rtt", "is longer than 10s");
    }
    if !network.rtts_ms.is_empty() {
        if network.rtts_ms.len() != count || network.rtts_ms.iter().any(|row| row.len() != count) {
            return bad("network.rtts_ms", format!("must have {count} rows of {count} numbers"));
        }
        for (row, line) in network.rtts_ms.iter().enumerate() {
            for (column, rtt) in line.iter().enumerate() {
                within(&format!("network.rtts_ms[{row}][{column}]"), *rtt, 0.0, 10_000.0)?;
            }
        }
    }
    within("network.probability", network.probability.unwrap_or(0.0), 0.0, 1.0)?;
    let most = MAX_PEERS as usize;
    if network.everybody && count > most + 1 {
        return bad("network.everybody", format!("a node has at most {most} neighbours"));
    }
    if network.near + network.random > most / 2 {
        return bad("network.near", format!("near and random are together at most {}", most / 2));
    }
    for (a, b) in &network.links {
        if a == b || *a >= count || *b >= count {
            return bad("network.links", format!("[{a}, {b}] are not two nodes of 0 to {}", count - 1));
        }
    }
    Ok(())
}

fn functions(scenario: &Scenario) -> Result<(), ScenarioError> {
    if scenario.functions.is_empty() == scenario.catalogue.is_none() {
        return bad("functions", "either [[functions]] or [catalogue] must say what is called");
    }
    for (index, function) in scenario.functions.iter().enumerate() {
        let key = |key: &str| format!("functions[{index}].{key}");
        if scenario.functions[..index].iter().any(|other| other.name == function.name) {
            return bad(key("name"), format!("\"{}\" is there twice", function.name));
        }
        within(&key("cpu"), function.cpu.as_secs_f64(), 1e-6, 100.0)?;
        within(&key("deadline"), function.deadline.as_secs_f64(), 1e-3, 3600.0)?;
        within(&key("cv"), function.cv, 0.0, 100.0)?;
        within(&key("weight"), function.weight, 0.0, 1e9)?;
        within(&key("cold_start"), function.cold_start.as_secs_f64(), 0.0, 3600.0)?;
        within(&key("memory"), function.memory as f64, 0.0, 1e9)?;
        if function.concurrency == Some(0) {
            return bad(key("concurrency"), "must be at least 1");
        }
        within(&key("max_rate"), function.max_rate.unwrap_or(1.0), 1e-3, 1e7)?;
    }
    if let Some(catalogue) = &scenario.catalogue {
        let (least, most) = catalogue.called;
        if catalogue.count == 0 || catalogue.count > 1000 {
            return bad("catalogue.count", "must be from 1 to 1000");
        }
        if least == 0 || least > most || most > catalogue.count {
            return bad(
                "catalogue.called",
                "must be two numbers, the first at least 1, the second at most `count`",
            );
        }
        within("catalogue.cpu", catalogue.cpu.as_secs_f64(), 1e-6, 100.0)?;
        within("catalogue.cpu_most", catalogue.cpu_most.as_secs_f64(), 1e-6, 100.0)?;
        within("catalogue.cpu_spread", catalogue.cpu_spread, 0.0, 10.0)?;
        within("catalogue.popularity", catalogue.popularity, 0.0, 10.0)?;
        within("catalogue.cv", catalogue.cv, 0.0, 100.0)?;
        within("catalogue.deadline", catalogue.deadline.as_secs_f64(), 1e-3, 3600.0)?;
    }
    Ok(())
}

fn load(scenario: &Scenario) -> Result<(), ScenarioError> {
    let load = &scenario.load;
    within("load.utilisation", load.utilisation, 0.0, 100.0)?;
    if let Some(of) = &load.runs {
        return runs(load, of);
    }
    if load.rates.is_empty() && load.utilisation == 0.0 {
        return bad(
            "load",
            "`utilisation`, `trace`, `runs` or [[load.rates]] must say how much is asked for",
        );
    }
    if !load.rates.is_empty() && (load.step.is_some() || load.variability.is_some()) {
        return bad("load.rates", "say all that users ask for: no step or variability beside them");
    }
    if let Some(step) = &load.step {
        within("load.step.hot", step.hot, 0.0, 1.0)?;
        within("load.step.factor", step.factor, 0.0, 1e6)?;
        if step.until.is_some_and(|until| until <= step.at) {
            return bad("load.step.until", "is not after `at`");
        }
    }
    if let Some(variability) = &load.variability {
        within("load.variability.spread", variability.spread, 0.0, 10.0)?;
        within("load.variability.every", variability.every.as_secs_f64(), 0.1, 1e6)?;
    }
    for (index, piece) in load.rates.iter().enumerate() {
        let key = |key: &str| format!("load.rates[{index}].{key}");
        within(&key("rate"), piece.rate, 0.0, 1e7)?;
        if piece.node >= scenario.nodes.count {
            return bad(key("node"), format!("there is no node {}", piece.node));
        }
        if !scenario.functions.iter().any(|function| function.name == piece.function) {
            return bad(key("function"), format!("there is no function \"{}\"", piece.function));
        }
    }
    Ok(())
}

fn runs(load: &Load, runs: &Runs) -> Result<(), ScenarioError> {
    if load.utilisation != 0.0 || !load.rates.is_empty() || load.step.is_some() || load.variability.is_some()
    {
        return bad("load.runs", "say all that users ask for: nothing else beside them");
    }
    within("load.runs.stress", runs.stress, 1e-3, 1e3)?;
    within("load.runs.minute", runs.minute.as_secs_f64(), 0.1, 1e6)?;
    if runs.kinds.iter().any(|kind| !(1..=4096).contains(&kind.cores)) {
        return bad("load.runs.kinds", "need cores from 1 to 4096");
    }
    if let Err(problem) = Draw::Independent.assign(&runs.kinds, 0, &mut SmallRng::seed_from_u64(0)) {
        return bad("load.runs.kinds", problem.to_string());
    }
    for (kind, class) in runs.kinds.iter().enumerate() {
        if !runs.measured.iter().any(|run| run.kind == kind) {
            return bad("load.runs.measured", format!("there is no run of kind \"{}\"", class.name));
        }
    }
    for (index, run) in runs.measured.iter().enumerate() {
        for function in &run.functions {
            let key = format!("load.runs.measured[{index}], {}", function.name);
            within(&key, function.max_rate, 0.0, 1e7)?;
            function.rates.iter().try_for_each(|rate| within(&key, *rate, 0.0, 1e7))?;
        }
    }
    Ok(())
}

fn failures(scenario: &Scenario) -> Result<(), ScenarioError> {
    for (index, failure) in scenario.failures.iter().enumerate() {
        let key = |key: &str| format!("failures[{index}].{key}");
        if let Some(node) = failure.nodes.iter().find(|node| **node >= scenario.nodes.count) {
            return bad(key("nodes"), format!("there is no node {node}"));
        }
        if failure.until.is_some_and(|until| until <= failure.at) {
            return bad(key("until"), "is not after `at`");
        }
        match (failure.what, failure.factor) {
            (What::Slow, Some(factor)) => within(&key("factor"), factor, 1e-3, 1e3)?,
            (What::Liar, Some(factor)) => within(&key("factor"), factor, 1.0, 1e3)?,
            (What::Slow, None) => return bad(key("factor"), "`slow` needs one"),
            (_, Some(_)) => return bad(key("factor"), "only `slow` and `liar` have one"),
            (_, None) => {}
        }
    }
    Ok(())
}
