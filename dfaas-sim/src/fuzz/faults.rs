use std::time::Duration;

use super::numbers::Numbers;
use crate::scenario::{Failure, What};

/// Most faults of a scenario.
const MOST: usize = 4;

/// What goes wrong in a scenario of so many nodes. Most faults end; all begin before the users' last request.
pub(super) fn faults(numbers: &mut Numbers, count: usize, duration: Duration) -> Vec<Failure> {
    (0..numbers.between(0, MOST)).map(|_| fault(numbers, count, duration)).collect()
}

fn fault(numbers: &mut Numbers, count: usize, duration: Duration) -> Failure {
    const KINDS: [What; 7] =
        [What::Kill, What::Join, What::Partition, What::BlackHole, What::Liar, What::Slow, What::Drain];
    let what = KINDS[numbers.between(0, KINDS.len() - 1)];
    let last = duration.as_secs_f64();
    let at = numbers.moment(0.0, last - 1.0);
    let ends = what != What::Join && numbers.chance(0.6);
    let until = ends.then(|| at + numbers.moment(0.1, last - at.as_secs_f64()));
    let number = numbers.between(1, count.div_ceil(2));
    let factor = match what {
        What::Slow => Some(numbers.magnitude(1.5, 20.0)),
        What::Liar => Some(numbers.magnitude(1.0, 100.0)),
        _ => None,
    };
    Failure { at, until, what, nodes: numbers.some(count, number), factor }
}
