use std::collections::BTreeMap;

use dfaas_common::bucket::NEVER;
use dfaas_common::config::{Load, Report};
use dfaas_common::count::REJECT;
use dfaas_common::pick::{draw, pick};
use dfaas_common::plan::{Plan, flag, mode};
use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_000_000_000_000;

fn peer(name: &str) -> Backend {
    Backend { name: name.to_owned(), usable: true, routed: true, arrival: 0, refused: (0, 0) }
}

/// A node with the peers b (1) and c (2), whose plan has these shares.
fn scene(shares: &[(u32, u32)], change: impl FnOnce(&mut Plan)) -> Scene {
    let mut plan = Plan { expires: NOW + 3_500_000_000, mode: mode::SMOOTH, ..Plan::EMPTY };
    plan.set_shares(shares.iter().copied());
    change(&mut plan);
    Scene {
        interfaces: vec!["eth0".to_owned()],
        now: NOW,
        armed: true,
        flows: (10, 100),
        client: None,
        function: 5,
        name: "figlet".to_owned(),
        plan: Some(plan),
        draws: 0,
        under_way: 0,
        local_arrival: 0,
        home: (0, "the own gateway".to_owned()),
        backends: BTreeMap::from([(1, peer("b")), (2, peer("c"))]),
        waits: BTreeMap::new(),
    }
}

fn asked(scene: &Scene) -> Explanation {
    explain(&Question { function: "figlet".to_owned(), client: None }, scene)
}

/// What becomes of it for certain.
fn certain(scene: &Scene) -> String {
    let explanation = asked(scene);
    let [only] = &explanation.outcomes[..] else { panic!("{explanation:?}") };
    assert_eq!(only.probability, 1.0);
    only.backend.clone()
}

fn says<'e>(explanation: &'e Explanation, step: &str) -> &'e str {
    let found = explanation.steps.iter().find(|found| found.step == step);
    &found.unwrap_or_else(|| panic!("{step}: {explanation:?}")).says
}

#[test]
fn whoever_is_not_steered_is_told_so_before_anything_else_is_looked_at() {
    let disarmed = Scene { armed: false, ..scene(&[(1, 65_536)], |_| {}) };
    assert_eq!(certain(&disarmed), "untouched");
    assert!(says(&asked(&disarmed), "data plane").contains("disarmed"));
    let full = Scene { flows: (100, 100), ..scene(&[(1, 65_536)], |_| {}) };
    assert_eq!(certain(&full), "untouched");
    let client = Some(Client { is_user: false, connection: None });
    let stranger = Scene { client, ..scene(&[(1, 65_536)], |_| {}) };
    let question = Question { function: "figlet".to_owned(), client: Some("192.0.2.9:1".parse().unwrap()) };
    let explanation = explain(&question, &stranger);
    assert_eq!(explanation.outcomes[0].backend, "untouched");
    assert!(says(&explanation, "client").starts_with("192.0.2.9 is not in dataplane.users"));
}

#[test]
fn without_a_plan_in_force_it_is_served_here() {
    let unknown = Scene { function: 0, plan: None, ..scene(&[], |_| {}) };
    assert_eq!(certain(&unknown), "local");
    assert!(says(&asked(&unknown), "function").contains("no known function"));
    let expired = scene(&[(1, 65_536)], |plan| plan.expires = NOW - 2_000_000_000);
    assert_eq!(certain(&expired), "local");
    assert!(says(&asked(&expired), "plan").starts_with("it has expired 2.0 s ago"));
}

#[test]
fn a_gateway_that_is_away_gets_nothing() {
    let gone = Backend { usable: false, ..peer("k8s") };
    let mut away = Scene { home: (65, "gateway k8s".to_owned()), ..scene(&[(0, 65_536)], |_| {}) };
    away.backends.insert(65, gone);
    assert_eq!(certain(&away), "503");
    assert!(says(&asked(&away), "home").contains("cannot be reached"));
}

#[test]
fn local_first_serves_here_until_a_limit_is_reached() {
    let first = |plan: &mut Plan| (plan.flags, plan.local_inflight) = (flag::LOCAL_FIRST, 3);
    let mut here = scene(&[(1, 65_536)], first);
    assert_eq!(certain(&here), "local");
    assert_eq!(says(&asked(&here), "limits"), "0 under way here, of 3 at most");
    here.under_way = 3;
    assert_eq!(certain(&here), "b");
    assert!(says(&asked(&here), "local").contains("3 of 3 are under way"));
    let mut rate = scene(&[(1, 65_536)], |plan| {
        plan.flags = flag::LOCAL_FIRST;
        plan.local_interval = 100_000_000;
    });
    assert_eq!(certain(&rate), "local");
    assert_eq!(
        says(&asked(&rate), "limits"),
        "0 under way here, no limit; 10.0/s here, of which 10 may come at once"
    );
    rate.local_arrival = NOW + 1_000_000_000;
    assert_eq!(certain(&rate), "b");
}

