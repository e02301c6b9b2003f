//! What a node tells after a known number of invocations.

use std::collections::BTreeMap;

use dfaas_tests::http;
use dfaas_tests::settings::{Function, node_name};
use serde_json::Value;

use crate::federation::{Federation, PATIENCE};
use crate::observe::{Metrics, json, text};

/// The families that this version has, and whether they have samples on a node that has served something.
const FAMILIES: [&str; 13] = [
    "dfaas_invocations_total",
    "dfaas_inflight",
    "dfaas_weight",
    "dfaas_drops_total",
    "dfaas_retries_total",
    "dfaas_responses_total",
    "dfaas_bytes_total",
    "dfaas_pins_total",
    "dfaas_flows",
    "dfaas_plan_changes_total",
    "dfaas_strategy_tick_seconds_count",
    "dfaas_dataplane_armed",
    "dfaas_build_info",
];

#[test]
fn metrics_and_commands_agree_with_what_users_got() {
    let labels = [("dfaas.local_only".to_owned(), "true".to_owned())].into();
    let functions = [("echo", Function::echo()), ("home", Function { labels, ..Function::echo() })];
    let federation = Federation::start(3, &functions);
    let echo = federation.served_times("echo", 40);
    let home = federation.served_times("home", 5);
    assert_eq!(home, [(node_name(1), 5)].into());
    let unknown = federation.invoke("unknown").unwrap();
    assert_eq!(unknown.status(), 404);
    let users = federation.lab.users(1);
    assert_eq!(http::get(&users, federation.nodes[0].address(), "/healthz", PATIENCE).unwrap().status(), 200);

    counters(&federation, &echo);
    weights(&federation);
    commands(&federation, &echo);
}

fn counters(federation: &Federation, echo: &BTreeMap<String, u64>) {
    let metrics: Vec<Metrics> = federation.nodes.iter().map(Metrics::of).collect();
    let first = &metrics[0];
    for family in FAMILIES {
        assert!(first.family(family).count() > 0, "{family} is missing");
    }
    let by = |index: u8| echo.get(&node_name(index)).copied().unwrap_or(0) as f64;
    assert_eq!(first.invocations("echo", "user", "local"), by(1));
    // Smooth: each had its share, give or take a few.
    assert!((18.0..=22.0).contains(&by(1)) && (8.0..=12.0).contains(&by(2)), "{echo:?}");
    for index in [2, 3] {
        assert_eq!(first.invocations("echo", "user", &node_name(index)), by(index));
        let peer = &metrics[usize::from(index) - 1];
        assert_eq!(peer.invocations("echo", "peer", "local"), by(index), "as node {index} saw it");
        assert_eq!(peer.sum("dfaas_invocations_total"), by(index), "and nothing else");
    }
    assert_eq!(first.invocations("home", "user", "local"), 5.0);
    assert_eq!(first.invocations("", "user", "local"), 2.0, "an unknown function, and what is no invocation");
    assert_eq!(first.sum("dfaas_invocations_total"), 47.0);
    assert_eq!(first.get("dfaas_dataplane_armed"), 1.0);
    assert_eq!(first.get("dfaas_retries_total"), 0.0);
    assert_eq!(first.get("dfaas_plan_changes_total"), 2.0, "one for each function");
    assert_eq!(first.sum("dfaas_inflight"), 0.0);
    assert!(first.get("dfaas_strategy_tick_seconds_count") >= 1.0);
    assert!(first.get("dfaas_flows") <= 47.0);
    let build = first.family("dfaas_build_info").next().unwrap();
    assert!(
        build.0.contains(&format!("version=\"{}\"", env!("CARGO_PKG_VERSION"))) && build.1 == 1.0,
        "{build:?}"
    );
    let odd = ["internal", "flow_table_full", "malformed", "bad_checksum", "stranger", "no_route"];
    for reason in odd {
        assert_eq!(first.0.get(&format!("dfaas_drops_total{{reason=\"{reason}\"}}")), Some(&0.0), "{reason}");
    }
}

fn weights(federation: &Federation) {
    let metrics = Metrics::of(&federation.nodes[0]);
    let weight = |function, backend| {
        metrics.get(&format!("dfaas_weight{{function=\"{function}\",backend=\"{backend}\"}}"))
    };
    assert_eq!(
        (weight("echo", "local"), weight("echo", "node-2"), weight("echo", "node-3")),
        (0.5, 0.25, 0.25)
    );
    assert_eq!((weight("home", "local"), weight("home", "node-2")), (1.0, 0.0));
}

fn commands(federation: &Federation, echo: &BTreeMap<String, u64>) {
    let node = &federation.nodes[0];
    let (metrics, status) = (Metrics::of(node), json(node, "status"));
    assert_eq!((&status["node"], &status["armed"]), (&"node-1".into(), &true.into()), "{status}");
    assert_eq!(
        (&status["functions"], &status["peers"], &status["retries"]),
        (&2.into(), &2.into(), &0.into())
    );
    assert_eq!(status["pid"], node.agent().unwrap().pid());
    assert_eq!(status["plan_changes"].as_f64(), Some(metrics.get("dfaas_plan_changes_total")));
    let said = text(node, "status");
    for line in [
        "node          node-1 (dfaas ",
        "listen        10.77.1.1:8080; peers at port 31601",
        "health        ok",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }

    let peers = json(node, "peers");
    let said = text(node, "peers");
    for (at, index) in [2, 3].into_iter().enumerate() {
        let peer = &peers["peers"][at];
        let sent = echo.get(&node_name(index)).copied().unwrap_or(0);
        assert_eq!(
            (&peer["name"], &peer["invocations"]),
            (&node_name(index).into(), &sent.into()),
            "{peers}"
        );
        let row = row(&said, &node_name(index));
        let (name, at, sent) = (node_name(index), format!("10.77.0.{index}:31601"), sent.to_string());
        assert_eq!(row[..9], [&*name, &*at, "static", "yes", "1", "-", "-", "-", &*sent]);
    }

    let functions = json(node, "functions");
    let said = text(node, "functions");
    let echo_here = echo.get(&node_name(1)).copied().unwrap_or(0);
    assert_eq!(invocations(&functions["functions"][0], "local"), echo_here, "{functions}");
    let elsewhere = (40 - echo_here).to_string();
    assert_eq!(row(&said, "echo")[6..8], [&echo_here.to_string(), &elsewhere], "{said}");
    assert_eq!(invocations(&functions["functions"][1], "local"), 5, "{functions}");

    let plans = json(node, "plan");
    assert_eq!(
        plans["plans"][0]["shares"][0],
        serde_json::json!({ "backend": "local", "part": 32_768 }),
        "{plans}"
    );
    let said = text(node, "plan");
    assert!(said.contains("local 50.0%, node-2 25.0%, node-3 25.0%"), "{said}");
}

fn invocations(function: &Value, backend: &str) -> u64 {
    let lines = function["invocations"].as_array().unwrap();
    lines.iter().filter(|line| line["backend"] == backend).map(|line| line["count"].as_u64().unwrap()).sum()
}

/// The cells of the line that begins with `name`.
fn row<'a>(table: &'a str, name: &str) -> Vec<&'a str> {
    let cells =
        |line: &'a str| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>();
    table
        .lines()
        .map(cells)
        .find(|cells| cells.first() == Some(&name))
        .unwrap_or_else(|| panic!("{name}\n{table}"))
}
