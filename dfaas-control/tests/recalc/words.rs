//! What a node answers to messages, also to those of liars.

use std::time::Duration;

use dfaas_control::{Command, FunctionId, Message, NodeId, Offer, RecalcSplit};
use proptest::prelude::*;

use crate::federation::Federation;
use crate::host::{FIGLET, Node, PERIOD, function, limit};

fn word(overloaded: bool, limit: f32) -> Message {
    Message::Recalc(vec![Offer { function: FIGLET, overloaded, limit }])
}

/// A node that serves 20 a second, with peers 2 and 3 that have introduced themselves.
fn met() -> Node {
    let mut node = Node::new(RecalcSplit::Overloaded, [(FIGLET, function(20.0))].into());
    node.meets(2);
    node.meets(3);
    node.tick(Duration::ZERO);
    node.hear(Duration::ZERO, 2, &word(false, 5.0));
    node.hear(Duration::ZERO, 3, &word(false, 5.0));
    node.tick(PERIOD);
    node
}

fn told(commands: &[Command]) -> Vec<u64> {
    let to = |command: &Command| match command {
        Command::Send(to, _) => Some(to.0),
        _ => None,
    };
    commands.iter().filter_map(to).collect()
}

#[test]
fn a_message_that_changes_nothing_has_no_answer() {
    let mut node = met();
    for message in [word(false, 5.0), word(false, 5.04), word(false, 4.96)] {
        assert_eq!(node.hear(PERIOD, 2, &message), []);
    }
}

#[test]
fn another_limit_gives_a_plan_and_no_message() {
    let mut node = met();
    let commands = node.hear(PERIOD, 2, &word(false, 6.0));
    assert!(matches!(commands.as_slice(), [Command::SetPlan(_)]), "{commands:?}");
    assert_eq!(node.limits(), [(2, 6.0), (3, 5.0)].into());
}

#[test]
fn an_overload_is_answered_to_all_whose_grants_it_changes() {
    let mut node = met();
    let commands = node.hear(PERIOD, 2, &word(true, 5.0));
    assert!(matches!(commands[0], Command::SetPlan(_)), "admission opens before the grant is told");
    assert_eq!(told(&commands), [2, 3]);
    assert_eq!(node.hear(PERIOD, 2, &word(true, 5.0)), []);
}

#[test]
fn the_first_word_of_a_peer_is_answered_once() {
    let mut node = Node::new(RecalcSplit::Overloaded, [(FIGLET, function(20.0))].into());
    node.meets(2);
    node.tick(Duration::ZERO);
    node.tick(PERIOD);
    let empty = Message::Recalc(vec![]);
    assert_eq!(told(&node.hear(PERIOD, 2, &empty)), [2]);
    assert_eq!(node.hear(PERIOD, 2, &empty), []);
    // Long silent, it may have forgotten this node.
    assert_eq!(told(&node.hear(PERIOD * 5, 2, &empty)), [2]);
}

#[test]
fn a_node_that_starts_takes_nothing_back_before_it_has_counted_its_users() {
    let mut node = Node::new(RecalcSplit::Overloaded, [(FIGLET, function(20.0))].into());
    node.meets(2);
    // What an earlier run granted to peer 2 stands: it is told nothing else, and not held to less.
    for commands in
        [node.tick(Duration::ZERO), node.hear(Duration::ZERO, 2, &word(true, 5.0)), node.tick(PERIOD / 4)]
    {
        assert_eq!(told(&commands), []);
    }
    assert!(node.plan.as_ref().expect("it has ticked").admission.is_empty());
    assert_eq!(told(&node.tick(PERIOD)), [2]);
    assert!(
        (node.plan.as_ref().expect("it has ticked").admission[&NodeId(2)].rate - 22.5).abs() < 1e-9,
        "a tenth more than 20, and a little"
    );
}

