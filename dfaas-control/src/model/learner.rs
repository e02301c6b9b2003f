use crate::id::FunctionId;

/// Most functions whose cost is learnt one by one: each tick takes time by the square of this.
const MOST: usize = 32;

/// What the past weighs after one tick, so that costs follow new versions of functions within some hundred ticks.
const MEMORY: f64 = 0.98;

/// Variance of one measurement of usage (points squared): what else the machine does, and short periods.
const NOISE: f64 = 4.0;

/// Variance of a first guess of a cost, in units of the guess (squared): it may be wrong by several times.
const DOUBT: f64 = 25.0;

/// What a function's rate is believed to use counts as no more than this: usage itself ends at 100.
const MOST_POINTS: f64 = 1e4;

/// The least doubt, as a part of that of the beginning.
const CERTAIN: f64 = 1e-9;

/// One function's cost as it is believed now.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Feature {
    id: Option<FunctionId>,
    /// What was believed before anything was measured: points for one invocation a second.
    prior: f64,
    /// Its cost in units of `prior`.
    factor: f64,
    /// Variance of `factor` before anything was measured, and at most.
    doubt: f64,
}

/// Learns `usage = base + sum of cost * rate` by recursive least squares with exponential forgetting, each cost in units
/// of what was believed before, so that functions of very different rates are learnt alike. Forgetting makes doubt grow
/// without bound where nothing varies; here it never exceeds the doubt of the beginning.
#[derive(Debug, Clone)]
pub(super) struct Learner {
    /// The base comes first.
    features: Vec<Feature>,
    /// Covariance of the factors, row by row.
    covariance: Vec<f64>,
    learnt: bool,
}

impl Learner {
    /// Knows nothing but that the base is about 0, give or take `doubt` points.
    pub(super) fn new(doubt: f64) -> Self {
        let base = Feature { id: None, prior: 1.0, factor: 0.0, doubt: doubt * doubt };
        Self { features: vec![base], covariance: vec![doubt * doubt], learnt: false }
    }

    /// Whether anything was measured yet.
    pub(super) fn has_learnt(&self) -> bool {
        self.learnt
    }

    /// Points that are used when no function is called.
    pub(super) fn base(&self) -> f64 {
        self.features[0].factor.clamp(0.0, 100.0)
    }

    /// Points that one invocation a second adds; `None`: not learnt.
    pub(super) fn cost(&self, id: FunctionId) -> Option<f64> {
        let known = self.features.iter().find(|feature| feature.id == Some(id))?;
        Some(known.prior * known.factor)
    }

    /// Takes one measurement: usage (points) while the functions were served at these rates, each with what is believed
    /// of its cost if it is new. Anything that is no number changes nothing.
    pub(super) fn learn(&mut self, usage: f64, rates: &[(FunctionId, f64, f64)]) {
        let meant = |(_, rate, prior): &&(FunctionId, f64, f64)| {
            rate.is_finite() && *rate >= 0.0 && (1e-9..1e9).contains(prior)
        };
        if !usage.is_finite() {
            return;
        }
        let mut rates: Vec<_> = rates.iter().filter(meant).copied().collect();
        rates.sort_by(|a, b| (b.1 * b.2).total_cmp(&(a.1 * a.2)));
        rates.truncate(MOST);
        self.know(&rates);
        let inputs: Vec<f64> = self
            .features
            .iter()
            .map(|feature| match feature.id {
                None => 1.0,
                Some(id) => {
                    let rate =
                        rates.iter().find(|(other, ..)| *other == id).map_or(0.0, |(_, rate, _)| *rate);
                    (feature.prior * rate).min(MOST_POINTS)
                }
            })
            .collect();
        self.update(usage.clamp(0.0, 100.0), &inputs);
        self.learnt = true;
    }

    /// Makes room for functions that are new; those that are not called any more make it first.
    fn know(&mut self, rates: &[(FunctionId, f64, f64)]) {
        let known = |features: &[Feature], id| features.iter().any(|feature| feature.id == Some(id));
        for (id, rate, prior) in rates {
            if known(&self.features, *id) || *rate <= 0.0 {
                continue;
            }
            if self.features.len() > MOST {
                let idle = |feature: &Feature| {
                    feature
                        .id
                        .is_some_and(|id| !rates.iter().any(|(other, rate, _)| *other == id && *rate > 0.0))
                };
                let Some(index) = self.features.iter().position(idle) else { continue };
                self.forget(index);
            }
            self.add(Feature { id: Some(*id), prior: *prior, factor: 1.0, doubt: DOUBT });
        }
    }

    fn add(&mut self, feature: Feature) {
        let size = self.features.len();
        let mut grown = Vec::with_capacity((size + 1) * (size + 1));
        for row in self.covariance.chunks(size) {
            grown.extend_from_slice(row);
            grown.push(0.0);
        }
        grown.extend(std::iter::repeat_n(0.0, size));
        grown.push(feature.doubt);
        self.covariance = grown;
        self.features.push(feature);
    }

    fn forget(&mut self, index: usize) {
        let size = self.features.len();
        self.features.remove(index);
        let mut at = 0..size * size;
        self.covariance.retain(|_| at.next().is_some_and(|at| at / size != index && at % size != index));
    }

