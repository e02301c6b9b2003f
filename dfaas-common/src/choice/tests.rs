use proptest::prelude::*;

use super::overflow::{expected_wait, two, wait_here, waits_too_long};
use super::*;
use crate::config::{Load, Report};
use crate::plan::{MAX_CANDIDATES, WHOLE};

/// A world in which each backend does as it is told.
#[derive(Debug, Clone)]
struct Table {
    randoms: Vec<u32>,
    local: Taken,
    /// Within which limits the gateway was asked last.
    within: Limits,
    /// What each peer says; those that are missing cannot be reached.
    peers: Vec<(u32, Taken)>,
    /// Expected waits; of those that are missing nothing is known.
    waits: Vec<(u32, u32)>,
    peers_rate: bool,
    asked: Vec<u32>,
    turns: u64,
    tried: u32,
}

impl Table {
    fn new(peers: &[(u32, Taken)]) -> Self {
        let (randoms, waits, asked) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            randoms,
            local: Taken::Yes,
            within: Limits::NONE,
            peers: peers.to_vec(),
            waits,
            peers_rate: true,
            asked,
            turns: 0,
            tried: 0,
        }
    }
}

impl World for Table {
    fn tried(&mut self) -> &mut u32 {
        &mut self.tried
    }
    fn random(&mut self) -> u32 {
        self.randoms.pop().unwrap_or(0)
    }
    fn turn(&mut self) -> u64 {
        self.turns += 1;
        self.turns - 1
    }
    fn local(&mut self, within: Limits) -> Taken {
        self.asked.push(LOCAL);
        self.within = within;
        self.local
    }
    fn peer(&mut self, backend: u32, _: u64) -> Taken {
        self.asked.push(backend);
        self.peers.iter().find(|(peer, _)| *peer == backend).map_or(Taken::Unreachable, |(_, taken)| *taken)
    }
    fn wait(&mut self, backend: u32) -> u32 {
        self.waits.iter().find(|(peer, _)| *peer == backend).map_or(NO_WAY, |(_, wait)| *wait)
    }
    fn peers_rate(&mut self, _: u64) -> bool {
        self.peers_rate
    }
    fn open(&mut self) -> bool {
        true
    }
    fn release(&mut self) {
        self.asked.pop();
    }
}

fn plan(shares: &[(u32, u32)], candidates: &[u16]) -> Plan {
    let mut plan = Plan::EMPTY;
    plan.set_shares(shares.iter().copied());
    plan.set_candidates(candidates.iter().copied());
    plan
}

/// The choice, and what is remembered of it.
fn choose(world: &mut Table, plan: &Plan) -> (u32, u32) {
    world.tried = 0;
    (Choice::new(&mut *world, Some(plan)).choose(), world.tried)
}

#[test]
fn without_a_plan_everything_is_served_here() {
    let mut world = Table::new(&[]);
    assert_eq!(Choice::new(&mut world, None).choose(), LOCAL);
    world.local = Taken::Unreachable;
    assert_eq!(Choice::new(&mut world, None).choose(), UNAVAILABLE);
}

#[test]
fn a_gateway_that_is_busier_than_the_plan_likes_gives_to_the_idler_of_two_candidates() {
    let mut world = Table::new(&[(1, Taken::Yes), (2, Taken::Yes), (3, Taken::Yes)]);
    world.waits = vec![(LOCAL, 5_000), (1, 3_000), (2, 1_000), (3, 9_000)];
    let mut plan = plan(&[(LOCAL, WHOLE)], &[1, 2, 3]);
    plan.overflow_above = 5_000;
    assert_eq!(choose(&mut world, &plan).0, LOCAL, "not above it yet");
    plan.overflow_above = 4_999;
    // First candidate 1 and the one behind it: 2 is idler.
    assert_eq!(choose(&mut world, &plan).0, 2);
    // Candidates 3 and 1.
    world.randoms = vec![0xffff, 0];
    assert_eq!(choose(&mut world, &plan).0, 1);
}