#[test]
fn strangers_and_messages_before_the_first_tick_have_no_answer() {
    let mut node = met();
    assert_eq!(node.hear(PERIOD, 9, &word(true, 5.0)), []);
    let mut new = Node::new(RecalcSplit::Overloaded, [(FIGLET, function(20.0))].into());
    new.meets(2);
    assert_eq!(new.hear(Duration::ZERO, 2, &word(true, 5.0)), []);
}

#[test]
fn a_liar_changes_only_what_is_its_own() {
    let mut federation = Federation::new(RecalcSplit::Overloaded, &[10.0, 16.0, 24.0]);
    federation.node(1).meets(66);
    federation.round();
    federation.load(1, 50.0);
    federation.round();
    let honest = federation.node(1).limits();
    let now = federation.now;
    for limit in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -3.0] {
        for function in [FIGLET, FunctionId(0)] {
            let offer = Offer { function, overloaded: false, limit };
            let lie = Message::Recalc(vec![offer; 10_000]);
            federation.node(1).hear(now, 66, &lie);
            assert_eq!(federation.node(1).limits(), honest, "{offer:?}");
        }
    }
    // A huge grant draws at most half of what cannot be served here: the 40 in excess, like the others' 40.
    federation.node(1).hear(now, 66, &word(false, 1e30));
    let served = federation.node(1).served(1);
    assert!((served[&66] - 20.0).abs() < 0.01 && (served[&2] - 8.0).abs() < 0.01, "{served:?}");
    assert_eq!(federation.node(1).limits()[&66], 1e6);
}

#[test]
fn one_that_cries_overload_gets_its_even_part_and_no_more() {
    let mut node = met();
    node.hear(PERIOD, 2, &word(true, 0.0));
    let cries = Message::Recalc(vec![Offer { function: FIGLET, overloaded: true, limit: f32::MAX }; 500]);
    let commands = node.hear(PERIOD, 3, &cries);
    for command in &commands {
        if let Command::Send(to, Message::Recalc(offers)) = command {
            assert_eq!(limit(offers, FIGLET), 10.0, "{to:?}");
        }
    }
    assert_eq!(told(&commands), [2, 3]);
}

fn any_offer() -> impl Strategy<Value = Offer> {
    // Few functions, so that duplicates and known ones come up; any bits as a limit.
    let limits = prop_oneof![any::<u32>().prop_map(f32::from_bits), 0.0_f32..100.0];
    (0_u64..10, any::<bool>(), limits).prop_map(|(id, overloaded, limit)| Offer {
        function: FunctionId(id),
        overloaded,
        limit,
    })
}

proptest! {
    #[test]
    fn whatever_peers_say_plans_and_grants_are_sound(
        words in proptest::collection::vec(
            (1_u64..25, proptest::collection::vec(any_offer(), 0..30), 0_u64..1_500), 1..60),
        rates in proptest::collection::vec((0.0_f64..30.0, 0.0_f64..30.0, any::<bool>()), 8),
        all: bool,
    ) {
        let split = if all { RecalcSplit::All } else { RecalcSplit::Overloaded };
        let functions = (0..).map(FunctionId).zip(rates.iter().map(|(max_rate, user_rate, here)| {
            let mut function = function(*max_rate);
            (function.user_rate, function.here) = (*user_rate, *here);
            function
        }));
        let mut node = Node::new(split, functions.collect());
        (2..=22).for_each(|peer| { node.meets(peer); });
        let (mut now, mut ticked) = (Duration::ZERO, Duration::ZERO);
        node.tick(now);
        for (from, offers, wait) in words {
            now += Duration::from_millis(wait);
            if now >= ticked + PERIOD {
                node.tick(now);
                ticked = now;
            }
            let message = Message::Recalc(offers);
            // The node checks every plan and every grant.
            let commands = node.hear(now, from, &message);
            prop_assert!(commands.len() <= 1 + 21, "{}", commands.len());
            prop_assert!(!told(&commands).contains(&1));
            prop_assert_eq!(node.hear(now, from, &message), [], "said again it changes nothing");
            prop_assert!(node.measured.peers.contains_key(&NodeId(from)) || commands.is_empty());
        }
    }
}
