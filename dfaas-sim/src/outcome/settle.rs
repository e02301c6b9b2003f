use super::Second;

/// Plans that change by less than this part of what users ask for, in a second, have settled.
const STILL: f64 = 0.05;

/// Seconds after second `change` from which on plans change by less than 5 % a second: the mean over the nodes of how much
/// the part that stays at home changes, each by the `rate` that its users ask at.
pub(super) fn settled(
    series: &[Vec<Second>],
    rate: impl Fn(usize, usize) -> f64,
    change: usize,
) -> Option<f64> {
    let seconds = series.first()?.len();
    let moved = |second: usize| {
        let (moved, whole) = series.iter().enumerate().fold((0.0, 0.0), |(moved, whole), (node, of_node)| {
            let rate = rate(node, second);
            (moved + rate * (of_node[second].local - of_node[second - 1].local).abs(), whole + rate)
        });
        if whole > 0.0 { moved / whole } else { 0.0 }
    };
    let restless = (change.max(1)..seconds).rev().find(|second| moved(*second) > STILL);
    match restless {
        None => Some(0.0),
        Some(last) if last + 1 < seconds => Some((last + 1 - change) as f64),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(parts: &[f64]) -> Vec<Vec<Second>> {
        vec![parts.iter().map(|local| Second { local: *local, ..Second::default() }).collect()]
    }

    #[test]
    fn plans_have_settled_after_their_last_large_change() {
        let of = |parts: &[f64]| settled(&series(parts), |_, _| 10.0, 2);
        assert_eq!(of(&[1.0, 1.0, 1.0, 0.8, 0.6, 0.6, 0.58]), Some(3.0));
        assert_eq!(of(&[1.0, 0.2, 0.2, 0.2]), Some(0.0), "what was before does not count");
        assert_eq!(of(&[1.0, 1.0, 1.0, 0.5]), None, "it ends too soon");
    }
}
