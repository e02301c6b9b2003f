use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_control::{
    Action, FunctionId, FunctionMeasurements, LeaseWord, Message, NodeId, Observation, QueryFailed, QueryId,
    Reply, Request,
};

use crate::host::{FIGLET, Host, QRCODE, function, serving};

fn action(local: f64, reject: f64, peers: &[(u64, f64)]) -> Action {
    Action { local, reject, peers: peers.iter().map(|(id, part)| (NodeId(*id), *part)).collect() }
}

fn answer(actions: &[(FunctionId, Action)]) -> Result<Reply, QueryFailed> {
    Ok(Reply::Action(actions.iter().cloned().collect()))
}

fn asked(host: &Host) -> (QueryId, BTreeMap<FunctionId, Observation>) {
    match host.asked.clone() {
        Some((id, Request::Action(observations))) => (id, observations),
        None => panic!("nothing was asked"),
    }
}

/// A node that has asked for the first time.
fn node() -> Host {
    let functions = [(FIGLET, function(40.0, 10.0)), (QRCODE, function(5.0, 20.0))];
    let mut host = Host::new("external", &functions, &[serving(&[FIGLET, QRCODE]), serving(&[FIGLET])]);
    host.tick();
    host
}

#[test]
fn the_answer_is_in_force_at_once_and_what_it_does_not_name_stays_here() {
    let mut host = node();
    let (id, observations) = asked(&host);
    assert_eq!(observations.keys().copied().collect::<Vec<_>>(), [FIGLET, QRCODE]);
    assert_eq!(host.percent(FIGLET), [(1, 100.0)].into());
    host.reply(id, answer(&[(FIGLET, action(0.25, 0.05, &[(2, 0.3), (3, 0.4)]))]));
    assert_eq!(host.percent(FIGLET), [(3, 40.0), (2, 30.0), (1, 25.0), (0, 5.0)].into());
    assert_eq!(host.function(FIGLET).local_rate, Some(10.0));
    assert_eq!(host.percent(QRCODE), [(1, 100.0)].into());
}

#[test]
fn no_second_query_is_open_before_the_first_has_an_end() {
    let mut host = node();
    let (first, _) = asked(&host);
    host.tick();
    assert!(host.asked.is_none());
    host.reply(QueryId(first.0 + 1), Err(QueryFailed::Refused));
    host.tick();
    assert!(host.asked.is_none(), "that was not the query");
    host.reply(first, Err(QueryFailed::TimedOut));
    host.tick();
    assert_ne!(asked(&host).0, first);
}

#[test]
fn the_last_answer_holds_for_three_periods_and_then_nothing_of_it() {
    let mut host = node();
    let (id, _) = asked(&host);
    host.reply(id, answer(&[(FIGLET, action(0.5, 0.0, &[(2, 0.5)]))]));
    for period in 1..=5 {
        host.tick();
        let shared = host.percent(FIGLET).contains_key(&2);
        assert_eq!(shared, period <= 3, "after {period} periods");
        if let Some((id, _)) = host.asked.clone() {
            host.reply(id, Err(QueryFailed::Unusable));
        }
    }
}

/// What a peer that has nothing of its own to do says: it gives whatever is asked.
fn idle_peer(asked: f32) -> Message {
    Message::Lease(LeaseWord {
        capacity: 8.0,
        level: 0.9,
        headroom: 7.0,
        free: 7.0 - asked,
        grant: asked,
        ..LeaseWord::default()
    })
}

/// A node whose users ask for four times of what it can do, and whose peer 2 leases what is asked for. The policy
/// answers as told.
fn leasing(mut policy: impl FnMut(u64) -> Result<Reply, QueryFailed>) -> Host {
    let mut host = Host::new("external", &[(FIGLET, function(40.0, 10.0))], &[serving(&[FIGLET])]);
    host.measured.node.cores = Some(2.0);
    for period in 0..12 {
        host.tick();
        let said = host.said.get(&NodeId(2)).cloned();
        if let Some((id, _)) = host.asked.clone() {
            host.reply(id, policy(period));
        }
        let Some(Message::Lease(word)) = said else { continue };
        host.hear(2, &idle_peer(word.ask));
    }
    host
}

#[test]
fn while_the_policy_is_silent_leases_share_the_load() {
    let host = leasing(|_| Err(QueryFailed::TimedOut));
    assert!(host.percent(FIGLET)[&2] > 60.0, "{:?}", host.percent(FIGLET));
    assert!(
        host.plan.as_ref().unwrap().admission.contains_key(&NodeId(2)),
        "peers are let in by their leases"
    );
}

#[test]
fn leases_are_kept_while_the_policy_answers_and_are_used_once_it_falls_silent() {
    let stay = || answer(&[(FIGLET, action(1.0, 0.0, &[]))]);
    let mut host = leasing(|_| stay());
    assert_eq!(host.percent(FIGLET), [(1, 100.0)].into());
    assert!(host.plan.as_ref().unwrap().admission.is_empty(), "the policies decide what peers send");
    for silent in 1..=4 {
        host.tick();
        let Some(Message::Lease(word)) = host.said.get(&NodeId(2)).cloned() else { panic!("nothing said") };
        host.hear(2, &idle_peer(word.ask));
        let shared = host.percent(FIGLET).get(&2).is_some_and(|part| *part > 60.0);
        assert_eq!(shared, silent > 3, "after {silent} periods: {:?}", host.percent(FIGLET));
    }
}

