//! One node and what it is told of its functions and peers.

use std::collections::BTreeSet;
use std::time::Duration;

use dfaas_control::{
    Command, FunctionId, FunctionMeasurements, FunctionPlan, LeaseWord, Message, NodeId, PeerFunctions, Plan,
    Shares, Target,
};

use crate::host::{FIGLET, Node, PERIOD, function, words};

const ENV: FunctionId = FunctionId(8);

fn gives(headroom: f32, grant: f32, cost: f32) -> Message {
    let costs = vec![(FIGLET, cost), (ENV, cost)];
    let word = LeaseWord {
        capacity: 4.0,
        demand: 3.9,
        headroom,
        free: headroom - grant,
        grant,
        costs,
        ..LeaseWord::default()
    };
    Message::Lease(word)
}

fn figlet(node: &Node) -> FunctionPlan {
    node.plan.as_ref().expect("it has ticked").functions[&FIGLET].clone()
}

/// Seconds in which peer 2 says this.
fn told(node: &mut Node, seconds: std::ops::Range<u32>, word: &Message) {
    for second in seconds {
        node.tick(PERIOD * second);
        node.hear(PERIOD * second, 2, word);
    }
}

#[test]
fn what_is_above_the_level_goes_to_grantors_by_their_own_costs() {
    let mut node = Node::new([(FIGLET, function(10.0))].into());
    node.meets(2);
    node.figlet().user_rate = 20.0;
    // A processor-second of peer 2 does twenty: the 10.3 a second that are too much cost it about half a processor.
    told(&mut node, 0..5, &gives(3.0, 0.6, 0.05));
    let plan = figlet(&node);
    let away = f64::from(plan.shares.part(Target::Peer(NodeId(2)))) / 65_536.0;
    assert!((away * 20.0 - 10.3).abs() < 0.01, "{plan:?}");
    let asked = node.said[&NodeId(2)].1.ask;
    assert!((asked - 1.15 * 10.3 * 0.05).abs() < 1e-3, "{asked}");
    let limit = plan.peer_rate[&NodeId(2)];
    assert!(
        (limit - f64::from(asked) / 0.05).abs() < 0.1,
        "the rest of what was asked for and granted: {limit}"
    );
    assert_eq!((plan.local_rate, plan.work), (Some(10.0), Duration::from_millis(200)));
    assert_eq!(plan.overflow, [NodeId(2)]);
}

#[test]
fn a_node_says_what_each_peer_gives_while_that_is_not_enough() {
    let mut node = Node::new([(FIGLET, function(10.0))].into());
    node.meets(2);
    node.figlet().user_rate = 20.0;
    told(&mut node, 0..5, &gives(3.0, 0.1, 0.05));
    let unmet = node.strategy.unmet().expect("two of ten find a place");
    assert!((unmet[&NodeId(2)] - 0.1).abs() < 1e-6, "{unmet:?}");
    told(&mut node, 5..10, &gives(3.0, 0.6, 0.05));
    assert_eq!(node.strategy.unmet(), None);
    node.figlet().user_rate = 4.0;
    told(&mut node, 10..15, &gives(3.0, 0.0, 0.05));
    assert_eq!(node.strategy.unmet(), None, "nothing has to leave");
}

#[test]
fn a_grant_that_was_not_asked_for_draws_nothing() {
    let mut node = Node::new([(FIGLET, function(10.0))].into());
    node.meets(2);
    node.figlet().user_rate = 4.0;
    told(&mut node, 0..5, &gives(3.0, 3.0, 0.05));
    assert_eq!(figlet(&node).shares, Shares::all(Target::Local));
}

#[test]
fn functions_of_this_node_only_stay() {
    let own = FunctionMeasurements { local_only: true, user_rate: 50.0, ..function(10.0) };
    let mut node = Node::new([(FIGLET, own)].into());
    node.meets(2);
    told(&mut node, 0..5, &gives(3.0, 3.0, 0.05));
    let plan = figlet(&node);
    assert_eq!((plan.shares, plan.overflow.len()), (Shares::all(Target::Local), 0));
    assert_eq!(node.said[&NodeId(2)].1.ask, 0.0);
}

#[test]
fn a_function_that_only_peers_have_is_asked_for_and_goes_to_grantors_alone() {
    let elsewhere = FunctionMeasurements { here: false, user_rate: 8.0, ..FunctionMeasurements::default() };
    let mut node = Node::new([(FIGLET, elsewhere)].into());
    node.meets(2).functions = PeerFunctions::Known(BTreeSet::from([FIGLET]));
    node.meets(3);
    node.tick(Duration::ZERO);
    node.tick(PERIOD);
    let plan = figlet(&node);
    assert_eq!(plan.shares, Shares::all(Target::Peer(NodeId(2))));
    assert_eq!(plan.peer_rate[&NodeId(2)], 0.5, "a little, which every node takes unasked");
    told(&mut node, 2..6, &gives(3.0, 0.5, 0.05));
    assert!((node.said[&NodeId(2)].1.ask - 8.0 * 1.15 * 0.05).abs() < 1e-3);
    assert!(figlet(&node).peer_rate[&NodeId(2)] > 8.0);
    assert_eq!(node.said[&NodeId(2)].1.demand, 0.0, "it is no work of this node");
}

