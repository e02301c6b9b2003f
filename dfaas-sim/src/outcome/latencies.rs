use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Bins of a factor of ten.
const PER_DECADE: u32 = 20;

/// Where the first bin ends (us).
const FIRST: f64 = 100.0;

/// How many requests took how long, in bins of equal ratio that are the same for all runs, so that runs add up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Latencies {
    /// Requests by bin.
    counts: Vec<u64>,
}

impl Latencies {
    /// Of a histogram of microseconds.
    pub(super) fn of(times: &Histogram<u64>) -> Self {
        Self::counted(times.iter_recorded().map(|value| (value.value_iterated_to(), value.count_at_value())))
    }

    /// Of times in microseconds.
    pub fn of_micros(times: impl IntoIterator<Item = u64>) -> Self {
        Self::counted(times.into_iter().map(|time| (time, 1)))
    }

    fn counted(times: impl Iterator<Item = (u64, u64)>) -> Self {
        let mut counts = Vec::new();
        for (micros, count) in times {
            let bin = bin(micros);
            if counts.len() <= bin {
                counts.resize(bin + 1, 0);
            }
            counts[bin] += count;
        }
        Self { counts }
    }

    /// Adds those of another run.
    pub fn add(&mut self, other: &Self) {
        self.counts.resize(self.counts.len().max(other.counts.len()), 0);
        self.counts.iter_mut().zip(&other.counts).for_each(|(sum, count)| *sum += count);
    }

    /// Times (ms), each with the part of the requests that took no longer. Empty if there were no requests.
    pub fn cumulative(&self) -> Vec<(f64, f64)> {
        let all: u64 = self.counts.iter().sum();
        let mut sum = 0;
        let mut points = Vec::new();
        for (bin, count) in self.counts.iter().enumerate() {
            sum += count;
            if sum > 0 {
                points.push((end(bin) / 1e3, sum as f64 / all as f64));
            }
        }
        points
    }
}

/// Where a bin ends (us).
fn end(bin: usize) -> f64 {
    FIRST * 10f64.powf(bin as f64 / f64::from(PER_DECADE))
}

fn bin(micros: u64) -> usize {
    let decades = (micros.max(1) as f64 / FIRST).log10();
    (decades * f64::from(PER_DECADE)).ceil().max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: &[u64]) -> Latencies {
        let mut histogram = Histogram::new_with_bounds(1, 600_000_000, 3).unwrap();
        times.iter().for_each(|time| histogram.record(*time).unwrap());
        Latencies::of(&histogram)
    }

    #[test]
    fn a_part_is_never_told_to_take_less_time_than_it_took() {
        let points = of(&[50, 1_000, 1_000, 20_000]).cumulative();
        let upto = |ms: f64| points.iter().rfind(|(time, _)| *time <= ms).map_or(0.0, |(_, part)| *part);
        assert_eq!(points[0], (0.1, 0.25));
        assert_eq!((upto(0.9), upto(1.2), upto(19.0), upto(23.0)), (0.25, 0.75, 0.75, 1.0));
    }

    #[test]
    fn single_times_count_as_those_of_a_histogram() {
        assert_eq!(Latencies::of_micros([20_000, 50, 1_000, 1_000]), of(&[50, 1_000, 1_000, 20_000]));
    }

    #[test]
    fn runs_add_up() {
        let mut sum = of(&[50]);
        sum.add(&of(&[1_000, 20_000]));
        assert_eq!(sum, of(&[50, 1_000, 20_000]));
        assert_eq!(Latencies::default().cumulative(), []);
    }
}