#[test]
fn what_peers_say_is_worked_out_by_the_leases_whoever_decides() {
    for answers in [Ok(Reply::Action(BTreeMap::new())), Err(QueryFailed::TimedOut)] {
        let mut host = leasing(|_| answers.clone());
        host.tick();
        let Some(Message::Lease(word)) = host.said.get(&NodeId(2)).cloned() else { panic!("nothing said") };
        host.hear(2, &idle_peer(word.ask));
        host.work_out();
        host.hear(2, &idle_peer(word.ask / 2.0));
        assert!(host.work_out(), "a grant was cut");
        assert!(!host.work_out(), "once");
    }
}

#[test]
fn a_drained_node_grants_nothing_whoever_decides() {
    let mut host = leasing(|_| Err(QueryFailed::TimedOut));
    let peers = |host: &Host| host.plan.as_ref().unwrap().admission[&NodeId(2)].inflight;
    assert_ne!(peers(&host), 0);
    host.drain(true);
    host.tick();
    assert_eq!(peers(&host), 0);
}

#[test]
fn what_was_measured_and_done_before_is_told_with_the_next_query() {
    let mut host = node();
    let (id, _) = asked(&host);
    let halves = action(0.5, 0.0, &[(2, 0.5)]);
    host.reply(id, answer(&[(FIGLET, halves.clone()), (QRCODE, halves)]));
    let figlet = FunctionMeasurements {
        reject_rate: 3.0,
        first_byte: Some(Duration::from_millis(8)),
        replicas: Some(2),
        ..function(60.0, 10.0)
    };
    host.measured.functions.insert(FIGLET, figlet);
    (host.measured.node.cores, host.measured.node.cpu) = (Some(4.0), Some(1.0));
    host.measured.functions.insert(QRCODE, function(20.0, 20.0));
    let peer = host.measured.peers.get_mut(&NodeId(2)).unwrap();
    (peer.refusal_rate, peer.first_byte) = (8.0, Some(Duration::from_millis(20)));
    host.tick();
    let seen = asked(&host).1[&FIGLET].clone();
    assert_eq!((seen.input_rate, seen.previous_input_rate), (60.0, 40.0));
    assert_eq!((seen.reject_rate, seen.previous_reject_rate, seen.cpu), (3.0, 0.0, Some(25.0)));
    assert_eq!((seen.replicas, seen.previous_replicas), (Some(2), None));
    assert_eq!((seen.response_time, seen.previous_response_time), (Some(Duration::from_millis(8)), None));
    // Half of 60 and half of 20 went to peer 2, which refused 8: three quarters of these are figlet's.
    let forwarded = seen.peers[&NodeId(2)];
    assert_eq!((forwarded.rate, forwarded.refused), (30.0, 6.0));
    assert_eq!(forwarded.response_time, Some(Duration::from_millis(20)));
    assert_eq!(seen.peers[&NodeId(3)].rate, 0.0);
}

#[test]
fn parts_of_peers_that_cannot_be_sent_to_are_served_here() {
    let mut host = node();
    let (id, _) = asked(&host);
    // Peer 3 has no qrcode, and nobody knows peer 9.
    host.reply(id, answer(&[(QRCODE, action(0.2, 0.0, &[(2, 0.3), (3, 0.1), (9, 0.4)]))]));
    assert_eq!(host.percent(QRCODE), [(1, 70.0), (2, 30.0)].into());
    host.measured.functions.get_mut(&QRCODE).unwrap().here = false;
    host.tick();
    assert_eq!(host.percent(QRCODE), [(2, 100.0)].into());
    host.measured.functions.get_mut(&QRCODE).unwrap().local_only = true;
    host.tick();
    assert_eq!(host.percent(QRCODE), [(1, 100.0)].into());
}

#[test]
fn an_action_that_cannot_be_meant_is_none() {
    for odd in [action(0.5, 0.0, &[]), action(f64::NAN, 0.0, &[(2, 1.0)]), action(2.0, -1.0, &[])] {
        let mut host = node();
        let (id, _) = asked(&host);
        host.reply(id, answer(&[(FIGLET, odd)]));
        assert_eq!(host.percent(FIGLET), [(1, 100.0)].into());
    }
}

#[test]
fn of_more_parts_than_a_plan_holds_the_largest_are_sent_and_the_rest_stays() {
    let mut host = Host::new("external", &[(FIGLET, function(1.0, 1.0))], &vec![serving(&[FIGLET]); 20]);
    host.tick();
    let (id, _) = asked(&host);
    let peers: Vec<(u64, f64)> = (2..22).map(|id| (id, if id < 6 { 0.01 } else { 0.05 })).collect();
    host.reply(id, answer(&[(FIGLET, action(0.1, 0.06, &peers))]));
    let parts = host.percent(FIGLET);
    assert_eq!((parts.len(), parts[&0], parts[&1]), (18, 6.0, 14.0), "{parts:?}");
}
