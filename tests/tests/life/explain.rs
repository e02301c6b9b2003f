//! What a node says that it would do is what it does.

use dfaas_tests::Node;
use dfaas_tests::settings::{Function, node_name};
use serde_json::Value;

use crate::connection::HalfSent;
use crate::federation::{Federation, PATIENCE, eventually};

fn explain(node: &Node, arguments: &[&str]) -> Value {
    let socket = node.admin_socket();
    let socket = socket.to_string_lossy();
    let args = [&["explain", "--json", "--socket", &socket], arguments].concat();
    let (status, said) = node.dfaas(&args, PATIENCE).unwrap();
    assert!(status.success(), "{said}");
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// What is said of a step.
fn says<'a>(explanation: &'a Value, step: &str) -> &'a str {
    let steps = explanation["steps"].as_array().unwrap();
    let found = steps.iter().find(|found| found["step"] == step);
    found.unwrap_or_else(|| panic!("{step}: {explanation}"))["says"].as_str().unwrap()
}

/// What becomes of an invocation for certain.
fn outcome(explanation: &Value) -> &str {
    assert_eq!(explanation["outcomes"][0]["probability"], 1.0, "{explanation}");
    explanation["outcomes"][0]["backend"].as_str().unwrap()
}

#[test]
fn each_of_many_invocations_goes_where_the_explanation_before_it_said() {
    let federation = Federation::start(3, &[("echo", Function::echo())]);
    let node = &federation.nodes[0];
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..16 {
        let explanation = explain(node, &["--function", "echo", "--client", "10.78.1.2:40000"]);
        let said = match outcome(&explanation) {
            "local" => node_name(1),
            peer => peer.to_owned(),
        };
        // To ask twice changes nothing.
        assert_eq!(outcome(&explain(node, &["--function", "echo"])), outcome(&explanation));
        assert_eq!(federation.served("echo"), said, "{explanation}");
        seen.insert(said);
        assert!(says(&explanation, "plan").starts_with("local 50.0%, node-2 25.0%, node-3 25.0%"));
        assert!(says(&explanation, "written by").starts_with("strategy static"));
    }
    assert_eq!(seen.len(), 3, "all had their turn: {seen:?}");

    let unknown = explain(node, &["--function", "nothing"]);
    assert_eq!(outcome(&unknown), "local");
    assert!(says(&unknown, "function").contains("no known function"));
    let spelt = explain(node, &["--function", "echo.openfaas-fn"]);
    assert!(says(&spelt, "function").starts_with("echo.openfaas-fn means echo"), "{spelt}");
}

#[test]
fn limits_that_are_reached_and_callers_that_are_no_users_are_told_as_they_are_met() {
    let overrides: toml::Table =
        "[functions.echo]\nmax_inflight = 1\n[dataplane]\nusers = [\"10.0.0.0/8\"]".parse().unwrap();
    let federation = Federation::start_with(1, &[("echo", Function::echo())], |_, agent, _| {
        agent.static_local = 100.0;
        agent.overrides = overrides.clone();
    });
    let node = &federation.nodes[0];
    let stranger = explain(node, &["--function", "echo", "--client", "192.0.2.1:1"]);
    assert_eq!(outcome(&stranger), "untouched", "{stranger}");
    assert!(says(&stranger, "client").contains("not in dataplane.users"));

    let half = HalfSent::begin(&federation, "echo", vec![b'x'; 200_000]);
    let full = eventually("it is under way", || {
        let explanation = explain(node, &["--function", "echo"]);
        says(&explanation, "limits").starts_with("1 under way").then_some(explanation)
    });
    assert_eq!(outcome(&full), "429", "{full}");
    assert!(says(&full, "local").contains("1 of 1 are under way"), "{full}");
    assert_eq!(federation.invoke("echo").unwrap().status(), 429);
    assert_eq!(half.finish(), node_name(1));
    eventually("there is a place again", || {
        (outcome(&explain(node, &["--function", "echo"])) == "local").then_some(())
    });
    assert_eq!(federation.served("echo"), node_name(1));
}
