//! Three nodes over a network that delays, loses, repeats and reorders what they say.

use std::collections::BTreeMap;

use dfaas_control::{Command, NodeId, RecalcSplit};
use proptest::prelude::*;

use crate::federation::{Federation, Letter};
use crate::host::PERIOD;

const CAPACITIES: [f64; 3] = [10.0, 16.0, 24.0];

/// What happens next.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// A part of a period passes.
    Wait(u32),
    /// A node ticks, early or late.
    Tick(u64),
    /// Users of a node ask for this much.
    Load(u64, f64),
    /// One of the messages under way arrives; which, by its number. It may arrive again later.
    Deliver(usize, bool),
    /// One is lost.
    Lose(usize),
    /// A node takes another for gone, or for back.
    Part(u64, u64),
    Meet(u64, u64),
}

fn any_event() -> impl Strategy<Value = Event> {
    let node = 1_u64..=3;
    prop_oneof![
        3 => (0_u32..1_200).prop_map(Event::Wait),
        4 => node.clone().prop_map(Event::Tick),
        2 => (node.clone(), 0.0_f64..60.0).prop_map(|(node, rate)| Event::Load(node, rate)),
        8 => (any::<usize>(), any::<bool>()).prop_map(|(which, again)| Event::Deliver(which, again)),
        2 => any::<usize>().prop_map(Event::Lose),
        1 => (node.clone(), node.clone()).prop_map(|(at, peer)| Event::Part(at, peer)),
        1 => (node.clone(), node).prop_map(|(at, peer)| Event::Meet(at, peer)),
    ]
}

fn taken(federation: &mut Federation, which: usize) -> Option<Letter> {
    let under_way = federation.wire.len();
    (under_way > 0).then(|| federation.wire.swap_remove_back(which % under_way)).flatten()
}

/// Runs the events; the commands of all nodes, in order. Every one was checked on the way.
fn run(split: RecalcSplit, events: &[Event]) -> Federation {
    let mut federation = Federation::new(split, &CAPACITIES);
    for event in events {
        match *event {
            Event::Wait(milliseconds) => federation.now += PERIOD * milliseconds / 1_000,
            Event::Tick(node) => federation.tick(node),
            Event::Load(node, rate) => federation.load(node, rate),
            Event::Deliver(which, again) => {
                if let Some(letter) = taken(&mut federation, which) {
                    federation.deliver(&letter);
                    if again {
                        federation.wire.push_back(letter);
                    }
                }
            }
            Event::Lose(which) => drop(taken(&mut federation, which)),
            Event::Part(at, peer) => {
                federation.node(at).measured.peers.remove(&NodeId(peer));
            }
            Event::Meet(at, peer) => {
                if at != peer {
                    federation.node(at).meets(peer);
                }
            }
        }
    }
    federation
}

/// The network works again: all know each other, and old messages are lost.
fn heal(federation: &mut Federation) {
    federation.wire.clear();
    for at in 1..=3 {
        (1..=3).filter(|peer| *peer != at).for_each(|peer| {
            federation.node(at).meets(peer);
        });
    }
}

proptest! {
    #[test]
    fn whatever_the_network_did_two_good_rounds_find_the_exact_division(
        events in proptest::collection::vec(any_event(), 0..150), all: bool
    ) {
        let split = if all { RecalcSplit::All } else { RecalcSplit::Overloaded };
        let mut federation = run(split, &events);
        heal(&mut federation);
        for (node, rate) in [(1, 50.0), (2, 0.0), (3, 0.0)] {
            federation.load(node, rate);
        }
        federation.round();
        federation.round();
        let expected = if all { [(2, 8.0), (3, 12.0)] } else { [(2, 16.0), (3, 24.0)] };
        prop_assert_eq!(federation.node(1).limits(), BTreeMap::from(expected));
        let served = federation.node(1).served(1);
        prop_assert!((served[&1] - 10.0).abs() < 0.001);
        for (node, rate) in expected {
            prop_assert!((served[&node] - rate).abs() < 0.001, "{served:?}");
        }
        prop_assert_eq!(federation.round(), 6, "and then there is rest");
    }

    #[test]
    fn whatever_is_under_way_the_nodes_come_to_rest(
        events in proptest::collection::vec(any_event(), 0..150), all: bool
    ) {
        let split = if all { RecalcSplit::All } else { RecalcSplit::Overloaded };
        let mut federation = run(split, &events);
        // Fails by itself if there is no end.
        federation.settle();
        for _ in 0..3 {
            federation.round();
        }
    }

    #[test]
    fn the_same_events_give_the_same_commands(events in proptest::collection::vec(any_event(), 0..100)) {
        let commands = |federation: Federation| -> Vec<(NodeId, Command)> { federation.log };
        let once = commands(run(RecalcSplit::Overloaded, &events));
        prop_assert_eq!(once, commands(run(RecalcSplit::Overloaded, &events)));
    }
}
