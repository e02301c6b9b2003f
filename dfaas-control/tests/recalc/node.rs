//! One node and what it is told of its functions and peers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dfaas_control::{
    Command, FunctionId, FunctionMeasurements, FunctionPlan, MAX_TARGETS, Message, NodeId, Offer,
    PeerFunctions, PickMode, RecalcSplit, Shares, Target,
};

use crate::host::{FIGLET, Node, PERIOD, function, limit};

fn grants(limit: f32) -> Message {
    Message::Recalc(vec![Offer { function: FIGLET, overloaded: false, limit }])
}

/// A node with this function, whose users ask for 50 a second, and with peers 2 and 3; it has ticked twice.
fn node(function: FunctionMeasurements) -> Node {
    let mut node = Node::new(RecalcSplit::Overloaded, [(FIGLET, function)].into());
    node.meets(2);
    node.meets(3);
    node.figlet().user_rate = 50.0;
    node.tick(Duration::ZERO);
    node.tick(PERIOD);
    node
}

fn figlet(node: &Node) -> FunctionPlan {
    node.plan.as_ref().expect("it has ticked").functions[&FIGLET].clone()
}

/// What the commands say to a peer.
fn said(commands: &[Command], peer: u64) -> Vec<Offer> {
    let to_it = commands.iter().find_map(|command| match command {
        Command::Send(to, Message::Recalc(offers)) if *to == NodeId(peer) => Some(offers.clone()),
        _ => None,
    });
    to_it.unwrap_or_else(|| panic!("nothing for {peer}: {commands:?}"))
}

#[test]
fn a_plan_serves_here_first_and_then_at_grantors_within_their_grants() {
    let limits = FunctionMeasurements { max_inflight: Some(4), ..function(10.0) };
    let mut node = node(limits);
    node.hear(PERIOD, 2, &grants(16.0));
    node.hear(PERIOD, 3, &grants(24.0));
    let plan = figlet(&node);
    assert!(plan.local_first);
    assert_eq!(plan.mode, PickMode::Smooth);
    assert_eq!((plan.local_rate, plan.local_inflight), (Some(10.0), Some(4)));
    assert_eq!(plan.shares.part(Target::Local), 0);
    assert_eq!(plan.shares.part(Target::Peer(NodeId(2))), 26_214);
    assert_eq!(plan.shares.part(Target::Peer(NodeId(3))), 39_322);
    assert_eq!(plan.peer_rate, [(NodeId(2), 16.0), (NodeId(3), 24.0)].into());
}

#[test]
fn without_a_grant_everything_stays_with_its_limits() {
    let mut node = node(function(10.0));
    for limit in [0.0, 0.001, -1.0, f32::NAN] {
        node.hear(PERIOD, 2, &grants(limit));
        let plan = figlet(&node);
        assert_eq!(plan.shares, Shares::all(Target::Local));
        assert_eq!((plan.local_rate, plan.peer_rate), (Some(10.0), BTreeMap::new()));
    }
}

#[test]
fn functions_without_a_limit_and_those_of_this_node_only_take_no_part() {
    let unlimited = FunctionMeasurements::default();
    let zero = function(0.0);
    let own = FunctionMeasurements { local_only: true, ..function(10.0) };
    for function in [unlimited, zero, own] {
        let mut node = node(function);
        let commands = node.tick(PERIOD * 2);
        assert_eq!(said(&commands, 2), [], "{function:?}");
        node.hear(PERIOD * 2, 2, &grants(16.0));
        node.tick(PERIOD * 3);
        let plan = figlet(&node);
        assert_eq!(plan.shares, Shares::all(Target::Local), "{function:?}");
        assert_eq!(plan.local_rate, function.max_rate);
    }
}

