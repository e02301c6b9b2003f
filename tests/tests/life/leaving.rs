//! The ways in which an agent ends when it is told to.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use dfaas_tests::settings::{Function, node_name};
use nix::sys::signal::Signal;

use crate::connection::{HalfSent, in_background, nodes_of};
use crate::federation::{Federation, PATIENCE, eventually};
use crate::kernel::{attached, pins, reserve_ports, reserved_ports};
use crate::observe::Metrics;

fn with_naps() -> Federation {
    let nap = Function { kind: "sleep".to_owned(), ms: Some(3000), ..Function::default() };
    Federation::prepare(2, &[("echo", Function::echo()), ("nap", nap)], |_, _, _| {})
}

fn start(federation: &mut Federation) {
    for node in &mut federation.nodes {
        node.start_gateway().unwrap();
        node.start_agent().unwrap();
    }
}

#[test]
fn an_agent_that_is_terminated_waits_for_connections_and_leaves_the_machine_as_it_was() {
    let mut federation = with_naps();
    let node = federation.lab.node(1);
    reserve_ports(&node, "7000,9000-9010");
    start(&mut federation);
    assert_eq!(reserved_ports(&node), "7000,9000-9010,20000-29999");
    let naps = in_background(&federation, "nap", 6);
    eventually("all are bound", || {
        (Metrics::of(&federation.nodes[0]).sum("dfaas_inflight") == 6.0).then_some(())
    });

    federation.nodes[0].agent().unwrap().signal(Signal::SIGTERM).unwrap();
    eventually("it leaves", || federation.nodes[0].agent_log().contains("leaving; waiting").then_some(()));
    eventually("new ones pass natively", || {
        let before = Metrics::of(&federation.nodes[1]).invocations("echo", "peer", "local");
        let by_node = federation.served_times("echo", 8);
        let after = Metrics::of(&federation.nodes[1]).invocations("echo", "peer", "local");
        (by_node == [(node_name(1), 8)].into() && before == after).then_some(())
    });
    assert!(federation.nodes[0].agent().is_some(), "it still waits");
    let served = nodes_of(naps);
    assert!(served.contains(&node_name(1)) && served.contains(&node_name(2)), "{served:?}");
    let ended = federation.first().end_agent(None, PATIENCE).unwrap();
    assert_eq!(ended.code(), Some(0), "{}", federation.nodes[0].agent_log());
    assert!(federation.nodes[0].agent_log().contains("detached; 0 connections cut"));

    machine_is_as_before(&federation, "7000,9000-9010");
    assert_eq!(federation.served_times("echo", 4), [(node_name(1), 4)].into());
    assert_eq!(attached(&federation.lab.node(2)).len(), 4, "the other node has nothing to do with it");
}

fn machine_is_as_before(federation: &Federation, ports: &str) {
    let node = federation.lab.node(1);
    assert_eq!(attached(&node), Vec::<String>::new());
    assert_eq!(reserved_ports(&node), ports);
    assert!(!federation.lab.pin(1).exists(), "{:?}", pins(&federation.lab.pin(1)));
    assert!(!federation.nodes[0].admin_socket().exists());
}

#[test]
fn connections_that_outlast_the_limit_of_leaving_are_counted_and_reset() {
    let mut federation = with_naps();
    start(&mut federation);
    let half_sent: Vec<_> =
        (0..6).map(|_| HalfSent::begin(&federation, "echo", vec![b'x'; 60_000])).collect();
    eventually("all are bound", || {
        (Metrics::of(&federation.nodes[0]).sum("dfaas_inflight") == 6.0).then_some(())
    });
    let ended = federation.first().end_agent(Some(Signal::SIGTERM), PATIENCE).unwrap();
    assert_eq!(ended.code(), Some(0));
    assert!(federation.nodes[0].agent_log().contains("detached; 6 connections cut"));
    machine_is_as_before(&federation, "");
    let ends: Vec<_> = half_sent.into_iter().map(HalfSent::finish_in_vain).collect();
    assert_eq!(ends, [ErrorKind::ConnectionReset; 6]);
    eventually("the other node has no connection left", || {
        (Metrics::of(&federation.nodes[1]).sum("dfaas_inflight") == 0.0).then_some(())
    });
}