#[test]
fn a_candidate_that_does_not_beat_the_wait_here_gets_nothing() {
    let mut world = Table::new(&[(1, Taken::Yes), (2, Taken::Yes)]);
    world.waits = vec![(LOCAL, 5_000), (1, 5_000), (2, 6_000)];
    let mut plan = plan(&[(LOCAL, WHOLE)], &[1, 2]);
    plan.overflow_above = 1_000;
    assert_eq!(choose(&mut world, &plan).0, LOCAL);
    assert_eq!(world.asked, [LOCAL]);
}

#[test]
fn at_a_limit_any_candidate_is_better_than_429() {
    let mut world = Table::new(&[(1, Taken::Yes)]);
    world.local = Taken::Limited;
    world.waits = vec![(LOCAL, 0), (1, 800_000)];
    assert_eq!(choose(&mut world, &plan(&[(LOCAL, WHOLE)], &[1])).0, 1);
    assert_eq!(choose(&mut world, &plan(&[(LOCAL, WHOLE)], &[])).0, TOO_MANY);
    world.waits = vec![(LOCAL, 0)];
    assert_eq!(choose(&mut world, &plan(&[(LOCAL, WHOLE)], &[1])).0, TOO_MANY, "nobody can be sent to");
}

#[test]
fn after_a_candidate_has_refused_another_is_asked_and_then_the_gateway() {
    let mut world = Table::new(&[(1, Taken::Yes), (2, Taken::Yes)]);
    world.waits = vec![(LOCAL, 9_000), (1, 1_000), (2, 2_000)];
    let mut plan = plan(&[(LOCAL, WHOLE)], &[1, 2]);
    plan.overflow_above = 0;
    let (first, tried) = choose(&mut world, &plan);
    assert_eq!((first, tried & tried::LOCAL), (1, 0));
    let second = Choice::new(&mut world, Some(&plan)).choose_again(first);
    assert_eq!(second, 2);
    assert_eq!(Choice::new(&mut world, Some(&plan)).choose_again(second), LOCAL);
}

#[test]
fn how_long_one_waits_here_is_a_limit_for_own_users_alone() {
    let mut world = Table::new(&[]);
    let mut plan = plan(&[(LOCAL, WHOLE)], &[]);
    (plan.local_wait, plan.local_inflight, plan.local_interval) = (450_000, 7, 10);
    assert_eq!(choose(&mut world, &plan).0, LOCAL);
    assert_eq!(world.within, Limits { inflight: 7, interval: 10, wait: 450_000 });
    assert_eq!(Choice::new(&mut world, Some(&plan)).for_peer(), LOCAL);
    assert_eq!(world.within, Limits { inflight: 7, ..Limits::NONE });
}

#[test]
fn a_wait_is_too_long_above_its_limit_and_never_where_nothing_is_known() {
    let report = Report { wait: 0, sent: 0, pace: 32_768, known: 1 };
    let load = |under_way| Load { sent: 0, under_way };
    let cases = [(20_000, false), (20_001, false), (20_002, true), (u64::MAX, true)];
    assert_eq!(
        cases.map(|(work, _)| waits_too_long(10_000, &report, &load(work))),
        cases.map(|(_, long)| long)
    );
    assert!(!waits_too_long(0, &report, &load(u64::MAX)), "no limit");
    assert!(!waits_too_long(1, &Report::default(), &load(1 << 40)), "nobody has said how fast it works");
}

#[test]
fn requests_of_peers_stay_here_within_what_peers_may_have() {
    let mut world = Table::new(&[(1, Taken::Yes)]);
    world.waits = vec![(LOCAL, 9_000), (1, 1_000)];
    let mut plan = plan(&[(1, WHOLE)], &[1]);
    plan.overflow_above = 0;
    assert_eq!(Choice::new(&mut world, Some(&plan)).for_peer(), LOCAL);
    world.peers_rate = false;
    assert_eq!(Choice::new(&mut world, Some(&plan)).for_peer(), TOO_MANY);
    world.local = Taken::Unreachable;
    assert_eq!(Choice::new(&mut world, Some(&plan)).for_peer(), UNAVAILABLE);
    assert_eq!(world.asked, [LOCAL, LOCAL], "what was refused is undone");
}

