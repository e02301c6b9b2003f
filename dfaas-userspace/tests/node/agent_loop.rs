//! What the agent tells the data plane, and when.

use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_userspace::agent::{AgentError, Exit, Outcome};
use dfaas_userspace::dataplane::{Left, Target};
use serde_json::json;

use crate::double::{Double, Memory};
use crate::harness::{Node, eventually};
use crate::scripted::{Answer, Gateway, functions};

fn names(node: &Node) -> Vec<String> {
    node.dataplane.memory().plans.keys().cloned().collect()
}

#[tokio::test]
async fn every_function_gets_a_plan_that_lives_three_and_a_half_periods() {
    let node = Node::with("[control.static]\nlocal = 25", &["figlet", "env"]).await.ready().await;
    check_first_plans(&node.dataplane.memory());
    let before = node.dataplane.memory().writes;
    eventually("plans are renewed", async || node.dataplane.memory().writes >= before + 6).await;
    eventually("chores are done", async || node.dataplane.memory().maintained >= 2).await;
}

fn check_first_plans(memory: &Memory) {
    assert_eq!(memory.peers.len(), 1);
    assert_eq!(memory.functions[1].spellings, ["figlet", "figlet.openfaas-fn"]);
    assert_eq!(memory.plans.len(), 2);
    for plan in memory.plans.values() {
        assert_eq!(plan.shares, [(Target::Local, 16_384), (Target::Peer("b".to_owned()), 49_152)]);
        assert_eq!(plan.lifetime, Duration::from_millis(700));
    }
    assert_eq!(memory.armed_after, Some(2), "armed once the first plans were written");
}

#[tokio::test]
async fn deployed_and_removed_functions_are_followed_without_a_restart() {
    let node = Node::start(&["figlet"]).await.ready().await;
    node.gateway.answer(functions(&["figlet", "env"]));
    eventually("env is planned", async || names(&node) == ["env", "figlet"]).await;
    node.gateway.answer(functions(&["env"]));
    eventually("figlet is gone", async || names(&node) == ["env"]).await;
    node.gateway.answer(functions(&[]));
    eventually("all are gone", async || node.dataplane.memory().functions.is_empty()).await;
    node.health("plans", true).await;
}

#[tokio::test]
async fn a_gateway_that_fails_keeps_its_functions_and_shows_in_the_health() {
    let node = Node::start(&["figlet"]).await.ready().await;
    node.health("gateway", true).await;
    for bad in [Answer::Status(401), Answer::Status(500), Answer::Garbage, Answer::Close, Answer::Huge] {
        node.gateway.answer(bad);
        let reason = node.health("gateway", false).await;
        assert!(reason.contains("/system/functions"), "{reason}");
        let before = node.dataplane.memory().writes;
        eventually("plans go on", async || node.dataplane.memory().writes > before + 2).await;
        assert_eq!(names(&node), ["figlet"]);
        node.gateway.answer(functions(&["figlet"]));
        node.health("gateway", true).await;
    }
    assert_eq!(node.get("/healthz").await.unwrap().0, 200);
}

#[tokio::test]
async fn until_the_gateway_answers_nothing_is_planned_or_armed() {
    let gateway = Gateway::start(&[]).await;
    gateway.answer(Answer::Status(500));
    let node = Node::over(Double::default(), gateway, "");
    node.health("gateway", false).await;
    eventually("peers are told", async || node.dataplane.memory().peers.len() == 1).await;
    assert_eq!(node.get("/readyz").await.unwrap().0, 503);
    assert_eq!(node.get("/healthz").await.unwrap().0, 503);
    assert_eq!(node.dataplane.memory().armed_after, None);
    node.gateway.answer(functions(&["figlet"]));
    let node = node.ready().await;
    assert!(node.dataplane.memory().snapshot.armed);
}

#[tokio::test]
async fn functions_of_an_earlier_agent_are_planned_while_the_gateway_is_away() {
    let gateway = Gateway::start(&[]).await;
    let figlet =
        [("dfaas.maxrate".to_owned(), "10".to_owned()), ("dfaas.local_only".to_owned(), "1".to_owned())];
    gateway.answer(Answer::Json(json!([
        { "name": "figlet", "labels": BTreeMap::from(figlet) },
        { "name": "env", "namespace": "openfaas-fn" },
    ])));
    let (address, answers) = (gateway.address, gateway.clone());
    let node = Node::over(Double::default(), gateway, "").ready().await;
    let told = node.dataplane.memory().functions.clone();
    let (_, folder) = node.end(Exit::Keep).await;

    answers.answer(Answer::Status(500));
    // The configuration may have changed meanwhile: labels are remembered, not what became of them.
    let more = "[functions.figlet]\nmax_rate = 3";
    let node = Node::within(folder, Double::default(), answers, more).ready().await;
    assert_eq!(node.gateway.address, address);
    let reason = node.health("gateway", false).await;
    assert!(reason.contains("answered 500"), "{reason}");
    let memory = node.dataplane.memory();
    assert_eq!((&memory.functions, memory.snapshot.armed), (&told, true));
    assert_eq!(memory.plans["env"].shares.len(), 2);
    let figlet = &memory.plans["figlet"];
    assert_eq!((figlet.local_rate, figlet.shares.as_slice()), (3.0, &[(Target::Local, 65_536)][..]));
}