/// Pins without the names of those that each loaded object has for itself; how many there are still counts.
fn unnamed(pins: &[String]) -> Vec<String> {
    let name = |pin: &String| pin.find("/steps/").map_or(pin.clone(), |at| format!("{}/steps/*", &pin[..at]));
    pins.iter().map(name).collect()
}

#[test]
fn an_agent_that_quits_leaves_its_data_plane_which_unload_removes() {
    let mut federation = with_naps();
    start(&mut federation);
    let (node, pin) = (federation.lab.node(1), federation.lab.pin(1));
    let before = (attached(&node), pins(&pin), reserved_ports(&node));
    assert!(before.1.iter().any(|pin| pin.ends_with("links/users0-ingress")), "{:?}", before.1);
    a_second_agent_is_refused(&federation);

    for signal in [Signal::SIGQUIT, Signal::SIGHUP] {
        let naps = in_background(&federation, "nap", 4);
        eventually("all are bound", || {
            let metrics = Metrics::of(&federation.nodes[0]);
            (metrics.inflight("nap", "local") + metrics.inflight("nap", "node-2") == 4.0).then_some(())
        });
        let ended = federation.first().end_agent(Some(signal), PATIENCE).unwrap();
        assert_eq!(ended.code(), Some(0), "{signal}: {}", federation.nodes[0].agent_log());
        assert_eq!(
            (attached(&node).len(), unnamed(&pins(&pin)), reserved_ports(&node)),
            (4, unnamed(&before.1), before.2.clone())
        );
        federation.served_times("echo", 4);
        if signal == Signal::SIGQUIT {
            federation.first().start_agent().unwrap();
        }
        let served = nodes_of(naps);
        assert!(served.contains(&node_name(1)) && served.contains(&node_name(2)), "{served:?}");
    }

    let half_sent: Vec<_> =
        (0..2).map(|_| HalfSent::begin(&federation, "echo", vec![b'x'; 60_000])).collect();
    federation.served_times("echo", 1);
    let file = federation.nodes[0].agent_file();
    let unload = ["unload", "--config", file.to_str().unwrap()];
    let (status, said) = federation.nodes[0].dfaas(&unload, PATIENCE).unwrap();
    assert!(status.success() && said.contains("is detached and removed"), "{said}");
    machine_is_as_before(&federation, "");
    let ends: Vec<_> = half_sent.into_iter().map(HalfSent::finish_in_vain).collect();
    assert_eq!(ends, [ErrorKind::ConnectionReset; 2]);
    let (status, said) = federation.nodes[0].dfaas(&unload, PATIENCE).unwrap();
    assert!(status.success() && said.contains("there is no data plane"), "{said}");
    assert_eq!(federation.served_times("echo", 4), [(node_name(1), 4)].into());
}

fn a_second_agent_is_refused(federation: &Federation) {
    let node = &federation.nodes[0];
    let pid = node.agent().unwrap().pid();
    let file = node.agent_file();
    for command in ["agent", "unload"] {
        // Not the agent's own log: that is the running agent's.
        let log = federation.lab.folder().join("second.log");
        let (code, said) = run_once(federation, &[command, "--config", file.to_str().unwrap()], &log);
        assert_eq!((code, said.lines().count()), (Some(1), 1), "{said}");
        assert!(said.starts_with(&format!("dfaas: another agent (process {pid}) runs with pin ")), "{said}");
    }
    federation.served_times("echo", 2);
    assert_eq!(Metrics::of(node).get("dfaas_dataplane_armed"), 1.0);
}

fn run_once(federation: &Federation, args: &[&str], log: &Path) -> (Option<i32>, String) {
    let _ = std::fs::remove_file(log);
    let mut command = std::process::Command::new(dfaas_tests::dfaas_binary().unwrap());
    command.args(args);
    let mut process =
        dfaas_tests::Process::spawn("a second agent", &federation.lab.node(1), command, log).unwrap();
    let status = process.wait(Duration::from_secs(20)).unwrap().expect("it ends by itself");
    (status.code(), std::fs::read_to_string(log).unwrap())
}