#[test]
fn of_more_grantors_than_a_plan_holds_the_largest_are_used() {
    let mut node = Node::new(RecalcSplit::Overloaded, [(FIGLET, function(10.0))].into());
    (2..=40).for_each(|peer| {
        node.meets(peer);
    });
    node.tick(Duration::ZERO);
    (2..=40_u8).for_each(|peer| {
        node.hear(Duration::ZERO, peer.into(), &grants(f32::from(peer)));
    });
    let limits = node.limits();
    assert_eq!(limits.len(), MAX_TARGETS - 1);
    assert_eq!(limits.keys().next(), Some(&24));
}

#[test]
fn a_function_that_only_peers_have_goes_to_grantors_alone() {
    let mut node = node(FunctionMeasurements { here: false, ..FunctionMeasurements::default() });
    // Peers that told nobody what they have are taken to have what this node has.
    assert_eq!(figlet(&node).shares, Shares::all(Target::Local), "nobody has it");
    for peer in [2, 3] {
        node.meets(peer).functions = PeerFunctions::Known(BTreeSet::from([FIGLET]));
    }
    let commands = node.tick(PERIOD * 2);
    assert_eq!(said(&commands, 2), [Offer { function: FIGLET, overloaded: true, limit: 0.0 }]);
    assert_eq!(node.limits(), [(2, 0.5), (3, 0.5)].into(), "a little, which every node takes unasked");
    assert!(!figlet(&node).local_first);
    node.hear(PERIOD * 2, 2, &grants(16.0));
    assert_eq!(figlet(&node).shares, Shares::all(Target::Peer(NodeId(2))));
    assert_eq!(node.limits(), [(2, 16.0)].into());

    // While nobody asks for it, it takes no margin from those that need some.
    node.figlet().user_rate = 0.0;
    assert_eq!(said(&node.tick(PERIOD * 3), 2), []);
}

#[test]
fn a_peer_that_lacks_a_function_gets_a_grant_only_if_it_asks() {
    let mut node = Node::new(RecalcSplit::Overloaded, [(FIGLET, function(10.0))].into());
    node.meets(2).functions = PeerFunctions::Known(BTreeSet::from([FIGLET]));
    node.meets(3).functions = PeerFunctions::Known(BTreeSet::new());
    node.tick(Duration::ZERO);
    let commands = node.tick(PERIOD);
    assert_eq!(limit(&said(&commands, 2), FIGLET), 10.0);
    assert_eq!(limit(&said(&commands, 3), FIGLET), 0.0);
    let asks = Message::Recalc(vec![Offer { function: FIGLET, overloaded: true, limit: 5.0 }]);
    let commands = node.hear(PERIOD, 3, &asks);
    assert_eq!(limit(&said(&commands, 2), FIGLET), 0.0);
    assert_eq!(limit(&said(&commands, 3), FIGLET), 10.0);
    assert!(node.limits().is_empty(), "what it grants of a function that it lacks is of no use");
}

#[test]
fn each_function_is_divided_for_itself_and_admission_is_their_sum() {
    let env = FunctionId(8);
    let functions = BTreeMap::from([(FIGLET, function(10.0)), (env, function(4.0))]);
    let mut node = Node::new(RecalcSplit::Overloaded, functions);
    node.meets(2);
    node.meets(3);
    node.tick(Duration::ZERO);
    node.tick(PERIOD);
    let asks = Message::Recalc(vec![Offer { function: env, overloaded: true, limit: 0.0 }]);
    let commands = node.hear(PERIOD, 3, &asks);
    let limits = |peer| said(&commands, peer).iter().map(|offer| offer.limit).collect::<Vec<_>>();
    assert_eq!((limits(2), limits(3)), (vec![5.0, 0.0], vec![5.0, 4.0]));
    let admission = &node.plan.as_ref().unwrap().admission;
    // A tenth more and a half; a second's worth of each, a tenth more and three.
    let of = |peer| (admission[&NodeId(peer)].rate, admission[&NodeId(peer)].burst);
    assert_eq!((of(2), of(3)), ((6.0, 8.5), (9.0 * 1.1 + 0.5, 9.0 * 1.1 + 3.0)));
    assert_eq!(admission[&NodeId(2)].inflight, u32::MAX);
}