#[test]
fn a_quiet_node_without_limits_needs_no_steering_and_a_busy_one_overflows() {
    let service_time = Some(Duration::from_millis(20));
    let free = FunctionMeasurements { service_time, user_rate: 40.0, ..FunctionMeasurements::default() };
    let mut node = Node::new([(FIGLET, free)].into());
    node.meets(2).rtt = Some(Duration::from_millis(2));
    told(&mut node, 0..5, &gives(3.0, 0.0, 0.02));
    let plan = figlet(&node);
    assert_eq!(
        (plan.shares.part(Target::Local), plan.overflow.len(), plan.overflow_above),
        (65_536, 0, None)
    );
    assert_eq!(plan.work, Duration::from_millis(20));

    // Half of two processors are fifty invocations a second.
    node.figlet().user_rate = 60.0;
    told(&mut node, 5..30, &gives(3.0, 0.0, 0.02));
    let plan = figlet(&node);
    assert_eq!(plan.overflow, [NodeId(2)]);
    assert_eq!(plan.overflow_above, Some(Duration::from_millis(44)), "twice the work of one and the way");
    // It stays so until there is notably less to do.
    node.figlet().user_rate = 45.0;
    told(&mut node, 30..60, &gives(3.0, 0.0, 0.02));
    assert_eq!(figlet(&node).overflow.len(), 1);
    node.figlet().user_rate = 30.0;
    told(&mut node, 60..90, &gives(3.0, 0.0, 0.02));
    assert_eq!(figlet(&node).overflow.len(), 0);
}

#[test]
fn what_peers_told_of_their_waits_is_in_the_plan_with_the_way_to_them() {
    let mut node = Node::new([(FIGLET, function(10.0))].into());
    node.meets(2).rtt = Some(Duration::from_millis(4));
    node.meets(3);
    let word = LeaseWord { capacity: 4.0, wait: 30_000, ..LeaseWord::default() };
    told(&mut node, 0..3, &Message::Lease(word));
    node.tick(PERIOD * 3);
    let plan = node.plan.as_ref().unwrap();
    assert_eq!(plan.waits.keys().collect::<Vec<_>>(), [&NodeId(2)]);
    assert_eq!((plan.waits[&NodeId(2)].wait, plan.waits[&NodeId(2)].cores), (Duration::from_millis(34), 4.0));
    assert_eq!(plan.here.unwrap().cores, 2.0);
}

#[test]
fn another_wait_of_a_peer_is_told_alone_and_nothing_else_of_the_plan_changes() {
    let mut node = Node::new([(FIGLET, function(10.0))].into());
    node.meets(2).rtt = Some(Duration::from_millis(4));
    let word = LeaseWord { capacity: 4.0, wait: 30_000, ..LeaseWord::default() };
    told(&mut node, 0..3, &Message::Lease(word.clone()));
    node.tick(PERIOD * 3);
    let before = node.plan.clone().unwrap();
    let busier = Message::Lease(LeaseWord { wait: 60_000, ..word });
    let commands = node.hear(PERIOD * 3 + PERIOD / 2, 2, &busier);
    assert!(matches!(commands[..], [Command::SetWait(NodeId(2), _)]), "{commands:?}");
    let after = node.plan.clone().unwrap();
    assert_eq!(after.waits[&NodeId(2)].wait, Duration::from_millis(64));
    assert_eq!(Plan { waits: before.waits.clone(), ..after }, before);
}

#[test]
fn a_node_that_nobody_relieves_takes_what_it_can_answer_in_time_and_no_more() {
    let service_time = Some(Duration::from_millis(20));
    let free = FunctionMeasurements { service_time, user_rate: 80.0, ..FunctionMeasurements::default() };
    let mut node = Node::new([(FIGLET, free)].into());
    for second in 0..5 {
        node.tick(PERIOD * second);
    }
    assert_eq!(figlet(&node).local_wait, None, "eighty a second are four fifths of it");
    node.figlet().user_rate = 150.0;
    for second in 5..9 {
        node.tick(PERIOD * second);
    }
    // It may take 0.7 s of the second that users wait, its own 20 ms among them.
    assert_eq!(figlet(&node).local_wait, Some(Duration::from_millis(680)));
    node.figlet().deadline = Duration::from_millis(25);
    node.tick(PERIOD * 9);
    assert_eq!(figlet(&node).local_wait, Some(Duration::from_millis(5)), "what takes long is not starved");
}

#[test]
fn what_leaves_altogether_falls_back_here_when_the_limits_of_peers_are_spent() {
    let service_time = Some(Duration::from_millis(20));
    let long = FunctionMeasurements {
        service_time: Some(Duration::from_millis(200)),
        user_rate: 2.0,
        ..FunctionMeasurements::default()
    };
    let short = FunctionMeasurements { service_time, user_rate: 110.0, ..FunctionMeasurements::default() };
    let mut node = Node::new([(FunctionId(9), long), (FIGLET, short)].into());
    node.meets(2);
    let costs = vec![(FIGLET, 0.02), (FunctionId(9), 0.2)];
    let word =
        LeaseWord { capacity: 8.0, headroom: 4.0, free: 4.0, grant: 4.0, costs, ..LeaseWord::default() };
    told(&mut node, 0..8, &Message::Lease(word));
    let shares = &node.plan.as_ref().unwrap().functions[&FunctionId(9)].shares;
    let here = shares.part(Target::Local);
    assert!(here > 0 && here < 100, "{shares:?}");
}

#[test]
fn a_node_of_which_nothing_is_known_is_cold_for_half_a_minute() {
    let mut node = Node::new([(FIGLET, FunctionMeasurements::default())].into());
    node.meets(2);
    node.tick(Duration::ZERO);
    let headroom = |node: &mut Node, second: u32| {
        let word = words(&node.tick(PERIOD * second))[&2].clone();
        (word.headroom, word.flags)
    };
    let (first, flags) = headroom(&mut node, 1);
    assert!(first > 0.27 && first < 0.4 && flags == 4, "{first} {flags}");
    let (last, flags) = headroom(&mut node, 31);
    assert!((last - 1.1).abs() < 1e-6 && flags == 0, "{last} {flags}");
}