    fn update(&mut self, usage: f64, inputs: &[f64]) {
        let size = inputs.len();
        let dot = |row: &[f64]| row.iter().zip(inputs).map(|(a, b)| a * b).sum::<f64>();
        let gained: Vec<f64> = self.covariance.chunks(size).map(dot).collect();
        let variance = dot(&gained);
        // Rounding may have spoilt the covariance: then doubts are what they were, and costs stay.
        if variance < 0.0 {
            return self.doubt_all();
        }
        let scale = MEMORY * NOISE + variance;
        let believed: f64 =
            self.features.iter().zip(inputs).map(|(feature, input)| feature.factor * input).sum();
        let surprise = usage - believed;
        for (feature, gained) in self.features.iter_mut().zip(&gained) {
            // Nothing gives work back.
            feature.factor = (feature.factor + gained / scale * surprise).max(0.0);
        }
        for (row, a) in self.covariance.chunks_mut(size).zip(&gained) {
            for (cell, b) in row.iter_mut().zip(&gained) {
                *cell = (*cell - a * b / scale) / MEMORY;
            }
        }
        self.bound();
    }

    /// Forgets how certain the costs are.
    fn doubt_all(&mut self) {
        let size = self.features.len();
        self.covariance.fill(0.0);
        for (index, feature) in self.features.iter().enumerate() {
            self.covariance[index * size + index] = feature.doubt;
        }
    }

    /// No doubt is larger than at the beginning: rows and columns are scaled, so that it stays a covariance.
    fn bound(&mut self) {
        let size = self.features.len();
        let shrink: Vec<f64> = self
            .features
            .iter()
            .enumerate()
            .map(|(index, feature)| {
                let doubt = self.covariance[index * size + index];
                if doubt > feature.doubt { (feature.doubt / doubt).sqrt() } else { 1.0 }
            })
            .collect();
        for (row, a) in self.covariance.chunks_mut(size).zip(&shrink) {
            row.iter_mut().zip(&shrink).for_each(|(cell, b)| *cell *= a * b);
        }
        // Nothing is ever so certain that it cannot be learnt anew.
        for (index, feature) in self.features.iter().enumerate() {
            let doubt = &mut self.covariance[index * size + index];
            *doubt = doubt.max(CERTAIN * feature.doubt);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: FunctionId = FunctionId(1);
    const B: FunctionId = FunctionId(2);

    /// Rates that vary, as those of users do.
    fn rates(tick: u32) -> (f64, f64) {
        let phase = f64::from(tick);
        (10.0 + 5.0 * phase.sin(), 40.0 + 20.0 * (1.7 * phase).cos())
    }

    fn near(found: Option<f64>, wanted: f64) -> bool {
        found.is_some_and(|found| (found - wanted).abs() <= 0.05 * wanted)
    }

    #[test]
    fn the_costs_of_two_functions_and_of_the_machine_itself_are_told_apart() {
        let mut learner = Learner::new(10.0);
        assert!(!learner.has_learnt());
        for tick in 0..200 {
            let (a, b) = rates(tick);
            // The first guesses are ten times too small and five times too large.
            learner.learn(8.0 + 2.0 * a + 0.2 * b, &[(A, a, 0.2), (B, b, 1.0)]);
        }
        assert!(near(learner.cost(A), 2.0) && near(learner.cost(B), 0.2), "{learner:?}");
        assert!((learner.base() - 8.0).abs() < 1.0, "{learner:?}");
        assert_eq!(learner.cost(FunctionId(3)), None);
    }

    #[test]
    fn a_new_version_that_costs_twice_as_much_is_noticed() {
        let mut learner = Learner::new(10.0);
        for tick in 0..400 {
            let (a, _) = rates(tick);
            learner.learn(if tick < 200 { a } else { 2.0 * a }, &[(A, a, 1.0)]);
        }
        assert!(near(learner.cost(A), 2.0), "{learner:?}");
    }

    #[test]
    fn what_never_varies_does_not_become_doubtful_without_bound() {
        let mut learner = Learner::new(10.0);
        for _ in 0..100_000 {
            learner.learn(20.0, &[(A, 10.0, 1.0)]);
        }
        learner.learn(23.0, &[(A, 10.0, 1.0)]);
        let believed = learner.base() + 10.0 * learner.cost(A).unwrap();
        assert!((19.0..=23.0).contains(&believed), "{learner:?}");
    }

    #[test]
    fn of_more_functions_than_are_learnt_those_that_are_called_count() {
        let mut learner = Learner::new(10.0);
        for first in [0, 100] {
            let many: Vec<_> = (first..first + 40).map(|id| (FunctionId(id), 1.0, 1.0)).collect();
            learner.learn(50.0, &many);
            assert_eq!(learner.features.len(), MOST + 1);
            assert_eq!(learner.covariance.len(), (MOST + 1) * (MOST + 1));
        }
        assert!(learner.cost(FunctionId(0)).is_none() && learner.cost(FunctionId(100)).is_some());
    }

    proptest! {
        #[test]
        fn no_measurement_whatever_gives_a_cost_that_is_none(
            told in proptest::collection::vec(
                (proptest::num::f64::ANY, proptest::num::f64::ANY, proptest::num::f64::ANY, 0_u64..4), 1..60)
        ) {
            let mut learner = Learner::new(10.0);
            for (usage, rate, prior, id) in told {
                learner.learn(usage, &[(FunctionId(id), rate, prior), (FunctionId(9), 3.0, 1.0)]);
                let costs = (0..10).filter_map(|id| learner.cost(FunctionId(id)));
                prop_assert!(costs.chain([learner.base()]).all(|cost| !cost.is_nan() && cost >= 0.0));
                prop_assert!(learner.covariance.iter().all(|cell| cell.is_finite()), "{learner:?}");
            }
        }
    }
}
