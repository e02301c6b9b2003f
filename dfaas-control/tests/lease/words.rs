//! What a node answers to messages, also to those of liars.

use std::time::Duration;

use dfaas_control::{Command, FunctionId, FunctionMeasurements, LeaseWord, Message, NodeId, lease_flag};
use proptest::prelude::*;

use crate::host::{FIGLET, Node, PERIOD, function, words};

fn asks(ask: f32) -> Message {
    Message::Lease(LeaseWord { capacity: 2.0, demand: 2.0, ask, ..LeaseWord::default() })
}

/// An idle node that serves 20 a second with two processors, with peers 2 and 3 that have introduced themselves.
fn met() -> Node {
    let mut node = Node::new([(FIGLET, function(20.0))].into());
    node.meets(2);
    node.meets(3);
    for second in 0..3 {
        node.tick(PERIOD * second);
        node.hear(PERIOD * second, 2, &asks(0.0));
        node.hear(PERIOD * second, 3, &asks(0.0));
    }
    node
}

/// A little after the last tick of [`met`].
const LATER: Duration = Duration::from_millis(2_300);

#[test]
fn an_ask_is_answered_at_once_with_a_grant_and_costs_and_asking_again_changes_nothing() {
    let mut node = met();
    let told = words(&node.hear(LATER, 2, &asks(1.0)));
    assert_eq!(told.keys().collect::<Vec<_>>(), [&2]);
    assert!((told[&2].grant - 1.0).abs() < 1e-6, "{told:?}");
    // Two processors and twenty a second.
    assert_eq!(told[&2].costs, [(FIGLET, 0.1)]);
    let admitted = node.plan.as_ref().unwrap().admission[&NodeId(2)].rate;
    assert!(admitted >= 10.0, "admission is open before the grant is told: {admitted}");
    assert_eq!(node.hear(LATER + PERIOD / 2, 2, &asks(1.0)), []);
    let told = words(&node.tick(PERIOD * 3));
    assert!((told[&2].grant - 1.0).abs() < 1e-6, "{told:?}");
    assert_eq!((told[&3].grant, told[&3].costs.len()), (0.0, 0), "it asks for nothing");
}

#[test]
fn a_second_asker_gets_what_is_free_and_then_half() {
    let mut node = met();
    // What it sends comes on connections that it keeps.
    node.figlet().peer_rate = 10.0;
    for second in 3..12 {
        node.hear(PERIOD * second, 2, &asks(50.0));
        node.hear(PERIOD * second, 3, &asks(0.0));
        node.tick(PERIOD * second);
    }
    let held = node.said[&NodeId(2)].1.clone();
    assert!((f64::from(held.grant) - f64::from(held.headroom)).abs() < 0.01 && held.free < 0.01, "{held:?}");
    let told = words(&node.hear(PERIOD * 11 + PERIOD / 2, 3, &asks(50.0)));
    assert!(told.is_empty() || told[&3].grant < 0.01, "{told:?}");
    let told = words(&node.tick(PERIOD * 12));
    let half = told[&2].headroom / 2.0;
    assert!((told[&2].grant - half).abs() < 0.05 && (told[&3].grant - half).abs() < 0.05, "{told:?}");
}

#[test]
fn the_first_word_of_a_peer_is_answered_once() {
    let mut node = Node::new([(FIGLET, function(20.0))].into());
    node.meets(2);
    node.tick(Duration::ZERO);
    assert!(node.said.is_empty(), "users were not counted yet");
    node.tick(PERIOD);
    let at = PERIOD + PERIOD / 2;
    assert_eq!(words(&node.hear(at, 2, &asks(0.0))).len(), 1);
    assert_eq!(words(&node.hear(at + PERIOD / 4, 2, &asks(0.0))).len(), 0);
    // Long silent, it may have forgotten this node.
    assert_eq!(words(&node.hear(at + PERIOD * 4, 2, &asks(0.0))).len(), 1);
}

#[test]
fn strangers_and_messages_before_the_first_tick_have_no_answer() {
    assert_eq!(met().hear(LATER, 9, &asks(1.0)), []);
    let mut new = Node::new([(FIGLET, function(20.0))].into());
    new.meets(2);
    assert_eq!(new.hear(Duration::ZERO, 2, &asks(1.0)), []);
    assert_eq!(met().hear(LATER, 2, &Message::Recalc(Vec::new())), []);
}

#[test]
fn a_lease_ends_with_the_words_of_whoever_asked() {
    let mut node = met();
    node.hear(LATER, 2, &asks(1.0));
    for (second, granted) in [(3, true), (4, true), (5, true), (6, false)] {
        let told = words(&node.tick(PERIOD * second));
        assert_eq!(told[&2].grant > 0.0, granted, "at {second} s: {told:?}");
    }
}

#[test]
fn a_drained_node_says_so_and_takes_its_grants_back_within_a_tick() {
    let mut node = met();
    node.hear(LATER, 2, &asks(1.0));
    node.strategy.drain(true);
    let told = words(&node.tick(PERIOD * 3));
    assert_eq!((told[&2].grant, told[&2].flags & lease_flag::DRAINING), (0.0, lease_flag::DRAINING));
    assert_eq!(node.plan.as_ref().unwrap().admission[&NodeId(2)].inflight, 0);
    node.strategy.drain(false);
    assert!(words(&node.tick(PERIOD * 4))[&2].headroom > 1.0);
}

/// How many plans these commands set.
fn plans(commands: &[Command]) -> usize {
    commands.iter().filter(|command| matches!(command, Command::SetPlan(_))).count()
}

