//! `dfaas-base`, `dfaas-random` and `dfaas-empirical`.

use std::time::Duration;

use dfaas_control::NodeId;
use dfaas_sim::techniques::{FunctionState, StateWord, Word};

use crate::host::{FUNCA, Host, function};

#[test]
fn base_serves_what_the_limit_allows_and_forwards_nothing() {
    let mut host = Host::new("dfaas-base", function(45.0, 10.0), 2);
    host.tick();
    assert_eq!(host.percent(), [(1, 100.0)].into());
    assert_eq!(host.funca().local_rate, Some(10.0));
    assert!(host.said.is_empty());
}

#[test]
fn random_draws_whole_numbers_from_0_to_100_for_what_an_overloaded_function_has_too_much() {
    let mut host = Host::new("dfaas-random", function(45.0, 10.0), 3);
    // 0.5 x 101 is 50, 0.248 x 101 is 25, and nothing is below 1.
    host.script.0 = [0.5, 0.248, 0.0099].into();
    host.tick();
    assert_eq!(host.percent(), [(2, 66.67), (3, 33.33)].into());
    assert!(host.funca().local_first);
    assert_eq!(host.funca().local_rate, Some(10.0));
}

#[test]
fn random_leaves_a_function_alone_that_is_not_overloaded() {
    let mut host = Host::new("dfaas-random", function(9.9, 10.0), 3);
    host.tick();
    assert_eq!(host.percent(), [(1, 100.0)].into());
}

#[test]
fn random_that_draws_nothing_but_zeros_refuses_the_rest() {
    let mut host = Host::new("dfaas-random", function(45.0, 10.0), 2);
    host.script.0 = [0.0, 0.0].into();
    host.tick();
    assert_eq!(host.percent(), [(1, 100.0)].into());
}

fn state(replicas: u32, rate: f64, time: f64, node: (f64, f64), cpu: f64) -> Word {
    let max_rate = 20.0;
    let (cpu_node, memory) = node;
    Word::State(StateWord {
        cores: 4.0,
        cpu: cpu_node,
        memory,
        memory_free: 0,
        functions: vec![FunctionState {
            function: FUNCA,
            replicas,
            rate,
            max_rate: Some(max_rate),
            time,
            margin: max_rate - rate,
            cpu,
            overloaded: rate >= max_rate,
        }],
    })
}

/// An overloaded node whose two peers have said how they are.
fn overloaded() -> Host {
    let mut host = Host::new("dfaas-empirical", function(45.0, 10.0), 2);
    host.hear(2, &state(3, 5.0, 0.1, (0.2, 0.25), 0.02));
    host.hear(3, &state(1, 15.0, 0.3, (0.6, 0.5), 0.0));
    host
}

#[test]
fn empirical_takes_the_mean_of_eight_metrics() {
    let mut host = overloaded();
    host.tick();
    // Of peer 2: instances 3/4, margin 15/20, utilisation 1/4 against 3/4: 3/4, time 1/0.1 against 1/0.3: 3/4,
    // memory 4 against 2: 2/3, processors 5 against 1.667: 3/4, memory of the function unknown: 1/2,
    // its processors 1/0.02 against 1/0.01, as 0 counts as a hundredth: 1/3.
    let mean = (0.75 * 5.0 + 2.0 / 3.0 + 0.5 + 1.0 / 3.0) / 8.0;
    assert_eq!(
        host.percent(),
        [(2, (mean * 1e4_f64).round() / 100.0), (3, ((1.0 - mean) * 1e4).round() / 100.0)].into()
    );
    assert!(host.funca().local_first);
}

#[test]
fn empirical_disturbs_six_of_ten_weights_by_up_to_40_percent_in_either_direction() {
    let mut host = overloaded();
    // The first is disturbed, by half of 40 %, upwards; the second too, by a quarter, downwards.
    host.script.0 = [0.59, 0.5, 0.5, 0.1, 0.25, 0.49].into();
    host.tick();
    let mean = (0.75 * 5.0 + 2.0 / 3.0 + 0.5 + 1.0 / 3.0) / 8.0;
    let (first, second): (f64, f64) = (mean * 1.2, (1.0 - mean) * 0.9);
    assert_eq!(host.percent()[&2], (first / (first + second) * 1e4).round() / 100.0);
}

#[test]
fn empirical_sends_nothing_to_who_is_overloaded_itself_or_has_been_silent_for_three_and_a_half_periods() {
    let mut host = overloaded();
    host.hear(3, &state(1, 20.0, 0.3, (0.6, 0.5), 0.01));
    host.tick();
    assert_eq!(host.percent(), [(2, 100.0)].into());
    (0..2).for_each(|_| host.tick());
    assert_eq!(host.percent(), [(2, 100.0)].into());
    host.tick();
    assert_eq!(host.percent(), [(1, 100.0)].into());
}

#[test]
fn empirical_sends_nothing_where_a_function_has_no_limit_as_nobody_knows_what_is_left() {
    let mut host = overloaded();
    let Word::State(mut word) = state(1, 0.0, 0.3, (0.6, 0.5), 0.01) else { panic!("a state") };
    word.functions[0].max_rate = None;
    host.hear(3, &Word::State(word));
    host.tick();
    assert_eq!(host.percent(), [(2, 100.0)].into());
}

#[test]
fn empirical_tells_every_peer_how_this_node_is() {
    let mut of = function(5.0, 20.0);
    of.cpu_time = Some(Duration::from_millis(40));
    of.service_time = Some(Duration::from_millis(100));
    of.replicas = Some(3);
    let mut host = Host::new("dfaas-empirical", of, 2);
    host.measured.node.cores = Some(4.0);
    host.measured.node.cpu = Some(1.0);
    host.measured.node.memory_total = Some(8_000);
    host.measured.node.memory_free = Some(6_000);
    host.tick();
    let Word::State(word) = &host.said[&NodeId(3)] else { panic!("{:?}", host.said) };
    assert_eq!((word.cores, word.cpu, word.memory, word.memory_free), (4.0, 0.25, 0.25, 6_000));
    let told = word.functions[0];
    assert_eq!((told.replicas, told.rate, told.max_rate, told.margin), (3, 5.0, Some(20.0), 15.0));
    assert_eq!((told.time, told.cpu, told.overloaded), (0.1, 0.01, false));
    assert_eq!(host.said.len(), 2);
}
