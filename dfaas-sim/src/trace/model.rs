use std::collections::{BTreeMap, BTreeSet};

use super::TraceError;
use super::error::{amount, finite, positive};

/// The most intervals a trace may have.
pub const MAX_INTERVALS: usize = 1 << 24;
/// The most counts a trace may have, over all its series: a gibibyte of them.
pub const MAX_CELLS: usize = 1 << 27;

/// What a series of counts is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesKey {
    /// The node where the requests arrive; none before functions are assigned to nodes.
    pub node: Option<String>,
    /// The function that they are for.
    pub function: String,
}

impl SeriesKey {
    /// Requests for `function` at `node`; at none if that is empty.
    pub fn at(node: &str, function: &str) -> Self {
        Self { node: Some(node.to_owned()).filter(|node| !node.is_empty()), function: function.to_owned() }
    }

    /// Requests for `function` that no node has yet.
    pub fn anywhere(function: &str) -> Self {
        Self { node: None, function: function.to_owned() }
    }
}

/// Requests that arrive in successive intervals of the same length, for each node and function.
///
/// Counts are finite and not negative. They need not be whole: a rescaled trace holds expected numbers, of which
/// [`counts`](crate::shape::counts) or the simulator draws whole ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    start: f64,
    interval: f64,
    intervals: usize,
    series: BTreeMap<SeriesKey, Vec<f64>>,
}

impl Trace {
    /// A trace without any series: `intervals` intervals of `interval` seconds, the first from `start` seconds on.
    ///
    /// # Errors
    /// [`TraceError`] if a time is not finite, the interval not more than zero, or the trace longer than
    /// [`MAX_INTERVALS`].
    pub fn new(start: f64, interval: f64, intervals: usize) -> Result<Self, TraceError> {
        finite("start", start)?;
        positive("interval", interval)?;
        fits(intervals, 0)?;
        finite("end", start + interval * intervals as f64)?;
        // A clock so far from zero that it cannot tell intervals apart.
        positive("interval on a clock of this start", (start + interval) - start)?;
        Ok(Self { start, interval, intervals, series: BTreeMap::new() })
    }

    /// Adds counts to a series, which is made if there is none.
    ///
    /// # Errors
    /// [`TraceError`] if there is not one count for each interval, a count is negative or not finite, or the trace
    /// becomes larger than [`MAX_CELLS`].
    pub fn add(&mut self, key: SeriesKey, counts: &[f64]) -> Result<(), TraceError> {
        if counts.len() != self.intervals {
            return Err(TraceError::Length { found: counts.len(), intervals: self.intervals });
        }
        counts.iter().try_for_each(|count| amount("count", *count))?;
        if let Some(sums) = self.series.get_mut(&key) {
            let added: Vec<f64> = sums.iter().zip(counts).map(|(sum, count)| sum + count).collect();
            added.iter().try_for_each(|count| amount("count", *count))?;
            *sums = added;
        } else {
            fits(self.intervals, self.series.len() + 1)?;
            self.series.insert(key, counts.to_vec());
        }
        Ok(())
    }

    /// The same series with other keys, times or counts, all of the new length.
    ///
    /// # Errors
    /// As those of [`new`](Self::new) and [`add`](Self::add).
    pub(super) fn with_series(
        start: f64,
        interval: f64,
        intervals: usize,
        series: impl IntoIterator<Item = (SeriesKey, Vec<f64>)>,
    ) -> Result<Self, TraceError> {
        let mut trace = Self::new(start, interval, intervals)?;
        series.into_iter().try_for_each(|(key, counts)| trace.add(key, &counts))?;
        Ok(trace)
    }

    /// The same times with other counts.
    pub(super) fn map(&self, mut counts: impl FnMut(&[f64]) -> Vec<f64>) -> Result<Self, TraceError> {
        let series = self.series.iter().map(|(key, old)| (key.clone(), counts(old)));
        Self::with_series(self.start, self.interval, self.intervals, series)
    }

    /// When the first interval begins, in seconds on the clock of the trace.
    pub fn start(&self) -> f64 {
        self.start
    }

    /// How long an interval is, in seconds.
    pub fn interval(&self) -> f64 {
        self.interval
    }

    /// How many intervals there are.
    pub fn intervals(&self) -> usize {
        self.intervals
    }

    /// How long the trace is, in seconds.
    pub fn duration(&self) -> f64 {
        self.interval * self.intervals as f64
    }

    /// The counts by node and function, in order.
    pub fn series(&self) -> impl ExactSizeIterator<Item = (&SeriesKey, &[f64])> {
        self.series.iter().map(|(key, counts)| (key, counts.as_slice()))
    }

    /// The counts of one node and function.
    pub fn counts(&self, key: &SeriesKey) -> Option<&[f64]> {
        self.series.get(key).map(Vec::as_slice)
    }

    /// The names of the nodes, in order.
    pub fn nodes(&self) -> BTreeSet<&str> {
        self.series.keys().filter_map(|key| key.node.as_deref()).collect()
    }

    /// The names of the functions, in order.
    pub fn functions(&self) -> BTreeSet<&str> {
        self.series.keys().map(|key| key.function.as_str()).collect()
    }

    /// The counts of all series together.
    pub fn total(&self) -> Vec<f64> {
        let mut total = vec![0.0; self.intervals];
        for counts in self.series.values() {
            total.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        total
    }
}

/// Whether a trace of this size fits.
pub(super) fn fits(intervals: usize, series: usize) -> Result<(), TraceError> {
    let cells = intervals.saturating_mul(series);
    if intervals > MAX_INTERVALS || cells > MAX_CELLS {
        return Err(TraceError::TooLarge { intervals: intervals as f64, series });
    }
    Ok(())
}
