//! What nodes become to each other, told as stories.

use std::time::Duration;

use dfaas_control::{FunctionId, Message, Offer, Time};
use libp2p::PeerId;
use proptest::prelude::*;

use super::member::digest;
use super::net::{Net, PERIOD, card, ip, settings};
use super::{Disbelief, Federation, Standing};
use crate::overlay::{Beat, Card, Event, Offence};

#[test]
fn nodes_that_are_linked_are_peers_as_soon_as_each_has_proven_where_it_is() {
    let net = Net::new(3);
    for node in 0..3 {
        let others: Vec<String> =
            (0..3).filter(|other| *other != node).map(|other| format!("n{other}")).collect();
        assert_eq!(net.takers(node), others, "without a tick");
        let peers = net.nodes[node].peers();
        assert!(
            peers.iter().all(|peer| peer.functions == ["figlet"] && peer.at.port() == 31601),
            "{peers:?}"
        );
    }
    assert!(net.offences.is_empty(), "{:?}", net.offences);
}

#[test]
fn cards_travel_until_they_are_known_and_then_no_more() {
    let mut net = Net::new(2);
    net.period();
    assert_eq!(net.last[&(0, 1)].card, None);
    let effects = net.nodes[0].serve(net.now, vec!["env".to_owned(), "figlet".to_owned()]);
    net.follow(0, effects);
    net.settle();
    assert_eq!(net.nodes[1].peers()[0].functions, ["env", "figlet"], "told at once");
    net.period();
    assert_eq!(net.last[&(0, 1)].card, None);
}

#[test]
fn a_node_whose_datagrams_do_not_arrive_takes_and_gets_nothing() {
    let mut net = Net::new(2);
    // Node 0 moves to an address where nobody answers.
    net.event(1, Event::Linked { peer: net.ids[0], addresses: vec!["192.0.2.99".parse().unwrap()] });
    net.settle();
    (0..3).for_each(|_| net.period());
    assert_eq!(net.standing(1, 0), Standing::Unproven("192.0.2.99:31601".parse().unwrap()));
    assert!(net.nodes[1].peers().is_empty());
    assert_eq!(net.standing(0, 1), Standing::Admitted, "node 1 does not admit node 0 any more");
    net.link(1, 0);
    net.settle();
    assert_eq!(net.takers(1), ["n0"]);
    assert_eq!(net.takers(0), ["n1"]);
}

#[test]
fn an_address_that_is_anothers_is_believed_of_nobody_else() {
    let mut net = Net::new(2);
    let claims = |address: &str| Card { data_address: Some(address.parse().unwrap()), ..card("liar") };
    let liar = PeerId::random();
    net.ids.push(liar);
    net.nodes.push(Federation::new(settings("liar", 1)));
    net.link(1, 2);
    let beat = |sequence, card: Card| Beat {
        incarnation: 1,
        sequence,
        known: 0,
        period_ms: 1000,
        leaving: false,
        admits: true,
        digest: digest(&card),
        seen: 0,
        card: Some(card),
        nonce: Some([0; 16]),
        message: None,
    };
    // The victim's own data port, a third party's, and nobody's: it neither talks from there nor is it listed.
    net.beat(2, 1, beat(1, claims("192.0.2.1")));
    assert_eq!(net.standing(1, 2), Standing::Disbelieved(Disbelief::NotItsOwn(ip(0))));
    net.event(1, Event::Linked { peer: liar, addresses: vec![ip(2), ip(0)] });
    net.beat(2, 1, beat(2, claims("192.0.2.1")));
    assert_eq!(
        net.standing(1, 2),
        Standing::Disbelieved(Disbelief::Taken(ip(0))),
        "even from behind the same NAT"
    );
    net.beat(2, 1, beat(3, claims("127.0.0.1")));
    assert!(matches!(net.standing(1, 2), Standing::Disbelieved(Disbelief::NotAHost(_))));
    assert_eq!(net.takers(1), ["n0"], "node 0 is where it was");
}

