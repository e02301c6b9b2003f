use crate::id::NodeId;

/// The whole: parts of a function's invocations are counted in 65,536ths.
pub const SHARE_ONE: u32 = 65_536;

/// Most targets that one plan can name.
pub const MAX_TARGETS: usize = 18;

/// Where an invocation can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The gateway of this node.
    Local,
    /// A peer's gateway.
    Peer(NodeId),
    /// Nowhere: it is answered 503.
    Reject,
}

/// How a function's invocations are divided. Always one to [`MAX_TARGETS`] different targets whose parts are
/// positive and sum to exactly [`SHARE_ONE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shares(Vec<(Target, u32)>);

/// Why weights cannot be turned into [`Shares`].
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum SharesError {
    /// No weight is positive.
    #[error("no target has a positive weight")]
    Nothing,
    /// A weight is negative, infinite or not a number.
    #[error("weight {0} is not a finite number of at least 0")]
    Weight(f64),
    /// A target is named twice.
    #[error("target {0:?} is named twice")]
    Twice(Target),
    /// More targets than a plan holds.
    #[error("{0} targets, at most {MAX_TARGETS} fit")]
    TooMany(usize),
}

impl Shares {
    /// Everything to one target.
    pub fn all(target: Target) -> Self {
        Self(vec![(target, SHARE_ONE)])
    }

    /// Divides the whole in proportion to `weights` by largest remainder: each part differs from its exact value by
    /// less than one 65,536th, and ties go to the target named first. Targets whose part is zero are left out.
    ///
    /// # Errors
    /// If a weight is negative or not finite, all are zero, a target appears twice, or more than [`MAX_TARGETS`]
    /// have a part.
    pub fn proportional(weights: &[(Target, f64)]) -> Result<Self, SharesError> {
        for (index, (target, weight)) in weights.iter().enumerate() {
            if !weight.is_finite() || *weight < 0.0 {
                return Err(SharesError::Weight(*weight));
            }
            if weights[..index].iter().any(|(other, _)| other == target) {
                return Err(SharesError::Twice(*target));
            }
        }
        let largest = weights.iter().map(|(_, weight)| *weight).fold(0.0, f64::max);
        if largest == 0.0 {
            return Err(SharesError::Nothing);
        }
        // Dividing by the largest first keeps the sum finite whatever the weights are.
        let scaled: Vec<f64> = weights.iter().map(|(_, weight)| weight / largest).collect();
        let sum: f64 = scaled.iter().sum();
        let exact: Vec<f64> = scaled.iter().map(|weight| weight / sum * f64::from(SHARE_ONE)).collect();
        let parts = largest_remainder(&exact);
        let shares: Vec<(Target, u32)> = weights
            .iter()
            .zip(parts)
            .filter(|(_, part)| *part > 0)
            .map(|((target, _), part)| (*target, part))
            .collect();
        if shares.len() > MAX_TARGETS {
            return Err(SharesError::TooMany(shares.len()));
        }
        Ok(Self(shares))
    }

    /// The targets with their parts, in the order given.
    pub fn parts(&self) -> &[(Target, u32)] {
        &self.0
    }

    /// The part of `target`; zero if it has none.
    pub fn part(&self, target: Target) -> u32 {
        self.0.iter().find(|(other, _)| *other == target).map_or(0, |(_, part)| *part)
    }

    /// The targets with running sums; the last is [`SHARE_ONE`].
    pub fn cumulative(&self) -> impl Iterator<Item = (Target, u32)> {
        self.0.iter().scan(0, |sum, (target, part)| {
            *sum += part;
            Some((*target, *sum))
        })
    }
}

/// Rounds values that sum to about [`SHARE_ONE`] so that they sum to it exactly.
fn largest_remainder(exact: &[f64]) -> Vec<u32> {
    // Rounded-down doubles in [0, 65536] are exact integers, and a cast saturates.
    let mut parts: Vec<u32> = exact.iter().map(|value| value.floor() as u32).collect();
    let mut order: Vec<usize> = (0..exact.len()).filter(|index| exact[*index] > 0.0).collect();
    order.sort_by(|a, b| exact[*b].fract().total_cmp(&exact[*a].fract()).then(a.cmp(b)));
    let given: u32 = parts.iter().sum();
    let missing = SHARE_ONE.saturating_sub(given) as usize;
    for index in order.iter().cycle().take(missing) {
        parts[*index] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(id: u64) -> Target {
        Target::Peer(NodeId(id))
    }

    #[test]
    fn thirds_differ_by_one_part_and_the_first_named_gets_it() {
        let shares = Shares::proportional(&[(Target::Local, 1.0), (peer(1), 1.0), (peer(2), 1.0)]).unwrap();
        assert_eq!(shares.parts(), [(Target::Local, 21_846), (peer(1), 21_845), (peer(2), 21_845)]);
        let ends: Vec<u32> = shares.cumulative().map(|(_, end)| end).collect();
        assert_eq!(ends, [21_846, 43_691, SHARE_ONE]);
    }

    #[test]
    fn a_target_without_a_part_is_left_out() {
        let shares = Shares::proportional(&[(Target::Local, 0.0), (peer(1), 3.0)]).unwrap();
        assert_eq!(shares, Shares::all(peer(1)));
        let tiny = Shares::proportional(&[(Target::Local, 1.0), (peer(1), 1e-9)]).unwrap();
        assert_eq!(tiny, Shares::all(Target::Local));
    }

    #[test]
    fn impossible_weights_are_refused_by_name() {
        assert_eq!(Shares::proportional(&[]), Err(SharesError::Nothing));
        assert_eq!(Shares::proportional(&[(Target::Local, 0.0)]), Err(SharesError::Nothing));
        assert_eq!(Shares::proportional(&[(Target::Local, -1.0)]), Err(SharesError::Weight(-1.0)));
        assert!(matches!(Shares::proportional(&[(Target::Local, f64::NAN)]), Err(SharesError::Weight(_))));
        let twice = [(Target::Local, 1.0), (Target::Local, 1.0)];
        assert_eq!(Shares::proportional(&twice), Err(SharesError::Twice(Target::Local)));
        let many: Vec<_> = (0..19).map(|id| (peer(id), 1.0)).collect();
        assert_eq!(Shares::proportional(&many), Err(SharesError::TooMany(19)));
    }
}
