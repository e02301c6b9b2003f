/// What nodes keep free above the mean utilisation, so that small differences move nothing.
const ABOVE: f64 = 0.07;

/// Bounds of the level. Below, sharing would only cost; above, queues grow without end.
const BOUNDS: (f64, f64) = (0.55, 0.97);

/// A neighbour counts for no more than this many nodes like this one, and for no higher utilisation: what it says of
/// itself is not certain.
const HEAVIEST: f64 = 4.0;
const BUSIEST: f64 = 4.0;

/// A node's processors and what its own users ask of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Load {
    pub capacity: f64,
    pub demand: f64,
}

impl Load {
    /// The part of the capacity that its own users ask for.
    pub(super) fn utilisation(&self) -> f64 {
        if self.capacity > 0.0 { (self.demand / self.capacity).min(BUSIEST) } else { 0.0 }
    }
}

/// The part of its capacity up to which a node works: as water finds its level, a little above the mean utilisation of
/// this node and its neighbours.
pub(super) fn water_level(own: Load, neighbours: impl Iterator<Item = Load>) -> f64 {
    let most = own.capacity * HEAVIEST;
    let all = std::iter::once(own).chain(neighbours);
    let (used, whole) = all.fold((0.0, 0.0), |(used, whole), load| {
        let weight = load.capacity.min(most);
        (used + weight * load.utilisation(), whole + weight)
    });
    let mean = if whole > 0.0 { used / whole } else { 0.0 };
    (mean + ABOVE).clamp(BOUNDS.0, BOUNDS.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn load(capacity: f64, demand: f64) -> Load {
        Load { capacity, demand }
    }

    #[test]
    fn the_level_is_a_little_above_the_mean_utilisation() {
        let level = |own, others: &[Load]| water_level(own, others.iter().copied());
        assert!((level(load(2.0, 1.8), &[load(4.0, 2.4), load(2.0, 1.0)]) - 0.72).abs() < 1e-12);
        assert_eq!(level(load(2.0, 0.1), &[load(2.0, 0.1)]), 0.55);
        assert_eq!(level(load(2.0, 9.0), &[load(2.0, 0.0)]), 0.97);
        assert_eq!(level(load(0.0, 0.0), &[]), 0.55);
    }

    #[test]
    fn a_giant_that_claims_to_be_idle_does_not_drown_the_others() {
        let level = water_level(load(2.0, 2.0), [load(2.0, 2.0), load(1e6, 0.0)].into_iter());
        // It counts as four nodes: 4 of 12 processors are used.
        assert_eq!(level, 0.55);
        let level = water_level(load(2.0, 2.0), [load(2.0, 1.0), load(2.0, 1e6)].into_iter());
        assert_eq!(level, 0.97);
    }

    proptest! {
        #[test]
        fn the_level_is_within_its_bounds(
            own in (0.0_f64..1e5, 0.0_f64..1e9),
            others in proptest::collection::vec((0.0_f64..1e5, 0.0_f64..1e9), 0..20),
        ) {
            let level = water_level(load(own.0, own.1), others.iter().map(|(c, d)| load(*c, *d)));
            prop_assert!((BOUNDS.0..=BOUNDS.1).contains(&level));
        }
    }
}
