//! A node whose gateway has stopped.

use anyhow::Result;
use dfaas_tests::http::{self, Answer};
use dfaas_tests::settings::{Function, node_name};

use crate::federation::{Federation, PATIENCE, eventually, node_of};
use crate::observe::{Metrics, check, health, json};

/// `echo` may be served anywhere, `home` only where it was called.
fn functions() -> [(&'static str, Function); 2] {
    let labels = [("dfaas.local_only".to_owned(), "true".to_owned())].into();
    [("echo", Function::echo()), ("home", Function { labels, ..Function::echo() })]
}

/// A request of a user beside node 1 that is no invocation.
fn get(federation: &Federation, path: &str) -> Result<Answer> {
    http::get(&federation.lab.users(1), federation.nodes[0].address(), path, PATIENCE)
}

/// What peers can serve is served there; the rest is refused.
fn lives_by_its_peers(federation: &Federation) {
    assert_eq!(federation.served_times("echo", 20), [(node_name(2), 20)].into());
    for _ in 0..3 {
        let answer = federation.invoke("home").unwrap();
        assert_eq!((answer.status().as_u16(), node_of(&answer).as_str()), (503, ""), "{answer:?}");
    }
    for path in ["/healthz", "/system/functions", "/ui/", "/function/unknown"] {
        let error = format!("{:#}", get(federation, path).unwrap_err());
        assert!(error.contains("refused") || error.contains("reset"), "{path}: {error}");
    }
}

fn healthy_again(federation: &Federation) {
    eventually("the health is well", || (health(&federation.nodes[0]).0 == 200).then_some(()));
    let by_node = federation.served_times("echo", 20);
    assert!(by_node.len() == 2 && by_node.values().all(|count| (8..=12).contains(count)), "{by_node:?}");
    assert_eq!(federation.served("home"), node_name(1));
    assert_eq!(get(federation, "/healthz").unwrap().status(), 200);
    assert_eq!(get(federation, "/function/unknown").unwrap().status(), 404);
}

#[test]
fn peers_serve_what_they_can_while_the_gateway_is_away_and_all_is_well_when_it_is_back() {
    let mut federation = Federation::start(2, &functions());
    healthy_again(&federation);
    federation.first().kill_gateway().unwrap();
    let reason = eventually("the health names the gateway", || {
        let (code, health) = health(&federation.nodes[0]);
        let (well, reason) = check(&health, "gateway");
        assert_eq!(code == 200, well, "{health}");
        assert!(check(&health, "dataplane").0 && check(&health, "plans").0, "{health}");
        (!well).then_some(reason)
    });
    assert!(reason.contains("10.77.1.1:8080/system/functions") && reason.contains("refused"), "{reason}");
    let before = Metrics::of(&federation.nodes[0]);
    lives_by_its_peers(&federation);
    let after = Metrics::of(&federation.nodes[0]);
    let grown = |function, backend| {
        after.invocations(function, "user", backend) - before.invocations(function, "user", backend)
    };
    assert_eq!((grown("echo", "node-2"), grown("echo", "local"), grown("home", "reject")), (20.0, 0.0, 3.0));
    let retries = after.get("dfaas_retries_total") - before.get("dfaas_retries_total");
    assert!((8.0..=12.0).contains(&retries), "every other one found the gateway first: {retries}");

    federation.first().start_gateway().unwrap();
    healthy_again(&federation);
    federation.check();
}

#[test]
fn an_agent_that_starts_without_its_gateway_goes_by_what_its_predecessor_was_told() {
    let mut federation = Federation::start(2, &functions());
    federation.first().kill_gateway().unwrap();
    // Killed, it leaves its data plane; stopped in order, its successor makes a new one.
    federation.first().kill_agent().unwrap();
    federation.first().start_agent().unwrap();
    knows_from_before(&federation);
    assert_eq!(federation.first().stop_agent().unwrap().unwrap().code(), Some(0));
    federation.first().start_agent().unwrap();
    knows_from_before(&federation);

    federation.first().start_gateway().unwrap();
    healthy_again(&federation);
}

fn knows_from_before(federation: &Federation) {
    let node = &federation.nodes[0];
    let status = json(node, "status");
    assert_eq!((status["ready"].as_bool(), status["armed"].as_bool()), (Some(true), Some(true)), "{status}");
    assert_eq!(status["health"]["ok"].as_bool(), Some(false), "{status}");
    let functions = json(node, "functions");
    let told = |index: usize, key: &str| functions["functions"][index][key].clone();
    assert_eq!((told(0, "name"), told(0, "local_only")), ("echo".into(), false.into()), "{functions}");
    assert_eq!((told(1, "name"), told(1, "local_only")), ("home".into(), true.into()), "{functions}");
    assert_eq!(told(0, "spellings"), serde_json::json!(["echo", "echo.openfaas-fn"]));
    lives_by_its_peers(federation);
}
