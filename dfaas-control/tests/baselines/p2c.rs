use std::collections::BTreeSet;
use std::time::Duration;

use dfaas_control::{FunctionMeasurements, Message, NodeId, ProbeWord, Wait};

use crate::host::{FIGLET, Host, QRCODE, function, serving};

fn asked(host: &Host) -> Vec<(u64, u32)> {
    let question = |(node, message): (&NodeId, &Message)| match message {
        Message::Probe(word) if word.question != 0 => Some((node.0, word.question)),
        _ => None,
    };
    host.said.iter().filter_map(question).collect()
}

fn answer(question: u32, inflight: u32, wait: u32) -> Message {
    Message::Probe(ProbeWord { question: 0, answer: question, inflight, wait })
}

fn node(peers: usize) -> Host {
    let peers = vec![serving(&[FIGLET]); peers];
    let figlet =
        FunctionMeasurements { service_time: Some(Duration::from_millis(20)), ..function(4.0, 10.0) };
    let mut host = Host::new("p2c", &[(FIGLET, figlet)], &peers);
    host.measured.node.cores = Some(2.0);
    host
}

#[test]
fn everything_is_served_here_and_who_answered_takes_what_would_wait() {
    let mut host = node(3);
    host.measured.peers.get_mut(&NodeId(2)).unwrap().rtt = Some(Duration::from_millis(3));
    host.tick();
    assert_eq!(host.percent(FIGLET), [(1, 100.0)].into());
    assert_eq!((host.function(FIGLET).overflow_above, host.function(FIGLET).overflow.len()), (None, 0));
    let questions = asked(&host);
    assert_eq!(questions.len(), 3, "each once: {questions:?}");
    for (node, question) in &questions {
        // Peer 4 says nothing.
        if *node < 4 {
            host.hear(*node, &answer(*question, 4, 10_000 * *node as u32));
        }
    }
    let plan = host.function(FIGLET);
    assert_eq!(host.percent(FIGLET), [(1, 100.0)].into());
    assert_eq!(plan.overflow, [NodeId(2), NodeId(3)], "the shorter wait first");
    assert_eq!((plan.overflow_above, plan.work), (Some(Duration::ZERO), Duration::from_millis(20)));
    assert_eq!((plan.local_rate, plan.peers_rate), (Some(10.0), Some(6.0)));
    // 4 invocations of 20 ms each that make one wait 20 ms: four processors. The way there and back is waited too.
    let waits = &host.plan.as_ref().unwrap().waits;
    let Wait { wait, cores, .. } = waits[&NodeId(2)];
    assert_eq!((wait, cores), (Duration::from_millis(23), 4.0));
    assert_eq!(waits.len(), 2);
    assert_eq!(
        host.plan.as_ref().unwrap().here.map(|here| (here.wait, here.cores)),
        Some((Duration::ZERO, 2.0))
    );
}

#[test]
fn a_node_asks_as_often_whether_it_has_five_peers_or_five_hundred() {
    for peers in [5, 500] {
        let mut host = node(peers);
        let mut met = BTreeSet::new();
        for _ in 0..20 {
            host.tick();
            let questions = asked(&host);
            assert_eq!((questions.len(), host.said.len()), (4, 4));
            met.extend(questions.into_iter().map(|(node, _)| node));
        }
        assert!(met.len() >= 5.min(peers) && (peers == 5 || met.len() > 60), "{met:?}");
    }
}

#[test]
fn ticks_that_come_at_once_ask_no_more() {
    let mut host = node(50);
    let questions: usize = (0..10)
        .map(|_| {
            host.now = Duration::from_secs(5);
            host.tick();
            asked(&host).len()
        })
        .sum();
    assert_eq!(questions, 4);
}

#[test]
fn a_question_is_answered_once_however_often_the_word_is_repeated() {
    let mut host = node(2);
    host.measured.functions.get_mut(&FIGLET).unwrap().inflight = 6;
    host.tick();
    let open = asked(&host).into_iter().find(|(node, _)| *node == 2).unwrap().1;
    let question = Message::Probe(ProbeWord { question: 9, ..ProbeWord::default() });
    host.hear(2, &question);
    // 6 of 20 ms on two processors, and 4 of 10 a second: 4/10/(10-4) s.
    let word = ProbeWord { question: open, answer: 9, inflight: 6, wait: 60_000 + 66_667 };
    assert_eq!(
        host.said,
        [(NodeId(2), Message::Probe(word))].into(),
        "what is still asked of it is said again"
    );
    host.hear(2, &question);
    assert!(host.said.is_empty());
}

#[test]
fn an_answer_to_what_was_not_asked_counts_for_nothing() {
    let mut host = node(2);
    host.tick();
    let (node, question) = asked(&host)[0];
    for wrong in [0, question + 100] {
        host.hear(node, &answer(wrong, 0, 0));
    }
    host.hear(77, &answer(question, 0, 0));
    assert!(host.function(FIGLET).overflow.is_empty());
    host.hear(node, &answer(question, 0, 5));
    host.hear(node, &answer(question, 0, 700));
    let wait = host.plan.as_ref().unwrap().waits[&NodeId(node)].wait;
    assert_eq!(wait, Duration::from_micros(5), "the first answer counts");
}

#[test]
fn answers_serve_three_plans_of_ticks_and_no_more() {
    let mut host = node(1);
    host.tick();
    let (node, question) = asked(&host)[0];
    host.hear(node, &answer(question, 0, 5));
    let mut drawn = 0;
    for _ in 0..6 {
        host.tick();
        drawn += host.function(FIGLET).overflow.len();
    }
    // It is three periods old at the third tick after it came.
    assert_eq!(drawn, 2);
}

#[test]
fn a_function_that_is_not_here_is_shared_evenly_by_those_that_answered() {
    let mut host = node(3);
    host.measured.functions.get_mut(&FIGLET).unwrap().here = false;
    host.measured.peers.insert(NodeId(9), serving(&[QRCODE]));
    host.tick();
    let parts = host.percent(FIGLET);
    assert_eq!(parts.keys().copied().collect::<Vec<_>>(), [2, 3, 4], "nobody has answered yet: {parts:?}");
    let questions = asked(&host);
    for (node, question) in questions.into_iter().filter(|(node, _)| [3, 4].contains(node)) {
        host.hear(node, &answer(question, 0, 5));
    }
    assert_eq!(host.percent(FIGLET), [(3, 50.0), (4, 50.0)].into());
}
