//! Nodes over a network that delays, loses, repeats and reorders what they say.

use dfaas_control::{Command, NodeId};
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
    /// An operator drains a node, or takes that back.
    Drain(u64, bool),
    /// A peer refuses so much of what it is sent.
    Refuse(u64, u64, f64),
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
        1 => (node.clone(), node.clone()).prop_map(|(at, peer)| Event::Meet(at, peer)),
        1 => (node.clone(), any::<bool>()).prop_map(|(at, drained)| Event::Drain(at, drained)),
        1 => (node.clone(), node, 0.0_f64..1.0).prop_map(|(at, peer, part)| Event::Refuse(at, peer, part)),
    ]
}

fn taken(federation: &mut Federation, which: usize) -> Option<Letter> {
    let under_way = federation.wire.len();
    (under_way > 0).then(|| federation.wire.swap_remove_back(which % under_way)).flatten()
}

/// Runs the events; every command is checked on the way.
fn run(events: &[Event]) -> Federation {
    let mut federation = Federation::new(&CAPACITIES);
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
            Event::Drain(at, drained) => federation.node(at).strategy.drain(drained),
            Event::Refuse(at, peer, part) => {
                if let Some(peer) = federation.node(at).measured.peers.get_mut(&NodeId(peer)) {
                    (peer.sent_rate, peer.refusal_rate) = (20.0, 20.0 * part);
                }
            }
        }
    }
    federation
}

/// The network works again: all know each other and are open, and old messages are lost.
fn heal(federation: &mut Federation) {
    federation.wire.clear();
    for at in 1..=3 {
        let node = federation.node(at);
        node.strategy.drain(false);
        for peer in (1..=3).filter(|peer| *peer != at) {
            *node.meets(peer) = Default::default();
        }
    }
}

proptest! {
    // Each case runs for a minute.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_the_network_did_the_load_is_served_soon_after(
        events in proptest::collection::vec(any_event(), 0..150)
    ) {
        let mut federation = run(&events);
        heal(&mut federation);
        for (node, rate) in [(1, 45.0), (2, 0.0), (3, 0.0)] {
            federation.load(node, rate);
        }
        // Trust is earned back, and the rates of the past are forgotten.
        for _ in 0..60 {
            federation.flow(&[]);
            federation.round();
        }
        let flow = federation.flow(&[]);
        prop_assert!(flow.rejected < 1e-6, "{flow:?}");
        let shares = federation.node(1).shares(1);
        prop_assert!(shares.len() == 3 && shares[&1] < 10.0 / 45.0, "{shares:?}");
    }
}

proptest! {
    #[test]
    fn whatever_is_under_way_the_nodes_come_to_rest(events in proptest::collection::vec(any_event(), 0..150)) {
        let mut federation = run(&events);
        // Fails by itself if there is no end.
        federation.settle();
        for _ in 0..3 {
            federation.round();
        }
    }

    #[test]
    fn the_same_events_give_the_same_commands(events in proptest::collection::vec(any_event(), 0..100)) {
        let commands = |federation: Federation| -> Vec<(NodeId, Command)> { federation.log };
        prop_assert_eq!(commands(run(&events)), commands(run(&events)));
    }
}
