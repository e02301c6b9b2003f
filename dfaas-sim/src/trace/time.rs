use super::error::{finite, positive};
use super::model::fits;
use super::{MAX_INTERVALS, SeriesKey, Trace, TraceError};

/// How far the grids of two traces may be apart, in intervals.
const TOLERANCE: f64 = 1e-6;

impl Trace {
    /// The same requests in `factor` times the time: rates go down as the time goes up.
    ///
    /// # Errors
    /// [`TraceError::Parameter`] if the factor is not finite and more than zero.
    pub fn rescale_time(&self, factor: f64) -> Result<Self, TraceError> {
        positive("factor of the time", factor)?;
        self.moved(self.start() * factor, self.interval() * factor)
    }

    /// The same requests `seconds` later; earlier if negative.
    ///
    /// # Errors
    /// [`TraceError::Parameter`] if the time is not finite.
    pub fn shift(&self, seconds: f64) -> Result<Self, TraceError> {
        finite("time to shift by", seconds)?;
        self.moved(self.start() + seconds, self.interval())
    }

    fn moved(&self, start: f64, interval: f64) -> Result<Self, TraceError> {
        let series = self.series().map(|(key, counts)| (key.clone(), counts.to_vec()));
        Self::with_series(start, interval, self.intervals(), series)
    }

    /// Every series `intervals` later, and what leaves at the end comes in at the beginning; earlier if negative. Days
    /// of other time zones are made like this. Only the series of `node` if one is given.
    ///
    /// # Errors
    /// None that the trace itself does not have.
    pub fn rotate(&self, intervals: i64, node: Option<&str>) -> Result<Self, TraceError> {
        let by = intervals.rem_euclid(self.intervals().max(1) as i64) as usize;
        let series = self.series().map(|(key, counts)| {
            let mut counts = counts.to_vec();
            if node.is_none() || node == key.node.as_deref() {
                counts.rotate_right(by.min(self.intervals()));
            }
            (key.clone(), counts)
        });
        Self::with_series(self.start(), self.interval(), self.intervals(), series)
    }

    /// Only the intervals that begin at or after `from` and before `to` seconds.
    ///
    /// # Errors
    /// [`TraceError::Empty`] if there are none.
    pub fn slice(&self, from: f64, to: f64) -> Result<Self, TraceError> {
        let begins = |at: usize| self.start() + at as f64 * self.interval();
        let inside = |at: &usize| begins(*at) >= from && begins(*at) < to;
        let mut places = (0..self.intervals()).filter(inside);
        let first = places.next().ok_or(TraceError::Empty("interval of the trace begins in this time"))?;
        let last = places.next_back().unwrap_or(first);
        let series = self.series().map(|(key, counts)| (key.clone(), counts[first..=last].to_vec()));
        Self::with_series(begins(first), self.interval(), last - first + 1, series)
    }

    /// The same requests counted in intervals of `interval` seconds. Within an old interval they are spread evenly, and
    /// the last new one may end after the old trace did.
    ///
    /// # Errors
    /// [`TraceError`] if the interval is not finite and more than zero, or so short that the trace does not fit.
    pub fn resample(&self, interval: f64) -> Result<Self, TraceError> {
        positive("interval", interval)?;
        // A little less, so that rounding does not add an empty interval.
        let intervals = (self.duration() / interval - TOLERANCE).ceil().max(0.0);
        if intervals > MAX_INTERVALS as f64 {
            return Err(TraceError::TooLarge { intervals, series: self.series().len() });
        }
        let intervals = intervals as usize;
        fits(intervals, self.series().len())?;
        let ratio = self.interval() / interval;
        let series = self
            .series()
            .map(|(key, counts)| (key.clone(), spread(counts, ratio, intervals)))
            .collect::<Vec<(SeriesKey, Vec<f64>)>>();
        Self::with_series(self.start(), interval, intervals, series)
    }

    /// The requests of both: series of the same node and function are added up.
    ///
    /// # Errors
    /// [`TraceError::Grids`] if the intervals of the two do not coincide; [`TraceError::TooLarge`] if they are too far
    /// apart.
    pub fn merge(&self, other: &Self) -> Result<Self, TraceError> {
        let interval = self.interval();
        let apart = (other.start() - self.start()) / interval;
        let same = (other.interval() - interval).abs() <= TOLERANCE * interval;
        // A difference of the lengths adds up over the trace.
        let drift = other.intervals() as f64 * (other.interval() - interval).abs() / interval;
        if !same || (apart - apart.round()).abs() > TOLERANCE || drift > TOLERANCE * 1e3 {
            return Err(TraceError::Grids {
                ours: interval,
                our_start: self.start(),
                theirs: other.interval(),
                their_start: other.start(),
            });
        }
        let apart = apart.round();
        let begin = apart.min(0.0);
        let end = (self.intervals() as f64).max(apart + other.intervals() as f64);
        if end - begin > MAX_INTERVALS as f64 {
            let series = self.series().len() + other.series().len();
            return Err(TraceError::TooLarge { intervals: end - begin, series });
        }
        let intervals = (end - begin) as usize;
        let start = if apart < 0.0 { other.start() } else { self.start() };
        let mut merged = Self::new(start, interval, intervals)?;
        for (trace, offset) in [(self, -begin), (other, apart - begin)] {
            let offset = offset as usize;
            for (key, counts) in trace.series() {
                let mut padded = vec![0.0; intervals];
                padded[offset..offset + counts.len()].copy_from_slice(counts);
                merged.add(key.clone(), &padded)?;
            }
        }
        Ok(merged)
    }
}

/// Counts of `intervals` new intervals, of which an old one is `ratio` long.
fn spread(counts: &[f64], ratio: f64, intervals: usize) -> Vec<f64> {
    let mut new = vec![0.0; intervals];
    for (at, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
        let (from, to) = (at as f64 * ratio, (at + 1) as f64 * ratio);
        let last = intervals.saturating_sub(1);
        let first = (from.floor() as usize).min(last);
        let mut given = 0.0;
        for (place, sum) in new.iter_mut().enumerate().take(last + 1).skip(first) {
            let rest = count - given;
            if (place + 1) as f64 >= to || place == last {
                *sum += rest.max(0.0);
                break;
            }
            let part = count * ((place + 1) as f64 - from.max(place as f64)) / ratio;
            *sum += part;
            given += part;
        }
    }
    new
}
