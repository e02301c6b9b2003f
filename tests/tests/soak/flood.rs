//! Floods from senders that do not exist, beside users who notice nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dfaas_tests::{Family, Node};

use crate::frames::{Kind, send};
use crate::memory::Memory;
use crate::site::{Plan, Site};
use crate::users::Users;
use crate::{FAMILIES, reached, seconds};

/// Segments a second.
const RATE: f64 = 200_000.0;

/// Most flows that the users of this story can have: five seconds of their new connections, and half as much again.
const FLOWS: f64 = 800.0;

/// By how much memory may have grown, in KiB. An entry of a hundred bytes for each segment would be far more.
const AGENT: u64 = 16 << 10;
const MAPS: u64 = 1 << 10;
const KERNEL: u64 = 64 << 10;

fn users() -> Users {
    Users { rate: 100.0, kept: 20, pause: Duration::from_millis(100), ..Users::default() }
}

/// The most flows that a node has until it is told to stop looking.
fn most_flows(node: &Node, over: &AtomicBool) -> f64 {
    let mut most: f64 = 0.0;
    while !over.load(Ordering::Relaxed) {
        most = most.max(node.metric("dfaas_flows", &[]).unwrap());
        std::thread::sleep(Duration::from_millis(250));
    }
    most
}

/// Floods a node in this mode of the data plane.
fn withstand(family: Family, mode: &str, kind: Kind) {
    let overrides = format!("[dataplane]\nmode = \"{mode}\"").parse().unwrap();
    let site = Site::new(&Plan { overrides, ..Plan::usual(family) });
    let node = &site.nodes[0];
    let running = users().start(&site);
    // Until all that grows with users has grown.
    std::thread::sleep(Duration::from_secs(2));
    let (before, events) = (Memory::of(node), site.happened());
    let over = AtomicBool::new(false);
    let (sent, time, flows) = std::thread::scope(|scope| {
        let most = scope.spawn(|| most_flows(node, &over));
        let (sent, time) = send(&site.lab, node, kind, RATE, seconds());
        over.store(true, Ordering::Relaxed);
        (sent, time, most.join().unwrap())
    });
    let after = Memory::of(node);
    let tally = running.finish();
    let now = site.happened();
    let since = |event: &str| now.get(event).unwrap_or(&0) - events.get(event).unwrap_or(&0);
    let (word, met) = match kind {
        Kind::Syn => ("SYNs", since("syn_answered")),
        Kind::Ack => ("acknowledgments", since("passed_unknown")),
    };
    println!(
        "{family:?}, {mode}: {sent} {word} at {}, {met} {}; users: {tally}, {} of 100 new a second; at most {flows} \
         flows; MiB before: {before}; after: {after}",
        reached(sent as f64 / time.as_secs_f64(), RATE),
        if kind == Kind::Syn { "answered" } else { "left to the host" },
        reached(tally.rate(), 100.0),
    );
    tally.check();
    // What the interface's queue lost met nobody.
    assert!(met > sent / 2, "{met} of {sent}");
    assert!(flows <= FLOWS, "{flows} flows");
    assert!(after.agent <= before.agent + AGENT, "the agent has grown from {before} to {after} MiB");
    assert!(after.maps <= before.maps + MAPS, "the maps have grown from {before} to {after} MiB");
    assert!(after.kernel <= before.kernel + KERNEL, "the kernel has grown from {before} to {after} MiB");
    site.agrees_with(&tally);
}

#[test]
fn users_notice_nothing_of_a_flood_of_syns_and_nothing_grows_by_it() {
    for family in FAMILIES {
        withstand(family, "tcx", Kind::Syn);
    }
}

#[test]
fn users_notice_nothing_of_a_flood_of_syns_that_native_xdp_answers() {
    for family in FAMILIES {
        withstand(family, "xdp-native", Kind::Syn);
    }
}

#[test]
fn users_notice_nothing_of_a_flood_of_acknowledgments_of_nothing() {
    for family in FAMILIES {
        withstand(family, "tcx", Kind::Ack);
    }
}
