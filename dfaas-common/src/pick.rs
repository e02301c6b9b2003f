//! Which target of a plan gets an invocation. Pure: random number and draw counter are arguments.

use crate::opaque::opaque;
use crate::plan::{MAX_TARGETS, Plan, mode};

/// 2^64 divided by the golden ratio: multiples of it, taken modulo 2^64, fill the circle more evenly than those of
/// any other number (Knuth, The Art of Computer Programming 3, 6.4, theorem S).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A point in 0..65,536 for the next draw.
///
/// In smooth mode it is the next member of a low-discrepancy sequence: like smooth weighted round robin it spaces the
/// invocations of each target evenly, but it needs only an atomic counter instead of a locked table.
#[inline(always)]
#[must_use]
pub const fn draw(mode: u32, random: u32, draws: u64) -> u32 {
    if mode == mode::SMOOTH { (draws.wrapping_mul(GOLDEN) >> 48) as u32 } else { random & 0xffff }
}

/// The index of the target at `point` (0..65,536) when the targets whose bits are set in `excluded` are left out and
/// the others keep their proportions; `None` if nothing is left. Targets with no share are never drawn.
///
/// Without branches: each would double the paths that the verifier has to follow through 18 targets.
#[inline(always)]
#[must_use]
pub fn pick(plan: &Plan, point: u32, excluded: u32) -> Option<u32> {
    let left = sum_widths(plan, excluded, 0).0;
    let point = ((point as u64 * left as u64) >> 16) as u32;
    // The target is the first whose kept shares sum to more than the point.
    let (_, index) = sum_widths(plan, excluded, point + 1);
    if left == 0 || index >= MAX_TARGETS as u32 { None } else { Some(index) }
}

/// The sum of the shares that are not excluded, and the number of targets whose sum, with all before, is below `bound`.
#[inline(always)]
fn sum_widths(plan: &Plan, excluded: u32, bound: u32) -> (u32, u32) {
    let (mut before, mut sum, mut below) = (0u32, 0u32, 0u32);
    for (i, target) in plan.targets.iter().enumerate() {
        let keep = 1 - opaque(excluded >> i & 1);
        sum += target.cumulative.wrapping_sub(before) * keep;
        before = target.cumulative;
        // Both are below 2^31, so the top bit of the difference says which is less.
        below += opaque(sum.wrapping_sub(bound)) >> 31;
    }
    (sum, below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::WHOLE;
    use proptest::prelude::*;

    fn plan(widths: &[u32]) -> Plan {
        let mut plan = Plan { count: widths.len() as u32, ..Plan::EMPTY };
        plan.set_shares(widths.iter().map(|&width| (0, width)));
        plan
    }

    fn widths() -> impl Strategy<Value = Vec<u32>> {
        proptest::collection::vec(0u32..1000, 1..=MAX_TARGETS).prop_filter_map("nothing to share", |parts| {
            let sum: u32 = parts.iter().sum();
            (sum > 0).then(|| {
                let mut widths: Vec<u32> = parts.iter().map(|p| p * WHOLE / sum).collect();
                let rest = WHOLE - widths.iter().sum::<u32>();
                let largest = (0..widths.len()).max_by_key(|&i| widths[i]).unwrap_or(0);
                widths[largest] += rest;
                widths
            })
        })
    }

    proptest! {
        // Each case goes through all 65,536 points.
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn over_all_points_each_target_gets_exactly_its_share(widths in widths()) {
            let plan = plan(&widths);
            let mut counts = vec![0u32; widths.len()];
            for point in 0..WHOLE {
                counts[pick(&plan, point, 0).expect("a plan with shares always has a target") as usize] += 1;
            }
            prop_assert_eq!(counts, widths);
        }

        #[test]
        fn an_excluded_target_is_never_picked_and_the_others_keep_their_proportions(widths in widths(), excluded: u32) {
            let plan = plan(&widths);
            let left: u32 = widths.iter().enumerate().filter(|(i, _)| excluded >> i & 1 == 0).map(|(_, w)| w).sum();
            let mut counts = vec![0u32; widths.len()];
            for point in 0..WHOLE {
                match pick(&plan, point, excluded) {
                    Some(i) => counts[i as usize] += 1,
                    None => prop_assert_eq!(left, 0),
                }
            }
            for (i, (&count, &width)) in counts.iter().zip(&widths).enumerate() {
                if excluded >> i & 1 == 1 {
                    prop_assert_eq!(count, 0);
                } else if left > 0 {
                    let expected = f64::from(width) * f64::from(WHOLE) / f64::from(left);
                    prop_assert!((f64::from(count) - expected).abs() <= 1.0 + expected / f64::from(left));
                }
            }
        }

        #[test]
        fn smooth_draws_keep_every_share_within_a_few_invocations_at_every_moment(width in 1u32..WHOLE, start: u32) {
            let mut inside = 0f64;
            for n in 0..2000u64 {
                if draw(mode::SMOOTH, 0, u64::from(start) + n) < width {
                    inside += 1.0;
                }
                let expected = (n + 1) as f64 * f64::from(width) / f64::from(WHOLE);
                prop_assert!((inside - expected).abs() < 5.0, "after {} draws {} instead of {}", n + 1, inside, expected);
            }
        }
    }

    #[test]
    fn a_plan_without_targets_picks_nothing() {
        assert_eq!(pick(&Plan::EMPTY, 0, 0), None);
    }
}
