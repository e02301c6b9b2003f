use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dfaas_control::{Candidate, Link, MOST_NEIGHBOURS, Neighbourhood, NodeId, Time};

type Candidates = BTreeMap<u64, Candidate>;

/// So many free nodes; node `n` is `n` ms away.
fn free(count: u64) -> Candidates {
    let one = |n| (n, Candidate { rtt: Some(Duration::from_millis(n)), ..Candidate::unknown(NodeId(n)) });
    (1..=count).map(one).collect()
}

fn node(wanted: usize, seed: u64, pinned: &[u64], banned: &[u64]) -> Neighbourhood<u64> {
    let set = |ids: &[u64]| ids.iter().copied().collect::<BTreeSet<u64>>();
    Neighbourhood::new(wanted, seed, set(pinned), set(banned))
}

fn at(secs: u64) -> Time {
    Time(Duration::from_secs(secs))
}

/// Chooses once and does what is said.
fn follow(node: &mut Neighbourhood<u64>, secs: u64, candidates: &mut Candidates) -> usize {
    let choice = node.choose(at(secs), candidates);
    for id in &choice.leave {
        candidates.get_mut(id).expect("a candidate").link = Link::Barred;
    }
    for id in &choice.seek {
        candidates.get_mut(id).expect("a candidate").link = Link::Held;
    }
    choice.seek.len() + choice.leave.len()
}

fn held(candidates: &Candidates) -> Vec<u64> {
    candidates.iter().filter(|(_, candidate)| candidate.link == Link::Held).map(|(id, _)| *id).collect()
}

#[test]
fn twelve_are_the_nearest_and_four_are_drawn() {
    let (mut node, mut candidates) = (node(16, 5, &[], &[]), free(100));
    follow(&mut node, 0, &mut candidates);
    let held = held(&candidates);
    let drawn: Vec<u64> = held.iter().copied().filter(|id| node.keeps(id)).collect();
    assert_eq!((held.len(), drawn.len()), (16, 4));
    let near: Vec<u64> = held.into_iter().filter(|id| !drawn.contains(id)).collect();
    let nearest: Vec<u64> = (1..).filter(|id| !drawn.contains(id)).take(12).collect();
    assert_eq!(near, nearest);
}

#[test]
fn other_seeds_draw_others_and_all_are_drawn_by_some() {
    let mut drawn = BTreeMap::<u64, u32>::new();
    for seed in 0..1000 {
        let (mut node, mut candidates) = (node(16, seed, &[], &[]), free(40));
        follow(&mut node, 0, &mut candidates);
        (1..=40).filter(|id| node.keeps(id)).for_each(|id| *drawn.entry(id).or_default() += 1);
    }
    // 100 each on average; the chance that one is outside of six standard deviations is below one in a million.
    assert_eq!(drawn.len(), 40);
    assert!(drawn.values().all(|count| (43..=157).contains(count)), "{drawn:?}");
}

#[test]
fn a_draw_stays_although_nodes_come_and_go() {
    let (mut node, mut candidates) = (node(16, 5, &[], &[]), free(100));
    follow(&mut node, 0, &mut candidates);
    let before: Vec<u64> = (1..=100).filter(|id| node.keeps(id)).collect();
    let others: Vec<u64> = (1..=100).filter(|id| !before.contains(id)).collect();
    others.iter().step_by(2).for_each(|id| {
        candidates.remove(id);
    });
    follow(&mut node, 100, &mut candidates);
    assert_eq!((1..=100).filter(|id| node.keeps(id)).collect::<Vec<_>>(), before);
    // After one that was drawn was away, it is drawn again.
    let away = candidates.remove(&before[0]).unwrap();
    follow(&mut node, 200, &mut candidates);
    candidates.insert(before[0], away);
    (0..10).for_each(|turn| {
        follow(&mut node, 300 + 100 * turn, &mut candidates);
    });
    assert_eq!((1..=100).filter(|id| node.keeps(id)).collect::<Vec<_>>(), before);
}

#[test]
fn a_link_is_swapped_for_one_that_is_clearly_nearer_and_only_when_that_is_there() {
    let (mut node, mut candidates) = (node(3, 5, &[], &[]), free(0));
    for (id, ms) in [(1, 20), (2, 30), (3, 40)] {
        let rtt = Some(Duration::from_millis(ms));
        candidates.insert(id, Candidate { rtt, ..Candidate::unknown(NodeId(id)) });
    }
    follow(&mut node, 0, &mut candidates);
    let near = |ms| Candidate { rtt: Some(Duration::from_millis(ms)), ..Candidate::unknown(NodeId(4)) };
    candidates.insert(4, near(31));
    assert_eq!(follow(&mut node, 100, &mut candidates), 0, "not by so little");
    candidates.insert(4, near(5));
    let choice = node.choose(at(200), &candidates);
    assert_eq!((choice.seek, choice.leave), (vec![4], vec![]));
    candidates.get_mut(&4).unwrap().link = Link::Sought;
    assert_eq!(follow(&mut node, 201, &mut candidates), 0, "nothing is given up for a promise");
    candidates.get_mut(&4).unwrap().link = Link::Held;
    assert_eq!(node.choose(at(202), &candidates).leave, [3]);
}