#[tokio::test]
async fn labels_and_overrides_become_limits_of_the_plan() {
    let gateway = Gateway::start(&[]).await;
    let labels = json!({ "dfaas.maxrate": "10", "dfaas.local_only": "true" });
    gateway.answer(Answer::Json(json!([
        { "name": "stay", "labels": labels },
        { "name": "over", "labels": { "dfaas.maxrate": "10" } },
    ])));
    let more = "[functions.\"over.openfaas-fn\"]\nmax_rate = 2.5\nmax_inflight = 4";
    let node = Node::over(Double::default(), gateway, more).ready().await;
    let memory = node.dataplane.memory();
    let (stay, over) = (&memory.plans["stay"], &memory.plans["over"]);
    assert_eq!((stay.local_rate, stay.local_inflight), (10.0, 0));
    assert_eq!(stay.shares, [(Target::Local, 65_536)]);
    assert_eq!((over.local_rate, over.local_inflight), (2.5, 4));
}

#[tokio::test]
async fn alllocal_keeps_everything_here() {
    let node = Node::with("strategy = \"alllocal\"", &["figlet"]).await.ready().await;
    assert_eq!(node.dataplane.memory().plans["figlet"].shares, [(Target::Local, 65_536)]);
}

#[tokio::test]
async fn a_failing_data_plane_is_told_in_the_health_and_tried_again() {
    let dataplane = Double::default();
    dataplane.memory().broken = true;
    let node = Node::over(dataplane, Gateway::start(&["figlet"]).await, "");
    let reason = node.health("dataplane", false).await;
    assert!(reason.contains("told to fail"), "{reason}");
    assert_eq!(node.get("/readyz").await.unwrap().0, 503);
    assert_eq!(node.dataplane.memory().armed_after, None);
    node.dataplane.memory().broken = false;
    let node = node.ready().await;
    node.health("dataplane", true).await;
    assert_eq!(names(&node), ["figlet"]);

    node.dataplane.memory().broken = true;
    node.health("plans", false).await;
    node.dataplane.memory().broken = false;
    node.health("plans", true).await;
    let (_, metrics) = node.get("/metrics").await.unwrap();
    assert!(!metrics.contains("dfaas_dataplane_errors_total 0\n"), "{metrics}");
}

#[tokio::test]
async fn only_what_a_plan_says_counts_as_a_change() {
    let node = Node::start(&["figlet"]).await.ready().await;
    let changes = async || {
        let (_, metrics) = node.get("/metrics").await.unwrap();
        let line = metrics.lines().find_map(|line| line.strip_prefix("dfaas_plan_changes_total "));
        line.expect("the counter is there").to_owned()
    };
    let before = node.dataplane.memory().writes;
    eventually("five renewals", async || node.dataplane.memory().writes >= before + 5).await;
    assert_eq!(changes().await, "1");
    node.gateway.answer(Answer::Json(json!([{ "name": "figlet", "labels": { "dfaas.maxrate": "3" } }])));
    eventually("the new limit counts", async || changes().await == "2").await;
}

#[tokio::test]
async fn leaving_detaches_with_a_limit() {
    let node = Node::start(&["figlet"]).await.ready().await;
    let dataplane = node.dataplane.clone();
    let (outcome, _) = node.end(Exit::Leave).await;
    assert_eq!(outcome.unwrap(), Outcome::Left(Left { abandoned: 2 }));
    assert_eq!(dataplane.memory().left, Some(Duration::from_secs(10)));
}

#[tokio::test]
async fn a_second_word_while_leaving_ends_the_wait() {
    let node = Node::start(&["figlet"]).await.ready().await;
    node.dataplane.memory().leave_takes = Duration::from_secs(5);
    node.shutdown.send(Exit::Leave).await.unwrap();
    let reason = node.health("dataplane", false).await;
    assert_eq!(reason, "the agent is leaving");
    assert_eq!(node.get("/readyz").await.unwrap().0, 503);
    let (outcome, _) = node.end(Exit::Leave).await;
    assert!(matches!(outcome, Err(AgentError::Interrupted)), "{outcome:?}");
}

#[tokio::test]
async fn keeping_drops_the_data_plane_without_leaving() {
    let node = Node::start(&["figlet"]).await.ready().await;
    let dataplane = node.dataplane.clone();
    let (outcome, _) = node.end(Exit::Keep).await;
    assert_eq!(outcome.unwrap(), Outcome::Kept);
    eventually("its thread has ended", async || dataplane.memory().dropped).await;
    assert_eq!(dataplane.memory().left, None);
    assert!(dataplane.memory().snapshot.armed);
}

#[tokio::test]
async fn while_all_is_served_here_without_limits_nothing_is_steered() {
    let node = Node::with("[control.static]\nlocal = 100", &["figlet"]).await.ready().await;
    let before = node.dataplane.memory().writes;
    eventually("plans are renewed", async || node.dataplane.memory().writes >= before + 3).await;
    assert_eq!(node.dataplane.memory().armed_after, None);
    let body = dfaas_userspace::admin::get(&node.socket(), "/status").await.unwrap();
    let status: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(status["armed"], false);
    assert!(status["armed_why"].as_str().unwrap().contains("without limits"), "{status}");
    // The smallest part that leaves is enough.
    let node = Node::with("[control.static]\nlocal = 99", &["figlet"]).await.ready().await;
    eventually("it is armed", async || node.dataplane.memory().snapshot.armed).await;
    let body = dfaas_userspace::admin::get(&node.socket(), "/status").await.unwrap();
    let status: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(status["armed_why"], "figlet is shared with peers");
}