#[test]
fn words_that_come_together_make_one_plan_and_together_are_granted_no_more_than_there_is() {
    let mut node = met();
    let (mut at, mut set) = (LATER, 0);
    for from in [2, 3] {
        set += plans(&node.hear_of_many(at, from, &asks(50.0)));
        at += Duration::from_millis(5);
    }
    assert_eq!(set, 0, "there may be more to come");
    let due = node.strategy.due().expect("two asks are to be answered").0;
    assert_eq!(due, LATER + Duration::from_millis(20));
    // The node checks that no more than its headroom is granted.
    let commands = node.work_out(due);
    assert_eq!((plans(&commands), words(&commands).len()), (1, 2), "{commands:?}");
    let told = words(&commands);
    assert!(told[&2].grant > 0.3 && told[&3].grant > 0.3, "{told:?}");
}

#[test]
fn a_larger_grant_changes_the_plan_a_moment_later_a_smaller_one_sooner_and_a_peer_that_drains_at_once() {
    let mut node = Node::new([(FIGLET, function(10.0))].into());
    node.meets(2);
    node.figlet().user_rate = 20.0;
    let gives = |grant: f32| {
        let word = LeaseWord {
            capacity: 4.0,
            demand: 3.9,
            headroom: 3.0,
            free: 3.0 - grant,
            grant,
            ..LeaseWord::default()
        };
        Message::Lease(LeaseWord { costs: vec![(FIGLET, 0.05)], ..word })
    };
    for second in 0..5 {
        node.tick(PERIOD * second);
        node.hear(PERIOD * second, 2, &gives(0.3));
    }
    let sent = |node: &Node| node.shares(1).get(&2).copied().unwrap_or(0.0);
    let before = sent(&node);
    assert_eq!(plans(&node.hear_of_many(PERIOD * 4 + PERIOD / 2, 2, &gives(0.5))), 0);
    let due = node.strategy.due().expect("there is more to use").0;
    assert_eq!(due, PERIOD * 4 + PERIOD / 2 + Duration::from_millis(20));
    assert_eq!((plans(&node.work_out(due)), sent(&node) > before), (1, true));
    let before = sent(&node);
    assert_eq!(plans(&node.hear_of_many(due, 2, &gives(0.6))), 0);
    let later = node.strategy.due().expect("there is still more").0;
    assert_eq!(later, due + Duration::from_millis(100), "not so soon again");
    assert_eq!(plans(&node.hear_of_many(due, 2, &gives(0.1))), 0);
    let due = node.strategy.due().expect("there is less").0;
    assert!(due < later, "{due:?}");
    assert_eq!((plans(&node.work_out(due)), sent(&node) < before), (1, true));
    let drains = LeaseWord { capacity: 4.0, flags: lease_flag::DRAINING, ..LeaseWord::default() };
    assert_eq!(plans(&node.hear_of_many(due, 2, &Message::Lease(drains))), 1);
    assert_eq!((node.strategy.due(), sent(&node)), (None, 0.0));
}

fn any_word() -> impl Strategy<Value = LeaseWord> {
    // Any bits, and values that make sense, so that grants are in fact made.
    let number = || prop_oneof![any::<u32>().prop_map(f32::from_bits), 0.0_f32..4.0];
    let costs = proptest::collection::vec(((0_u64..10).prop_map(FunctionId), number()), 0..6);
    let numbers = (number(), number(), number(), number(), number(), number(), number());
    (numbers, any::<u32>(), prop_oneof![Just(0_u8), any::<u8>()], costs).prop_map(
        |(n, wait, flags, costs)| {
            let (capacity, demand, level, headroom, free, ask, grant) = n;
            LeaseWord { capacity, demand, level, headroom, free, wait, flags, ask, grant, costs }
        },
    )
}

proptest! {
    #[test]
    fn whatever_peers_say_plans_and_grants_are_sound(
        said in proptest::collection::vec((1_u64..25, any_word(), 0_u64..1_500), 1..60),
        rates in proptest::collection::vec((0.0_f64..30.0, 0.0_f64..30.0, any::<bool>(), any::<bool>()), 8),
    ) {
        let functions = (0..).map(FunctionId).zip(rates.iter().map(|(max_rate, user_rate, here, local_only)| {
            let max_rate = (*max_rate > 10.0).then_some(*max_rate);
            let (user_rate, here, local_only) = (*user_rate, *here, *local_only);
            FunctionMeasurements { max_rate, user_rate, here, local_only, ..FunctionMeasurements::default() }
        }));
        let mut node = Node::new(functions.collect());
        (2..=22).for_each(|peer| { node.meets(peer); });
        let (mut now, mut ticked) = (Duration::ZERO, Duration::ZERO);
        node.tick(now);
        for (from, word, wait) in said {
            now += Duration::from_millis(wait);
            if now >= ticked + PERIOD {
                node.tick(now);
                ticked = now;
            }
            let message = Message::Lease(word);
            // The node checks every plan and every grant.
            let commands = node.hear(now, from, &message);
            // A wait at once, and then a plan and a word to each.
            prop_assert!(commands.len() <= 2 + 21, "{}", commands.len());
            prop_assert!(!words(&commands).contains_key(&1));
            prop_assert_eq!(node.hear(now, from, &message), [], "said again it changes nothing");
            prop_assert!(node.measured.peers.contains_key(&NodeId(from)) || commands.is_empty());
        }
    }
}
