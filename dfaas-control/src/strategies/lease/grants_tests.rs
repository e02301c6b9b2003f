use super::*;
use proptest::prelude::*;

const A: NodeId = NodeId(1);
const B: NodeId = NodeId(2);

fn asks(asks: &[f64]) -> Vec<Claim> {
    asks.iter().map(|ask| Claim { weight: 1.0, ask: *ask }).collect()
}

fn claims(of: &[(NodeId, f64)]) -> BTreeMap<NodeId, Claim> {
    of.iter().map(|(node, ask)| (*node, Claim { weight: 1.0, ask: *ask })).collect()
}

/// Grants are rounded down to numbers of a message.
fn thousandths(grant: f32) -> f64 {
    (f64::from(grant) * 1e3).round() / 1e3
}

/// A tick of a grantor at which everybody is told.
fn tick(ledger: &mut Ledger, headroom: f64, of: &[(NodeId, f64)]) -> Vec<f64> {
    ledger.tick(headroom, |_| None);
    let grants = ledger.propose(headroom, &claims(of));
    grants.iter().for_each(|(node, grant)| ledger.told(*node, *grant));
    grants.into_values().map(thousandths).collect()
}

#[test]
fn what_one_leaves_of_its_part_is_for_the_others() {
    assert_eq!(fill(9.0, &asks(&[1.0, 5.0, 9.0])), [1.0, 4.0, 4.0]);
    assert_eq!(fill(9.0, &asks(&[1.0, 2.0, 3.0])), [1.0, 2.0, 3.0]);
    assert_eq!(fill(0.0, &asks(&[1.0])), [0.0]);
    assert_eq!(fill(-1.0, &asks(&[1.0, 0.0])), [0.0, 0.0]);
    let heavy = [Claim { weight: 3.0, ask: 9.0 }, Claim { weight: 1.0, ask: 9.0 }];
    assert_eq!(fill(8.0, &heavy), [6.0, 2.0]);
}

#[test]
fn grants_follow_asks_as_far_as_there_is_headroom() {
    let mut ledger = Ledger::default();
    assert_eq!(tick(&mut ledger, 10.0, &[(A, 20.0)]), [10.0]);
    assert_eq!(tick(&mut ledger, 10.0, &[(A, 4.0)]), [4.0]);
    assert_eq!(tick(&mut ledger, 2.0, &[(A, 4.0)]), [2.0]);
    assert_eq!(tick(&mut ledger, 2.0, &[(A, 0.0)]), [0.0]);
}

#[test]
fn between_ticks_a_newcomer_gets_what_nobody_holds_and_at_the_next_tick_its_part() {
    let mut ledger = Ledger::default();
    tick(&mut ledger, 10.0, &[(A, 8.0)]);
    let both = [(A, 8.0), (B, 8.0)];
    let grant = ledger.propose_one(10.0, &claims(&both), B);
    assert_eq!(thousandths(grant), 2.0);
    ledger.told(B, grant);
    assert_eq!(tick(&mut ledger, 10.0, &both), [5.0, 5.0]);
}

#[test]
fn what_cannot_be_taken_back_now_is_not_given_to_others() {
    let mut ledger = Ledger::default();
    tick(&mut ledger, 10.0, &[(A, 7.0)]);
    ledger.tick(10.0, |_| None);
    let grants = ledger.propose(10.0, &claims(&[(B, 10.0)]));
    assert_eq!(thousandths(grants[&B]), 3.0, "what A does not hold");
}

#[test]
fn a_grant_that_is_not_used_is_lost_to_whoever_needs_it_and_to_nobody_else() {
    let mut ledger = Ledger::default();
    let idle = |node| (node == A).then_some(0.0);
    for _ in 0..20 {
        ledger.tick(10.0, idle);
        let grants = ledger.propose(10.0, &claims(&[(A, 10.0)]));
        ledger.told(A, grants[&A]);
    }
    assert_eq!(thousandths(ledger.said(A) as f32), 10.0, "nobody else asks");
    ledger.tick(10.0, idle);
    let grants = ledger.propose(10.0, &claims(&[(A, 10.0), (B, 8.0)]));
    // Half of a processor is what A keeps, and what B leaves.
    assert_eq!(thousandths(grants[&A]), 2.0);
    ledger.told(A, grants[&A]);
    // What it uses again counts again.
    ledger.tick(10.0, |_| Some(1.5));
    let grants = ledger.propose(10.0, &claims(&[(A, 10.0), (B, 8.0)]));
    assert!(grants[&A] > 4.0, "{grants:?}");
}

proptest! {
    #[test]
    fn fills_are_fair_and_whole(
        budget in 0.0_f64..100.0, of in proptest::collection::vec((0.1_f64..4.0, 0.0_f64..50.0), 0..12)
    ) {
        let claims: Vec<Claim> = of.iter().map(|(weight, ask)| Claim { weight: *weight, ask: *ask }).collect();
        let parts = fill(budget, &claims);
        let asked: f64 = claims.iter().map(|claim| claim.ask).sum();
        let given: f64 = parts.iter().sum();
        prop_assert!((given - asked.min(budget)).abs() < 1e-6, "{given} of {budget}, {asked} asked");
        for (claim, part) in claims.iter().zip(&parts) {
            prop_assert!(*part <= claim.ask);
            // Who gets less than it asks for has no less for its weight than anybody else.
            if *part < claim.ask - 1e-6 {
                let least = part / claim.weight;
                let fair = claims.iter().zip(&parts).all(|(other, part)| part / other.weight <= least + 1e-6);
                prop_assert!(fair, "{parts:?}");
            }
        }
    }

    #[test]
    fn whatever_is_asked_and_told_grants_never_exceed_the_headroom(
        ticks in proptest::collection::vec(
            (0.0_f64..20.0, proptest::collection::btree_map(0_u64..6, (0.1_f64..3.0, 0.0_f64..1e9), 0..6), 0_u64..6),
            1..40)
    ) {
        let mut ledger = Ledger::default();
        for (headroom, of, alone) in ticks {
            let claims: BTreeMap<NodeId, Claim> =
                of.iter().map(|(node, (weight, ask))| (NodeId(*node), Claim { weight: *weight, ask: *ask })).collect();
            ledger.tick(headroom, |node| node.0.is_multiple_of(2).then_some(0.1));
            let held = ledger.sum(|node| !claims.contains_key(node));
            for (node, grant) in ledger.propose(headroom, &claims) {
                prop_assert!(grant >= 0.0 && f64::from(grant) <= claims[&node].ask);
                ledger.told(node, grant);
            }
            prop_assert!(ledger.total() <= headroom.max(held), "{ledger:?}");
            let grant = ledger.propose_one(headroom, &claims, NodeId(alone));
            ledger.told(NodeId(alone), grant);
            prop_assert!(ledger.total() <= headroom.max(held), "{ledger:?}");
        }
    }
}
