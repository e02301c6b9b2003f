//! What is printed of the users' requests. No I/O.

use std::fmt::Write as _;
use std::time::Duration;

use dfaas_sim::columns::table;
use dfaas_sim::scenario::Scenario;
use dfaas_tests::replay::{Calls, Lived, Seen};

/// Above these the numbers say more about this machine than about the federation: of the relay, and of the users.
const LATE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(100));

/// Lines for functions of a node; what is beyond them is added up.
const MOST_FUNCTIONS: usize = 8;

const HEAD: [&str; 10] = [
    "NODE",
    "FUNCTION",
    "SENT",
    "ANSWERED",
    "REFUSED",
    "FAILED",
    "P50 MS",
    "P95 MS",
    "P99 MS",
    "ANSWERED BY",
];

/// What is going to happen.
pub fn introduction(name: &str, scenario: &Scenario) -> String {
    let far = scenario.network.rtts_ms.iter().flatten().copied().fold(0.0, f64::max);
    let apart = if far > 0.0 { format!(", up to {far:.1} ms apart") } else { String::new() };
    let functions = match scenario.functions.len() {
        1 => "one function".to_owned(),
        number => format!("{number} functions"),
    };
    format!(
        "{name}: {} nodes{apart}, {functions}, {} s after {} s of warm-up",
        scenario.nodes.count,
        scenario.duration.as_secs_f64(),
        scenario.warmup.as_secs_f64()
    )
}

/// How far a run is, in one line.
pub fn progress(seen: &Seen, scenario: &Scenario) -> String {
    let whole = (scenario.warmup + scenario.duration).as_secs();
    format!(
        "second {:>4} of {whole}: sent {}, answered {}, refused {}, failed {}, under way {}",
        seen.elapsed.as_secs().min(whole),
        seen.sent,
        seen.answered,
        seen.refused,
        seen.failed,
        seen.sent.saturating_sub(seen.answered + seen.refused + seen.failed)
    )
}

/// Requests by node and function, those with most first; `names` of the nodes and functions.
pub fn calls(calls: &[Calls], names: (&[String], &[String])) -> String {
    let mut rows = Vec::new();
    for node in 0..names.0.len() {
        let mut of_node: Vec<&Calls> = calls.iter().filter(|calls| calls.node == node).collect();
        of_node.sort_by_key(|calls| (std::cmp::Reverse(calls.sent), calls.function));
        rows.extend(of_node.iter().take(MOST_FUNCTIONS).map(|calls| row(calls, names)));
        let more = of_node.get(MOST_FUNCTIONS..).unwrap_or_default();
        if !more.is_empty() {
            let sum = |of: fn(&Calls) -> u64| more.iter().map(|calls| of(calls)).sum::<u64>().to_string();
            let mut row = vec![names.0[node].clone(), format!("{} others", more.len())];
            row.extend([sum(|of| of.sent), sum(|of| of.answered), sum(|of| of.refused), sum(|of| of.failed)]);
            rows.push(row);
        }
    }
    table(&HEAD, &rows)
}

fn row(calls: &Calls, names: (&[String], &[String])) -> Vec<String> {
    let mut row = vec![names.0[calls.node].clone(), names.1[calls.function].clone()];
    row.extend([calls.sent, calls.answered, calls.refused, calls.failed].map(|count| count.to_string()));
    let latency = |percent| calls.latency_ms(percent).map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1}"));
    row.extend([50.0, 95.0, 99.0].map(latency));
    let by = calls.by.iter().map(|(node, count)| {
        let name = names.0.get(*node).map_or("?", String::as_str);
        format!("{name} {:.0} %", 100.0 * *count as f64 / calls.answered.max(1) as f64)
    });
    row.push(by.collect::<Vec<_>>().join(", "));
    row
}

/// What else is to be known of runs.
pub fn remarks(runs: &[&Lived]) -> String {
    let mut text = String::new();
    let mut reasons = std::collections::BTreeMap::new();
    for (reason, count) in runs.iter().flat_map(|run| &run.reasons) {
        *reasons.entry(reason).or_insert(0) += count;
    }
    for (reason, count) in reasons {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{count} x {reason}, the warm-up included");
    }
    let lost: u64 = runs.iter().filter_map(|run| run.carried).map(|carried| carried.lost).sum();
    if lost > 0 {
        let _ = writeln!(
            text,
            "{lost} frames between nodes were lost: more were on their way than there is room for"
        );
    }
    let relay =
        runs.iter().filter_map(|run| run.carried).map(|carried| carried.late).max().unwrap_or_default();
    let users = runs.iter().map(|run| run.behind).max().unwrap_or_default();
    for (who, late, bound) in
        [("the relay between the nodes", relay, LATE.0), ("the load generator", users, LATE.1)]
    {
        if late > bound {
            let _ = writeln!(
                text,
                "{who} was late by up to {:.0} ms: this machine is too busy for exact times",
                late.as_secs_f64() * 1e3
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(node: usize, function: usize, sent: u64) -> Calls {
        Calls { node, function, sent, answered: sent, by: [(0, sent)].into(), ..Calls::default() }
    }

    fn names(what: &str, count: usize) -> Vec<String> {
        (0..count).map(|number| format!("{what}{number}")).collect()
    }

    #[test]
    fn each_node_has_its_busiest_functions_first_and_the_rest_in_one_line() {
        let all: Vec<Calls> = (0..10).map(|function| of(1, function, function as u64 + 1)).collect();
        let (nodes, functions) = (names("n", 2), names("f", 10));
        let text = calls(&all, (&nodes, &functions));
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines.len(), 1 + MOST_FUNCTIONS + 1, "{text}");
        assert_eq!(lines[1][..4], ["n1", "f9", "10", "10"], "{text}");
        assert!(text.contains("n0 100 %"), "{text}");
        assert_eq!(lines[9], ["n1", "2", "others", "3", "3", "0", "0"], "{text}");
    }

    #[test]
    fn progress_counts_what_is_under_way() {
        let scenario = Scenario::read(
            &std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/scenarios/demo.toml"),
        )
        .unwrap();
        let seen = Seen { elapsed: Duration::from_secs(4), sent: 10, answered: 6, refused: 2, failed: 1 };
        assert_eq!(
            progress(&seen, &scenario),
            "second    4 of 30: sent 10, answered 6, refused 2, failed 1, under way 1"
        );
        assert_eq!(introduction("x", &scenario), "x: 3 nodes, one function, 20 s after 10 s of warm-up");
    }
}
