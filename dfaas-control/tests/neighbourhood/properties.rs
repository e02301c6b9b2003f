use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dfaas_control::{Candidate, Link, MOST_NEIGHBOURS, Neighbourhood, NodeId, Time};
use proptest::prelude::*;

/// What happens to one candidate before a choice: which, its way, and what becomes of its link.
type Happening = (u8, Option<u16>, u8, Option<u8>, bool);

fn happen(candidates: &mut BTreeMap<u8, Candidate>, (id, ms, fate, links, keeps): Happening) {
    let engaged = candidates.values().filter(|candidate| candidate.is_engaged()).count();
    let candidate = candidates.entry(id).or_insert_with(|| Candidate::unknown(NodeId(id.into())));
    candidate.rtt = ms.map(|ms| Duration::from_millis(ms.into())).or(candidate.rtt);
    (candidate.links, candidate.keeps) = (links.map(usize::from), keeps);
    match fate {
        0 => drop(candidates.remove(&id)),
        1 => candidate.link = Link::Barred,
        2 => candidate.link = Link::Free,
        // The other end seeks a link, as far as the bound lets it.
        3 if engaged < MOST_NEIGHBOURS && !candidate.is_engaged() => candidate.link = Link::Held,
        _ if candidate.link == Link::Sought => candidate.link = Link::Held,
        _ => {}
    }
}

fn apply(candidates: &mut BTreeMap<u8, Candidate>, leave: &[u8], seek: &[u8]) {
    for id in leave {
        let candidate = candidates.get_mut(id).expect("a candidate");
        assert!(candidate.is_engaged(), "only what is there is ended");
        candidate.link = Link::Barred;
    }
    for id in seek {
        let candidate = candidates.get_mut(id).expect("a candidate");
        assert_eq!(candidate.link, Link::Free, "only what is not there is sought");
        candidate.link = Link::Sought;
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_bound_holds_pins_are_kept_and_bans_too(
        wanted in 0usize..40,
        seed: u64,
        pinned in proptest::collection::btree_set(0u8..60, 0..10),
        banned in proptest::collection::btree_set(0u8..60, 0..10),
        happenings in proptest::collection::vec(
            (0u8..60, proptest::option::of(any::<u16>()), 0u8..8, proptest::option::of(0u8..30), any::<bool>()), 1..300),
    ) {
        let run = |seed| {
            let mut node = Neighbourhood::new(wanted, seed, pinned.clone(), banned.clone());
            let pinned: BTreeSet<u8> = &pinned - &banned;
            let mut candidates = BTreeMap::new();
            let mut choices = Vec::new();
            for (turn, happening) in (0u64..).zip(&happenings) {
                happen(&mut candidates, *happening);
                let choice = node.choose(Time(Duration::from_secs(turn)), &candidates);
                apply(&mut candidates, &choice.leave, &choice.seek);
                let worth = (turn % 5 != 0).then(BTreeMap::new);
                let left = node.tick(worth.as_ref(), &candidates);
                apply(&mut candidates, &left, &[]);
                let engaged = candidates.values().filter(|candidate| candidate.is_engaged()).count();
                assert!(engaged <= MOST_NEIGHBOURS, "{engaged}");
                for (id, candidate) in &candidates {
                    assert!(!(banned.contains(id) && candidate.is_engaged()), "{id} is banned");
                    assert!(!(pinned.contains(id) && candidate.link == Link::Free), "{id} is pinned");
                }
                assert!(pinned.iter().all(|id| !choice.leave.contains(id) && !left.contains(id)));
                assert!(banned.iter().all(|id| !node.accepts(id, 0)));
                choices.push((choice, left));
            }
            choices
        };
        prop_assert_eq!(run(seed), run(seed), "the same seed, the same choices");
    }

    #[test]
    fn without_news_a_node_comes_to_rest(
        wanted in 1usize..=24,
        seed: u64,
        ways in proptest::collection::vec(1u16..500, 1..100),
    ) {
        let mut candidates: BTreeMap<u8, Candidate> = (0u8..).zip(&ways).map(|(id, ms)| {
            let rtt = Some(Duration::from_millis((*ms).into()));
            (id, Candidate { rtt, ..Candidate::unknown(NodeId(id.into())) })
        }).collect();
        let mut node = Neighbourhood::new(wanted, seed, BTreeSet::new(), BTreeSet::new());
        let mut last = 0;
        for turn in 0..200 {
            let choice = node.choose(Time(Duration::from_secs(turn * 700)), &candidates);
            if !choice.seek.is_empty() || !choice.leave.is_empty() {
                last = turn;
            }
            apply(&mut candidates, &choice.leave, &choice.seek);
            candidates.values_mut().filter(|candidate| candidate.link == Link::Sought)
                .for_each(|candidate| candidate.link = Link::Held);
        }
        prop_assert!(last < 100, "something changed in turn {}", last);
        let engaged = candidates.values().filter(|candidate| candidate.is_engaged()).count();
        prop_assert_eq!(engaged, wanted.min(ways.len()));
    }
}
