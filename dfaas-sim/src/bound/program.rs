use super::routes::Routes;

/// A linear program in numbers of order one: `max gains y` with `rows y <= 1` and `y >= 0`. All coefficients of rows are
/// between 0 and 1, and `y` of 1 is all that a route could ever serve.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Program {
    /// By variable, at most 1.
    pub gains: Vec<f64>,
    /// By row, the variables with their coefficients.
    pub rows: Vec<Vec<(usize, f64)>>,
    /// How many of the rows, from the first, are of demand; each variable is in one of them.
    pub demands: usize,
    /// What a gain of 1 is in value a second.
    pub unit: f64,
}

impl Program {
    pub(super) fn new(routes: &Routes) -> Self {
        let worth = |index: usize| routes.routes[index].weight * routes.routes[index].most;
        let unit = (0..routes.routes.len()).map(worth).fold(0.0, f64::max);
        let row = |limit: &super::routes::Limit| {
            let part = |(index, used): &(usize, f64)| {
                (*index, (used * routes.routes[*index].most / limit.limit).clamp(0.0, 1.0))
            };
            limit.uses.iter().map(part).collect()
        };
        Self {
            gains: (0..routes.routes.len()).map(|index| worth(index) / unit).collect(),
            rows: routes.limits.iter().map(row).collect(),
            demands: routes.demands,
            unit,
        }
    }

    /// What `y` gains.
    pub(super) fn gain(&self, y: &[f64]) -> f64 {
        self.gains.iter().zip(y).map(|(gain, y)| gain * y).sum()
    }

    /// What each row uses.
    fn used(&self, y: &[f64]) -> Vec<f64> {
        self.rows.iter().map(|row| row.iter().map(|(index, part)| part * y[*index]).sum()).collect()
    }

    /// Makes a nearly right answer one that keeps every row: what is next to nothing goes, columns of rows that are
    /// exceeded shrink, and the columns that are left grow, the best first, by what that has freed.
    pub(super) fn repair(&self, y: &mut [f64]) {
        y.iter_mut().for_each(|y| *y = if y.is_finite() && *y > NOTHING { y.min(1.0) } else { 0.0 });
        let mut shrink = vec![1.0_f64; y.len()];
        for (row, used) in self.rows.iter().zip(self.used(y)).filter(|(_, used)| *used > 1.0) {
            row.iter().for_each(|(index, _)| shrink[*index] = shrink[*index].min(1.0 / used));
        }
        y.iter_mut().zip(shrink).for_each(|(y, shrink)| *y *= shrink);
        let mut columns: Vec<Vec<(usize, f64)>> = vec![Vec::new(); y.len()];
        for (row, entries) in self.rows.iter().enumerate() {
            entries.iter().for_each(|(index, part)| columns[*index].push((row, *part)));
        }
        let mut left: Vec<f64> = self.used(y).iter().map(|used| (1.0 - ROUNDING - used).max(0.0)).collect();
        let mut order: Vec<usize> = (0..y.len()).filter(|index| y[*index] > 0.0).collect();
        order.sort_by(|a, b| self.gains[*b].total_cmp(&self.gains[*a]).then(a.cmp(b)));
        for index in order {
            let room = |(row, part): &(usize, f64)| left[*row] / part;
            let more = columns[index]
                .iter()
                .filter(|(_, part)| *part > 0.0)
                .map(room)
                .fold(1.0 - y[index], f64::min);
            y[index] += more;
            columns[index].iter().for_each(|(row, part)| left[*row] = (left[*row] - part * more).max(0.0));
        }
    }

    /// No answer gains more than this, whatever `prices` of rows are: weak duality, where `y <= 1` are rows too.
    pub(super) fn ceiling(&self, prices: &[f64]) -> f64 {
        let price =
            |row: usize| prices.get(row).copied().filter(|price| price.is_finite()).unwrap_or(0.0).max(0.0);
        let mut rest = self.gains.clone();
        let mut ceiling = 0.0;
        for (row, entries) in self.rows.iter().enumerate().skip(self.demands) {
            ceiling += price(row);
            entries.iter().for_each(|(index, part)| rest[*index] -= part * price(row));
        }
        // Each variable is in one row of demand, whose price can be chosen by what the others leave: that of the solver,
        // or the lowest that leaves nothing.
        let demand = |(row, entries): (usize, &Vec<(usize, f64)>)| {
            let at = |price: f64| {
                let over = entries.iter().map(|(index, part)| (rest[*index] - part * price).max(0.0));
                price + over.sum::<f64>()
            };
            let covering = entries.iter().map(|(index, part)| rest[*index] / part).fold(0.0, f64::max);
            at(price(row)).min(covering)
        };
        ceiling + self.rows[..self.demands].iter().enumerate().map(demand).sum::<f64>()
    }
}

/// A part of what a route could serve that only rounding explains.
const NOTHING: f64 = 1e-6;

/// What rows keep free, so that sums in another order do not exceed them.
const ROUNDING: f64 = 1e-12;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Three variables, two of them of one demand; one row of another kind.
    fn program() -> Program {
        Program {
            gains: vec![1.0, 0.6, 0.8],
            rows: vec![vec![(0, 1.0), (1, 0.5)], vec![(2, 1.0)], vec![(0, 0.75), (2, 1.0)]],
            demands: 2,
            unit: 1.0,
        }
    }

    #[test]
    fn the_right_prices_give_the_best_gain_itself() {
        // Variable 1 is full; 0 takes what it leaves of their demand, 2 what that leaves of the last row.
        let best = program().gain(&[0.5, 1.0, 0.625]);
        // 2 makes the last row worth 0.8, so 0 makes the first worth 1 - 0.75 x 0.8; 1 is worth 0.4 more than it takes.
        let ceiling = program().ceiling(&[0.4, 0.0, 0.8]);
        assert!((best - 1.6).abs() < 1e-12 && (ceiling - 1.6).abs() < 1e-12, "{best}, {ceiling}");
    }

    #[test]
    fn an_answer_that_exceeds_rows_shrinks_until_all_are_kept_and_grows_by_what_that_has_freed() {
        let mut y = [1.0, 1.0, 1.0];
        program().repair(&mut y);
        // By 1/1.5 and 1/1.75 first; then 0, the best, has the last row and 1 the first.
        assert!(program().used(&y).iter().all(|used| *used <= 1.0), "{y:?}");
        assert!(program().gain(&y) > 1.48, "{y:?}");
        let mut nothing = [f64::NAN, -1.0, 1e-9];
        program().repair(&mut nothing);
        assert_eq!(nothing, [0.0; 3]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_prices_whatever_give_a_ceiling_below_what_can_be_gained(
            prices in proptest::collection::vec(prop_oneof![0.0..2.0_f64, proptest::num::f64::ANY], 0..4),
            y in proptest::collection::vec(prop_oneof![0.0..2.0_f64, proptest::num::f64::ANY], 3),
        ) {
            let (program, mut y) = (program(), y);
            program.repair(&mut y);
            prop_assert!(program.used(&y).iter().all(|used| *used <= 1.0 + 1e-9), "{y:?}");
            prop_assert!(program.ceiling(&prices) >= program.gain(&y) - 1e-9);
        }
    }
}