#[test]
fn a_node_that_calls_itself_like_another_changes_nothing_of_it() {
    let mut net = Net::new(2);
    let twin = PeerId::random();
    net.ids.push(twin);
    net.nodes.push(Federation::new(settings("n0", 1)));
    for (a, b) in [(1, 2), (2, 1)] {
        net.link(a, b);
    }
    net.settle();
    let takers = net.takers(1);
    assert_eq!(takers[0], "n0");
    assert!(takers[1].starts_with("n0~"), "{takers:?}");
}

#[test]
fn a_node_that_falls_silent_is_no_peer_after_three_periods_and_is_one_again_at_its_next_beat() {
    let mut net = Net::new(2);
    net.period();
    net.cut = [(0, 1)].into();
    let silent_since = net.now;
    while net.now.since(silent_since) < 2 * PERIOD {
        net.period();
        assert_eq!(net.takers(1), ["n0"]);
    }
    assert_eq!(net.nodes[1].next_expiry(), Some(Time(silent_since.0 + 3 * PERIOD)));
    net.period();
    assert!(net.takers(1).is_empty() && net.nodes[1].peers().is_empty());
    assert_eq!(net.standing(1, 0), Standing::Silent);
    assert_eq!(net.standing(0, 1), Standing::Admitted, "node 1 says that it takes nothing from node 0");
    net.cut.clear();
    net.period();
    assert_eq!((net.takers(0), net.takers(1)), (vec!["n1".to_owned()], vec!["n0".to_owned()]));
}

#[test]
fn a_node_that_leaves_is_no_peer_at_once_and_old_beats_do_not_bring_it_back() {
    let mut net = Net::new(2);
    let old = net.last[&(0, 1)].clone();
    let effects = net.nodes[0].leave(net.now);
    net.follow(0, effects);
    net.settle();
    assert!(net.nodes[1].peers().is_empty());
    assert_eq!(net.standing(1, 0), Standing::Left);
    net.beat(0, 1, old);
    assert!(net.nodes[1].peers().is_empty());
    assert_eq!(net.offences, [(0, 1, Offence::Replayed)]);
}

#[test]
fn a_node_that_starts_again_is_a_peer_again_although_its_clock_went_back() {
    let mut net = Net::new(3);
    net.nodes[0] = Federation::new(settings("n0", 5));
    for other in [1, 2] {
        net.link(0, other);
        net.link(other, 0);
    }
    net.settle();
    net.period();
    assert_eq!(
        (net.takers(0), net.takers(1)),
        (vec!["n1".to_owned(), "n2".to_owned()], vec!["n0".to_owned(), "n2".to_owned()])
    );
    assert!(net.last[&(0, 1)].incarnation > 1000);
    assert!(net.offences.is_empty(), "{:?}", net.offences);
}

#[test]
fn an_agent_that_starts_again_stays_a_peer_while_it_learns_who_the_others_are() {
    let mut net = Net::new(2);
    net.nodes[0] = Federation::new(settings("n0", 2000));
    // Its first beat says that it takes nothing, as it knows nobody yet; no datagram of it comes through.
    let mut first = net.last[&(0, 1)].clone();
    (first.incarnation, first.sequence, first.admits) = (2000, 1, false);
    net.beat(0, 1, first.clone());
    assert_eq!(net.takers(1), ["n0"]);
    net.now = Time(net.now.0 + 2 * PERIOD);
    first.sequence = 2;
    net.beat(0, 1, first);
    assert!(net.takers(1).is_empty(), "after two periods it means it");
}