#[test]
fn a_gateway_at_which_one_waits_too_long_is_at_its_limit() {
    let mut busy = scene(&[(0, 65_536)], |plan| plan.local_wait = 450_000);
    assert_eq!(certain(&busy), "local", "nothing is known of waits");
    busy.waits = [(0, (Report { wait: 450_100, known: 1, ..Report::default() }, Load::default()))].into();
    assert_eq!(certain(&busy), "429");
    let explanation = asked(&busy);
    assert_eq!(says(&explanation, "local"), "one waits 450.1 ms here, and 450.0 ms at most");
    assert_eq!(says(&explanation, "limits"), "0 under way here, no limit; none once one waits 450.0 ms here");
}

#[test]
fn a_peer_that_cannot_be_sent_to_is_passed_over_and_it_is_said_why() {
    let mut spent = scene(&[(1, 65_536)], |plan| plan.limit(1, NEVER));
    assert_eq!(certain(&spent), "429");
    assert!(
        says(&asked(&spent), "share").contains("b is passed over: what the function may send there, nothing")
    );
    spent.plan = scene(&[(1, 65_536)], |_| {}).plan;
    spent.backends.insert(1, Backend { routed: false, refused: (3, 1), ..peer("b") });
    assert_eq!(certain(&spent), "local", "the plan knows nobody else");
    let explanation = asked(&spent);
    let share = says(&explanation, "share");
    assert!(share.contains("there is no route; so far it has refused 3 and left 1 unanswered"), "{share}");
    assert!(says(&explanation, "peer").starts_with("b is passed over: there is no route"));
}

#[test]
fn a_share_that_is_rejected_is_503() {
    assert_eq!(certain(&scene(&[(REJECT, 65_536)], |_| {})), "503");
}

#[test]
fn random_draws_are_told_with_their_chances() {
    let random = scene(&[(0, 16_384), (1, 32_768), (2, 16_384)], |plan| plan.mode = mode::SHARE);
    let explanation = asked(&random);
    let chances: BTreeMap<_, _> =
        explanation.outcomes.iter().map(|outcome| (&*outcome.backend, outcome.probability)).collect();
    for (backend, chance) in [("local", 0.25), ("b", 0.5), ("c", 0.25)] {
        // Four standard deviations.
        assert!((chances[backend] - chance).abs() < 0.02, "{chances:?}");
    }
    assert_eq!(explanation.outcomes[0].backend, "b");
    assert!(says(&explanation, "outcome").starts_with("by chance: b "));
    assert_eq!(explanation, asked(&random), "and always the same of the same");
}

#[test]
fn candidates_are_told_with_their_waits_and_the_better_one_takes_it() {
    let mut busy = scene(&[(0, 65_536)], |plan| {
        plan.set_candidates([1, 2].into_iter());
        plan.overflow_above = 50_000;
    });
    let waits = |wait| (Report { wait, known: 1, ..Report::default() }, Load::default());
    busy.waits = BTreeMap::from([(0, waits(80_000)), (1, waits(30_000)), (2, waits(20_000))]);
    assert_eq!(certain(&busy), "c");
    let explanation = asked(&busy);
    let all = "local 80.0 ms; b 30.0 ms, c 20.0 ms";
    assert!(says(&explanation, "candidates").ends_with(all), "{explanation:?}");
    busy.waits.insert(0, waits(40_000));
    assert_eq!(certain(&busy), "local");
}

proptest! {
    #[test]
    fn the_next_of_evenly_spaced_draws_is_told_exactly(draws: u64, here in 0u32..=65_536, b in 0u32..=65_536) {
        let b = b.min(65_536 - here);
        let shares = [(0, here), (1, b), (2, 65_536 - here - b)];
        let scene = Scene { draws, ..scene(&shares, |_| {}) };
        let plan = scene.plan.unwrap();
        let expected = pick(&plan, draw(mode::SMOOTH, 0, draws), 0).unwrap() as usize;
        prop_assert_eq!(certain(&scene), ["local", "b", "c"][expected]);
    }
}
