//! Agents that make way for others, again and again, under users who come and users who stay.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use dfaas_tests::Node;
use nix::sys::signal::Signal;

use crate::memory::most;
use crate::site::{Plan, Site};
use crate::users::Users;
use crate::{FAMILIES, LIMIT, seconds};

/// Connections at one time: half of them kept, half of them new ones.
const CONNECTIONS: usize = 1000;

/// Counters of invocations by their labels.
fn counters(node: &Node) -> BTreeMap<String, u64> {
    let text = node.metrics().unwrap();
    let lines = text.lines().filter(|line| line.starts_with("dfaas_invocations_total{"));
    let pairs = lines.map(|line| line.rsplit_once(' ').unwrap());
    pairs.map(|(name, value)| (name.to_owned(), value.parse::<f64>().unwrap() as u64)).collect()
}

/// A second agent beside the one that runs is refused, and says why.
fn intrude(node: &Node) {
    let file = node.agent_file();
    let (status, said) = node.dfaas(&["agent", "--config", file.to_str().unwrap()], LIMIT).unwrap();
    assert!(!status.success(), "two agents: {said}");
    assert!(
        said.contains(&format!("process {}", node.agent().unwrap().pid())),
        "it says who is there: {said}"
    );
}

/// The agent of a node makes way for another; what was counted goes on.
fn replace(node: &mut Node) {
    let before = counters(node);
    node.end_agent(Some(Signal::SIGHUP), LIMIT).unwrap();
    node.start_agent().unwrap();
    let after = counters(node);
    for (name, count) in before {
        let now = after.get(&name).copied().unwrap_or(0);
        assert!(now >= count, "{name}: {count} before, {now} after");
    }
}

#[test]
fn agents_are_replaced_under_a_thousand_connections_and_no_request_fails_or_is_not_counted() {
    for family in FAMILIES {
        let mut site = Site::new(&Plan::usual(family));
        let half = CONNECTIONS / 2;
        let pause = Duration::from_millis(400);
        let running = Users { kept: half, passing: half, pause, ..Users::default() }.start(&site);
        let (begun, mut replaced, mut refused) = (Instant::now(), 0, 0);
        std::thread::sleep(Duration::from_secs(1));
        while begun.elapsed() < seconds() || replaced < 3 {
            // That of a peer in every third turn.
            replace(&mut site.nodes[usize::from(replaced % 3 == 2)]);
            replaced += 1;
            intrude(&site.nodes[0]);
            refused += 1;
            std::thread::sleep(Duration::from_millis(500));
        }
        let tally = running.finish();
        let happened = site.happened();
        println!(
            "{family:?}: {CONNECTIONS} connections at one time for {:.0?}: {tally}; {replaced} agents replaced, {refused} \
             refused beside another; {} connections moved, {} pinned, {} plans had expired; {}",
            begun.elapsed(),
            happened.get("moved_local").unwrap_or(&0) + happened.get("moved_peer").unwrap_or(&0),
            happened.get("pinned").unwrap_or(&0),
            happened.get("plan_expired").unwrap_or(&0),
            most(&site.nodes[0]),
        );
        tally.check();
        site.agrees_with(&tally);
        site.nodes.iter_mut().for_each(|node| node.check().unwrap());
    }
}
