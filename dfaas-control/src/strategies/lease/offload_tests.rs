use super::*;
use proptest::prelude::*;

const LIGHT: FunctionId = FunctionId(1);
const HEAVY: FunctionId = FunctionId(2);
const B: NodeId = NodeId(2);
const C: NodeId = NodeId(3);

fn load(rate: f64, cost: f64) -> Load {
    Load { rate, cost, of_peers: 0.0, here: true, may_leave: true, most: None, priced: true }
}

fn wanted(loads: &[(FunctionId, Load)], excess: f64) -> Vec<(u64, f64)> {
    let wants = wants(&loads.iter().copied().collect(), excess);
    wants.iter().map(|want| (want.function.0, (want.rate * 1e6).round() / 1e6)).collect()
}

/// A peer at which a function costs this, another that.
fn costs<const N: usize>(costs: [f64; N]) -> Prices {
    costs.into_iter().map(Some).collect()
}

fn holding(node: NodeId, grant: f64, costs: &Prices) -> Holding<'_> {
    Holding { node, grant, costs }
}

fn flows(offload: &Offload, function: FunctionId) -> Vec<(u64, f64, f64)> {
    let round = |value: f64| (value * 1e6).round() / 1e6;
    offload.of(function).map(|(node, flow)| (node.0, round(flow.rate), round(flow.limit))).collect()
}

#[test]
fn the_heavy_functions_leave_first() {
    let loads = [(LIGHT, load(100.0, 0.01)), (HEAVY, load(4.0, 0.25))];
    assert_eq!(wanted(&loads, 0.5), [(2, 2.0)]);
    assert_eq!(wanted(&loads, 1.5), [(2, 4.0), (1, 50.0)]);
    assert_eq!(wanted(&loads, 0.0), []);
    assert_eq!(wanted(&loads, 9.0), [(2, 4.0), (1, 100.0)]);
}

#[test]
fn what_must_not_leave_stays_and_what_is_not_here_leaves_whole() {
    let own = Load { may_leave: false, ..load(4.0, 0.25) };
    let elsewhere = Load { here: false, ..load(3.0, 0.1) };
    assert_eq!(wanted(&[(LIGHT, elsewhere), (HEAVY, own)], 0.5), [(1, 3.0)]);
}

#[test]
fn what_is_above_a_limit_leaves_before_what_is_merely_heavy() {
    let limited = Load { most: Some(10.0), ..load(14.0, 0.1) };
    let loads = [(LIGHT, limited), (HEAVY, load(4.0, 0.25))];
    // 0.6 too much: 4 invocations a second, 0.4, have to go, and the rest is of the heavy one.
    assert_eq!(wanted(&loads, 0.6), [(1, 4.0), (2, 0.8)]);
}

#[test]
fn grants_are_used_in_proportion_and_the_rest_of_them_is_the_limit() {
    let wants = [Want { function: LIGHT, rate: 20.0 }];
    let (quick, slow) = (costs([0.1]), costs([0.2]));
    let offload = Offload::divide(&wants, &[holding(B, 1.0, &quick), holding(C, 6.0, &slow)]);
    // Room for 10 and for 30 a second.
    assert_eq!(flows(&offload, LIGHT), [(2, 5.0, 10.0), (3, 15.0, 30.0)]);
    assert_eq!(offload.by_peer(), [(B, 5.0), (C, 15.0)].into());
    assert_eq!(offload.relief(&[(LIGHT, load(30.0, 0.1))].into()), 2.0);
}

#[test]
fn what_is_not_granted_stays() {
    let wants = [Want { function: HEAVY, rate: 3.0 }, Want { function: LIGHT, rate: 50.0 }];
    let offload = Offload::divide(&wants, &[holding(B, 4.0, &costs([1.0, 0.1]))]);
    assert_eq!(flows(&offload, HEAVY), [(2, 3.0, 3.0)]);
    assert_eq!(flows(&offload, LIGHT), [(2, 10.0, 10.0)]);
    assert_eq!(Offload::divide(&wants, &[]), Offload::default());
    assert_eq!(Offload::divide(&wants, &[holding(B, 4.0, &Prices::default())]), Offload::default());
}

#[test]
fn a_function_that_leaves_for_two_reasons_is_sent_once() {
    let wants = [Want { function: HEAVY, rate: 3.0 }, Want { function: HEAVY, rate: 2.0 }];
    let offload = Offload::divide(&wants, &[holding(B, 4.0, &costs([1.0, 1.0]))]);
    assert_eq!(flows(&offload, HEAVY), [(2, 4.0, 4.0)], "three of one, and one of the other");
}

proptest! {
    #[test]
    fn no_grant_is_exceeded_and_nothing_is_sent_that_did_not_want_to_leave(
        rates in proptest::collection::vec(0.0_f64..100.0, 1..4),
        of in proptest::collection::vec((0.0_f64..10.0, 1e-4_f64..10.0), 0..8),
    ) {
        let wants: Vec<Want> = (1..).zip(&rates).map(|(f, rate)| Want { function: FunctionId(f), rate: *rate }).collect();
        let costs: Vec<Prices> = of.iter().map(|(_, cost)| wants.iter().map(|_| Some(*cost)).collect()).collect();
        let holdings: Vec<Holding<'_>> =
            (0..).zip(&of).zip(&costs).map(|((node, (grant, _)), costs)| holding(NodeId(node), *grant, costs)).collect();
        let offload = Offload::divide(&wants, &holdings);
        for want in &wants {
            let sent: f64 = offload.of(want.function).map(|(_, flow)| flow.rate).sum();
            prop_assert!(sent <= want.rate * (1.0 + 1e-9));
        }
        for holding in &holdings {
            let work = |pick: fn(Flow) -> f64| -> f64 {
                let of = |want: &Want| offload.of(want.function).filter(|(node, _)| *node == holding.node).map(|(_, flow)| pick(flow)).sum::<f64>();
                wants.iter().enumerate().map(|(index, want)| of(want) * holding.costs.of(index).unwrap()).sum()
            };
            for sum in [work(|flow| flow.rate), work(|flow| flow.limit)] {
                prop_assert!(sum.is_finite() && sum <= holding.grant * (1.0 + 1e-6) + 1e-9, "{sum}");
            }
        }
    }
}
