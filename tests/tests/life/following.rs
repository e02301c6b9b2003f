//! Invocations and connections that are watched one by one.

use aya::maps::{Array, Map, MapData};
use dfaas_common::ABI_VERSION;
use dfaas_common::config::Config;
use dfaas_tests::settings::{Function, node_name};
use dfaas_tests::{Node, Process};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::connection::HalfSent;
use crate::federation::{Federation, PATIENCE, eventually};
use crate::observe::{json, text};

/// One invocation in how many node 1's programs report.
fn sample(federation: &Federation) -> u32 {
    let pin = federation.lab.pin(1).join(format!("v{ABI_VERSION}/CONFIG"));
    let map = MapData::from_pin(pin).unwrap();
    let config: Array<_, Config> = Map::Array(map).try_into().unwrap();
    config.get(&0, 0).unwrap().sample
}

/// `dfaas flows --follow --json` on a node, once it follows.
fn follow(node: &Node) -> Process {
    let socket = node.admin_socket();
    let args = ["flows", "--follow", "--json", "--socket", &*socket.to_string_lossy()];
    let follower = node.start_dfaas("follow", &args).unwrap();
    eventually("it follows", || follower.output().contains("\"kind\":\"following\"").then_some(()));
    follower
}

/// The invocations that a follower has been told, once there are so many.
fn told(follower: &Process, count: usize) -> Vec<Value> {
    let told = |output: String| -> Vec<Value> {
        // The last line may be half written.
        let lines = output.lines().filter_map(|line| serde_json::from_str(line).ok());
        lines.filter(|line: &Value| line["kind"] == "invocation").collect()
    };
    eventually("all is told", || Some(told(follower.output())).filter(|told| told.len() >= count))
}

#[test]
fn each_invocation_is_told_where_it_came_from_and_where_it_was_served_until_nobody_follows() {
    let federation = Federation::start(2, &[("echo", Function::echo())]);
    let followers: Vec<Process> = federation.nodes.iter().map(follow).collect();
    assert_eq!(sample(&federation), 1);
    let served: Vec<String> = (0..12).map(|_| federation.served("echo")).collect();
    let here = told(&followers[0], served.len());
    assert_eq!(here.len(), served.len());
    for (told, by) in here.iter().zip(&served) {
        let backend = if *by == node_name(1) { "local" } else { by };
        assert_eq!((&told["function"], &told["backend"]), (&"echo".into(), &backend.into()), "{told}");
        assert_eq!(
            (&told["status"], &told["way"], &told["end"]),
            (&200.into(), &"first".into(), &"answered".into())
        );
        assert_eq!(told["peer"], Value::Null);
        let (first, took) = (told["first_byte_ms"].as_f64().unwrap(), told["took_ms"].as_f64().unwrap());
        assert!(0.0 < first && first <= took, "{told}");
        assert!(
            told["bytes_to_backend"].as_u64().unwrap() > 50 && told["bytes_to_client"].as_u64().unwrap() > 50
        );
    }
    let away = served.iter().filter(|by| **by == node_name(2)).count();
    let there = told(&followers[1], away);
    assert_eq!(there.len(), away);
    for told in &there {
        assert_eq!((&told["peer"], &told["backend"]), (&"node-1".into(), &"local".into()), "{told}");
    }

    // However followers end, nothing is reported any more.
    followers[0].signal(Signal::SIGKILL).unwrap();
    eventually("nothing is reported", || (sample(&federation) == 0).then_some(()));
    federation.served_times("echo", 4);
    let again = follow(&federation.nodes[0]);
    federation.served("echo");
    assert_eq!(told(&again, 1).len(), 1, "nothing of the time in between");
    again.signal(Signal::SIGINT).unwrap();
    eventually("nothing is reported", || (sample(&federation) == 0).then_some(()));
}

#[test]
fn what_an_agent_that_is_killed_was_reporting_ends_with_the_next() {
    let mut federation = Federation::start(1, &[("echo", Function::echo())]);
    let follower = follow(&federation.nodes[0]);
    federation.first().kill_agent().unwrap();
    assert_eq!(sample(&federation), 1, "nobody was there to end it");
    federation.served_times("echo", 3);
    eventually("the follower ends", || follower.output().contains("has ended").then_some(()));
    federation.first().start_agent().unwrap();
    assert_eq!(sample(&federation), 0);
    let again = follow(&federation.nodes[0]);
    federation.served("echo");
    assert_eq!(told(&again, 1).len(), 1, "and what was reported to nobody is not told");
}

#[test]
fn connections_are_shown_as_they_are() {
    let federation =
        Federation::start_with(2, &[("echo", Function::echo())], |_, agent, _| agent.static_local = 0.0);
    let half = HalfSent::begin(&federation, "echo", vec![b'x'; 200_000]);
    let node = &federation.nodes[0];
    let flow = eventually("it is bound to the peer", || {
        let report = json(node, "flows");
        let flows = report["flows"].as_array().unwrap().clone();
        flows.into_iter().find(|flow| flow["state"] == "established")
    });
    assert_eq!((&flow["function"], &flow["backend"]), (&"echo".into(), &"node-2".into()), "{flow}");
    assert_eq!((&flow["busy"], &flow["server"]), (&true.into(), &"10.77.0.2:31601".into()), "{flow}");
    assert!(flow["bytes_to_backend"].as_u64().unwrap() > 0, "{flow}");
    let said = text(node, "flows");
    assert!(said.contains("node-2") && said.contains("established, busy"), "{said}");
    let there = json(&federation.nodes[1], "flows");
    assert_eq!(there["flows"][0]["peer"], "node-1", "{there}");
    assert_eq!(there["flows"][0]["state"], "forwarded", "{there}");
    assert_eq!(half.finish(), node_name(2));
    let ended = eventually("its end is seen", || {
        let report = json(node, "flows");
        let flows = report["flows"].as_array().unwrap().clone();
        flows.into_iter().find(|flow| flow["busy"] == false)
    });
    assert_eq!(ended["bytes_to_backend"], 0, "all is counted: {ended}");
    let (status, said) = node
        .dfaas(
            &["flows", "--function", "nothing", "--socket", &node.admin_socket().to_string_lossy()],
            PATIENCE,
        )
        .unwrap();
    assert!(status.success() && said.starts_with("no such connections"), "{said}");
}