#[test]
fn a_round_trip_time_that_wavers_changes_nothing() {
    let (mut node, mut candidates) = (node(8, 5, &[], &[]), free(40));
    for candidate in candidates.values_mut() {
        candidate.rtt = candidate.rtt.map(|rtt| Duration::from_millis(20) + rtt / 8);
    }
    follow(&mut node, 0, &mut candidates);
    let before = held(&candidates);
    let steady = candidates.clone();
    for secs in 1..1000 {
        for (id, candidate) in &mut candidates {
            let wave = 1.0 + 0.1 * ((secs * 7 + id * 13) % 11) as f64 / 11.0;
            candidate.rtt = steady[id].rtt.map(|rtt| rtt.mul_f64(wave));
        }
        assert_eq!(follow(&mut node, secs, &mut candidates), 0, "after {secs} s");
    }
    assert_eq!(held(&candidates), before);
}

#[test]
fn a_link_too_many_is_ended_only_if_the_other_end_has_one_too_many_as_well() {
    let (mut node, mut candidates) = (node(2, 5, &[], &[]), free(5));
    candidates.values_mut().for_each(|candidate| candidate.link = Link::Held);
    assert_eq!(follow(&mut node, 100, &mut candidates), 0, "nobody said how many links it has");
    candidates.values_mut().for_each(|candidate| candidate.links = Some(2));
    assert_eq!(follow(&mut node, 200, &mut candidates), 0);
    for id in [3, 4, 5] {
        candidates.get_mut(&id).unwrap().links = Some(3);
    }
    candidates.get_mut(&5).unwrap().keeps = true;
    (3..6).for_each(|turn| {
        follow(&mut node, 100 * turn, &mut candidates);
    });
    assert_eq!(held(&candidates), [1, 2, 5], "4 and 3 were spare");
}

#[test]
fn after_three_unmet_ticks_the_four_that_give_least_are_replaced_and_patience_grows() {
    let (mut node, mut candidates) = (node(8, 5, &[8], &[]), free(30));
    (1..=8).for_each(|id| candidates.get_mut(&id).unwrap().link = Link::Held);
    let worth: BTreeMap<u64, f64> = [(1, 2.0), (2, 1.0), (7, 0.5)].into();
    let mut replaced = Vec::new();
    for tick in 1..=21 {
        let left = node.tick(Some(&worth), &candidates);
        if !left.is_empty() {
            replaced.push((tick, left));
        }
    }
    let worst = vec![6, 5, 4, 3];
    assert_eq!(replaced, [(3, worst.clone()), (9, worst.clone()), (21, worst.clone())]);
    assert_eq!(node.tick(None, &candidates), [], "met");
    let again: Vec<_> = (0..3).map(|_| node.tick(Some(&worth), &candidates)).collect();
    assert_eq!(again, [vec![], vec![], worst]);
}

#[test]
fn nobody_is_given_up_where_there_is_nobody_else() {
    let (mut node, mut candidates) = (node(8, 5, &[], &[]), free(9));
    (1..=8).for_each(|id| candidates.get_mut(&id).unwrap().link = Link::Held);
    let unmet = |node: &mut Neighbourhood<u64>, candidates: &Candidates| {
        (0..96).map(|_| node.tick(Some(&BTreeMap::new()), candidates).len()).max().unwrap()
    };
    assert_eq!(unmet(&mut node, &candidates), 1);
    candidates.remove(&9);
    assert_eq!(unmet(&mut node, &candidates), 0);
}

#[test]
fn a_pinned_node_gets_a_place_even_where_all_are_taken() {
    let (mut node, mut candidates) = (node(16, 5, &[77], &[]), free(MOST_NEIGHBOURS as u64));
    candidates.values_mut().for_each(|candidate| candidate.link = Link::Held);
    candidates.insert(77, Candidate::unknown(NodeId(77)));
    let choice = node.choose(at(0), &candidates);
    assert_eq!((choice.seek, choice.leave), (vec![77], vec![MOST_NEIGHBOURS as u64]));
}