#[test]
fn two_agents_with_one_identity_fall_silent_and_the_others_go_on() {
    let mut net = Net::new(4);
    // Node 3 is a copy of node 0: same identity, another machine. What is sent to the identity reaches either.
    net.nodes[3] = Federation::new(settings("copy", 2000));
    let genuine = net.ids[3];
    for other in [1, 2] {
        net.event(3, Event::Linked { peer: net.ids[other], addresses: vec![ip(other)] });
    }
    net.settle();
    let mut conflicts = (false, false);
    for _ in 0..60 {
        net.period();
        // The connection to the identity leads to one of them, in turn.
        let beats: Vec<(usize, Beat)> = [1, 2]
            .into_iter()
            .filter_map(|other| Some((other, net.last.get(&(other, 0))?.clone())))
            .collect();
        for (other, beat) in beats {
            net.event(3, Event::Beat { peer: net.ids[other], beat: Box::new(beat) });
            if let Some(beat) = net.last.get(&(3, other)).cloned() {
                net.event(other, Event::Beat { peer: net.ids[0], beat: Box::new(beat) });
            }
        }
        net.settle();
        conflicts.0 |= net.nodes[0].conflict(net.now);
        conflicts.1 |= net.nodes[3].conflict(net.now);
        assert!(net.takers(1).contains(&"n2".to_owned()) && net.takers(2).contains(&"n1".to_owned()));
    }
    assert!(conflicts.0 || conflicts.1, "at least one of them notices");
    assert_ne!(genuine, net.ids[0]);
}

#[test]
fn a_card_that_is_not_what_its_digest_says_changes_nothing() {
    let mut net = Net::new(2);
    let mut beat = net.last[&(0, 1)].clone();
    beat.sequence += 100;
    beat.card = Some(Card { functions: vec!["forged".to_owned()], ..card("n0") });
    net.beat(0, 1, beat);
    assert_eq!(net.offences, [(0, 1, Offence::Forged)]);
    assert_eq!(net.nodes[1].peers()[0].functions, ["figlet"]);
}

#[test]
fn an_impossible_claim_about_this_nodes_incarnation_is_an_offence_and_moves_nothing() {
    let mut net = Net::new(2);
    let mut beat = net.last[&(0, 1)].clone();
    (beat.sequence, beat.known) = (beat.sequence + 100, u64::MAX);
    net.beat(0, 1, beat);
    assert_eq!(net.offences, [(0, 1, Offence::Forged)]);
    net.period();
    assert_eq!(net.last[&(1, 0)].incarnation, 1000);
}

#[test]
fn what_a_strategy_says_waits_until_its_node_is_a_peer() {
    let offer = Offer { function: FunctionId::from_name("figlet"), overloaded: true, limit: 3.0 };
    let message = Message::Recalc(vec![offer]);
    let mut net = Net::new(2);
    net.event(1, Event::Linked { peer: net.ids[0], addresses: vec!["192.0.2.99".parse().unwrap()] });
    net.settle();
    let to = net.nodes[0].peers()[0].node;
    let effects = net.nodes[0].say(net.now, to, message.clone());
    net.follow(0, effects);
    net.settle();
    assert!(net.messages.is_empty(), "node 1 does not know where node 0 is");
    net.link(1, 0);
    net.settle();
    let heard: Vec<_> = net.messages.iter().map(|(node, _, message)| (*node, message)).collect();
    assert_eq!(heard[0], (1, &message));
}

#[test]
fn a_lost_link_is_forgotten_only_when_its_beats_are_missed() {
    let mut net = Net::new(2);
    net.event(1, Event::Unlinked { peer: net.ids[0] });
    assert_eq!(net.takers(1), ["n0"], "a link may be made anew in time");
    net.cut = [(0, 1)].into();
    (0..4).for_each(|_| net.period());
    assert!(net.nodes[1].views().is_empty());
}

proptest! {
    #[test]
    fn no_beat_whatever_makes_a_node_stumble_or_talk_without_end(
        beats in proptest::collection::vec(
            (any::<u64>(), 0u64..20, any::<u64>(), any::<u32>(), any::<[bool; 3]>(), any::<u64>(), any::<u64>()), 1..40)
    ) {
        let mut net = Net::new(3);
        for (incarnation, sequence, known, period_ms, flags, digest, seen) in beats {
            let [leaving, admits, has_card] = flags;
            let beat = Beat {
                incarnation, sequence, known, period_ms, leaving, admits, digest, seen,
                card: has_card.then(|| card("n0")),
                nonce: Some([7; 16]),
                message: None,
            };
            net.beat(0, 1, beat);
            net.now = Time(net.now.0 + Duration::from_millis(10));
        }
        prop_assert!(net.takers(1).contains(&"n2".to_owned()), "what node 0 says changes nothing of node 2");
        prop_assert!(net.takers(2).contains(&"n1".to_owned()));
    }
}