#[test]
fn a_report_ages_by_what_was_sent_since() {
    let report = Report { wait: 1_000, sent: 0xffff_ff00, pace: 32_768, known: 1 };
    let load = Load { sent: 0x1_0000_0100, under_way: 700 };
    assert_eq!(expected_wait(&report, &load), 1_000 + 512 / 2, "two processors, and the counter went round");
    assert_eq!(wait_here(&report, &load), 1_000 + 700 / 2);
    assert_eq!(expected_wait(&Report { known: 0, ..report }, &load), NO_WAY);
    let far = Load { sent: 0, under_way: u64::MAX };
    assert!(
        wait_here(&report, &far) < NO_WAY
            && expected_wait(&Report { pace: u32::MAX, ..report }, &far) < NO_WAY
    );
}

/// Shares for some of the backends 0 to 6 and reject.
fn any_plan() -> impl Strategy<Value = Plan> {
    let shares = proptest::collection::vec((0u32..7, 1u32..1000), 0..6);
    let candidates = proptest::collection::vec(1u16..7, 0..=MAX_CANDIDATES);
    (shares, candidates, any::<bool>(), any::<bool>(), any::<u32>()).prop_map(
        |(parts, candidates, first, smooth, above)| {
            let sum: u32 = parts.iter().map(|(_, part)| part).sum();
            let mut shares: Vec<(u32, u32)> = parts
                .iter()
                .map(|(b, part)| (if *b == 6 { REJECT } else { *b }, part * WHOLE / sum))
                .collect();
            if let Some(last) = shares.last_mut() {
                last.1 += WHOLE - parts.iter().map(|(_, part)| part * WHOLE / sum).sum::<u32>();
            }
            let mut plan = plan(&shares, &candidates);
            plan.flags = if first { flag::LOCAL_FIRST } else { 0 };
            plan.mode = if smooth { mode::SMOOTH } else { mode::SHARE };
            plan.overflow_above = above;
            plan
        },
    )
}

fn any_taken() -> impl Strategy<Value = Taken> {
    prop_oneof![Just(Taken::Yes), Just(Taken::Limited), Just(Taken::Unreachable)]
}

proptest! {
    #[test]
    fn two_indexes_are_in_range_and_differ(count in 1u32..=16, random: u32) {
        let (first, second) = two(count, random);
        prop_assert!(first < count && second < count);
        prop_assert!(count == 1 || first != second);
    }

    #[test]
    fn whatever_happens_it_ends_with_somebody_who_takes_it_or_an_answer(
        plan in any_plan(),
        local in any_taken(),
        peers in proptest::collection::vec(any_taken(), 6),
        waits in proptest::collection::vec(proptest::option::of(any::<u32>()), 6),
        randoms in proptest::collection::vec(any::<u32>(), 64),
    ) {
        let mut world = Table::new(&[]);
        world.peers = peers.iter().enumerate().map(|(i, taken)| (i as u32 + 1, *taken)).collect();
        world.waits = waits.iter().enumerate().filter_map(|(i, wait)| Some((i as u32, (*wait)?))).collect();
        (world.local, world.randoms) = (local, randoms);
        let wanted = |backend| {
            let candidate = plan.candidate[..plan.candidates as usize].contains(&(backend as u16));
            crate::plan::allows(&plan, backend) || candidate
        };
        let mut refused = Vec::new();
        for attempt in 0..4 {
            let mut choice = Choice::new(&mut world, Some(&plan));
            let outcome = match refused.last() {
                None => choice.choose(),
                Some(last) => choice.choose_again(*last),
            };
            if outcome >= REJECT {
                prop_assert!(outcome == TOO_MANY || outcome == UNAVAILABLE);
                let limited = local == Taken::Limited || world.peers.iter().any(|(_, taken)| *taken == Taken::Limited);
                prop_assert!(outcome == UNAVAILABLE || limited);
                break;
            }
            prop_assert!(attempt < 3, "a target, another, the gateway; then an answer");
            prop_assert!(!refused.contains(&outcome), "{outcome} has refused");
            prop_assert_eq!(*world.asked.last().expect("somebody was asked"), outcome);
            prop_assert!(outcome == LOCAL || wanted(outcome));
            refused.push(outcome);
        }
    }
}
