use std::time::Duration;

use dfaas_control::{MarginWord, Message, NodeId};

use crate::host::{FIGLET, Host, PERIOD, QRCODE, function, serving};

fn word(margin: f32, costs: &[f32]) -> Message {
    let costs = [FIGLET, QRCODE].into_iter().zip(costs.iter().copied()).collect();
    Message::Margin(MarginWord { margin, costs })
}

fn told(host: &Host, peer: u64) -> MarginWord {
    match host.said.get(&NodeId(peer)) {
        Some(Message::Margin(word)) => word.clone(),
        other => panic!("no word of a margin: {other:?}"),
    }
}

/// A node whose figlet serves 10 a second, with two peers that have it; it has counted its users.
fn node(user_rate: f64) -> Host {
    let peers = [serving(&[FIGLET]), serving(&[FIGLET])];
    let mut host = Host::new("nodemargin", &[(FIGLET, function(user_rate, 10.0))], &peers);
    host.tick();
    host.tick();
    host
}

#[test]
fn a_node_at_rest_tells_its_margin_in_points_of_its_threshold_divided_among_its_peers() {
    let host = node(4.5);
    // 4.5 of 10 are half of the 90 % that may be used, so 50 points are left for two peers; one invocation a second
    // takes a ninth of 100 points.
    let word = told(&host, 2);
    assert!((word.margin - 25.0).abs() < 1e-4, "{word:?}");
    assert!((word.costs[0].1 - 100.0 / 9.0).abs() < 1e-3, "{word:?}");
    assert_eq!(host.percent(FIGLET), [(1, 100.0)].into());
    assert_eq!(host.function(FIGLET).peers_rate, Some(5.5));
}

#[test]
fn a_margin_goes_to_those_that_are_overloaded_alone() {
    let mut host = node(4.5);
    host.hear(3, &word(0.0, &[10.0]));
    host.tick();
    assert!((told(&host, 3).margin - 50.0).abs() < 1e-4);
}

#[test]
fn nothing_is_granted_before_users_were_counted() {
    let mut host = Host::new("nodemargin", &[(FIGLET, function(0.0, 10.0))], &[serving(&[FIGLET])]);
    host.tick();
    assert_eq!(told(&host, 2).margin, 100.0, "nobody was counted in no time");
}

#[test]
fn an_overloaded_node_moves_hundredths_round_robin_until_its_peers_are_full_or_it_is_not_overloaded() {
    // 45 a second where 9 may be served: 80 hundredths of 0.45 a second have to go.
    let mut host = node(45.0);
    assert_eq!(told(&host, 2).margin, 0.0, "it is overloaded");
    assert_eq!(host.percent(FIGLET), [(1, 100.0)].into(), "nobody has said anything");
    // At peer 2 a hundredth takes 0.45 x 4 = 1.8 points of 54, so 30 of them; peer 3 has more than enough.
    host.hear(2, &word(54.05, &[4.0]));
    host.hear(3, &word(90.0, &[1.0]));
    assert_eq!(host.percent(FIGLET), [(1, 20.0), (2, 30.0), (3, 50.0)].into(), "at once");
    host.hear(3, &word(9.05, &[1.0]));
    host.tick();
    // 9 points are 20 hundredths of 0.45: the rest stays.
    assert_eq!(host.percent(FIGLET), [(1, 50.0), (2, 30.0), (3, 20.0)].into());
}

#[test]
fn a_peer_that_told_no_cost_is_expected_to_have_this_nodes() {
    let mut host = node(45.0);
    // A hundredth takes 0.45 x 100/9 = 5 points.
    host.hear(2, &word(50.05, &[]));
    assert_eq!(host.percent(FIGLET), [(1, 90.0), (2, 10.0)].into());
}

#[test]
fn two_functions_are_moved_alike_and_each_only_to_peers_that_have_it() {
    let functions = [(FIGLET, function(5.0, 10.0)), (QRCODE, function(10.0, 20.0))];
    let mut host = Host::new("nodemargin", &functions, &[serving(&[FIGLET, QRCODE]), serving(&[QRCODE])]);
    host.tick();
    host.tick();
    host.hear(2, &word(90.0, &[1.0, 1.0]));
    host.hear(3, &word(90.0, &[1.0, 1.0]));
    // Each function uses 50 of 90 points, a hundredth of each half a point: 20 hundredths go. In each round the first
    // turn takes one of each function to peer 2, the second one of qrcode to peer 3.
    assert_eq!(host.percent(FIGLET), [(1, 93.0), (2, 7.0)].into());
    assert_eq!(host.percent(QRCODE), [(1, 87.0), (2, 7.0), (3, 6.0)].into());
}

#[test]
fn overload_ends_only_some_way_below_the_threshold() {
    let mut host = node(9.2);
    let mut overloaded = |rate: f64| {
        host.measured.functions.insert(FIGLET, function(rate, 10.0));
        (0..20).for_each(|_| host.tick());
        told(&host, 2).margin == 0.0
    };
    assert!(overloaded(9.1));
    assert!(overloaded(8.8), "96 % of 9 are 8.64");
    assert!(!overloaded(8.5));
    assert!(!overloaded(8.8));
}

#[test]
fn a_function_that_only_peers_have_goes_to_them_by_their_margins() {
    let elsewhere = dfaas_control::FunctionMeasurements { here: false, user_rate: 3.0, ..Default::default() };
    let peers = [serving(&[FIGLET]), serving(&[FIGLET]), serving(&[QRCODE])];
    let mut host = Host::new("nodemargin", &[(FIGLET, elsewhere)], &peers);
    host.tick();
    assert_eq!(host.percent(FIGLET), [(2, 50.0), (3, 50.0)].into());
    host.hear(2, &word(30.0, &[1.0]));
    host.hear(3, &word(10.0, &[1.0]));
    host.tick();
    assert_eq!(host.percent(FIGLET), [(2, 75.0), (3, 25.0)].into());
}

#[test]
fn what_a_peer_said_is_forgotten_when_it_is_silent_for_three_and_a_half_periods() {
    let mut host = node(45.0);
    host.hear(2, &word(90.0, &[1.0]));
    (0..3).for_each(|_| host.tick());
    assert!(host.percent(FIGLET).contains_key(&2));
    host.tick();
    assert_eq!(host.percent(FIGLET), [(1, 100.0)].into());
    assert_eq!(host.now, PERIOD * 6 + Duration::ZERO);
}
