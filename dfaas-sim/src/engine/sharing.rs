use std::collections::BTreeSet;

use crate::federation::Nanos;

/// Processors that all requests share: as many as there are get one each, more get equal parts of all, as processes of
/// one priority do. Nobody waits, everybody is slower.
///
/// What one request has been given is the same for all that were there; a request ends when that has grown by its work.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    /// What each request that was there from the start on has been given (ns of a processor).
    given: f64,
    at: Nanos,
    /// When each ends, in terms of `given`, by bits that sort as the numbers do.
    ends: BTreeSet<(u64, u32)>,
    /// Tells ends that were foreseen from those that are so no more.
    pub epoch: u32,
}

impl Sharing {
    /// Requests there.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// What one request is given in a nanosecond.
    fn pace(&self, cores: u32, slow: f64) -> f64 {
        (f64::from(cores) / self.ends.len().max(1) as f64).min(1.0) / slow
    }

    /// Time has passed.
    pub(super) fn pass(&mut self, now: Nanos, cores: u32, slow: f64) {
        self.given += (now - self.at) as f64 * self.pace(cores, slow);
        self.at = now;
    }

    /// One comes that takes so much. Time has passed until now.
    pub(super) fn add(&mut self, request: u32, cpu: Nanos) {
        self.ends.insert(((self.given + cpu as f64).to_bits(), request));
    }

    /// When the next one ends, if nothing changes.
    pub(super) fn next(&mut self, cores: u32, slow: f64) -> Option<Nanos> {
        self.epoch = self.epoch.wrapping_add(1);
        let (end, _) = self.ends.first()?;
        let left = (f64::from_bits(*end) - self.given).max(0.0) / self.pace(cores, slow);
        Some(self.at.saturating_add(left.ceil() as Nanos))
    }

    /// The one that ends now. Time has passed until now.
    pub(super) fn take(&mut self) -> Option<u32> {
        self.ends.pop_first().map(|(_, request)| request)
    }

    /// All are gone.
    pub(super) fn clear(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        self.ends.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_on_one_processor_take_twice_as_long_each_and_one_alone_its_own_time() {
        let mut sharing = Sharing::default();
        sharing.add(1, 100);
        assert_eq!(sharing.next(1, 1.0), Some(100));
        sharing.pass(50, 1, 1.0);
        sharing.add(2, 100);
        // The first has 50 left, at half the pace.
        assert_eq!(sharing.next(1, 1.0), Some(150));
        sharing.pass(150, 1, 1.0);
        assert_eq!(sharing.take(), Some(1));
        // The second has 50 left, alone.
        assert_eq!(sharing.next(1, 1.0), Some(200));
    }

    #[test]
    fn as_many_as_there_are_processors_do_not_disturb_each_other_and_a_slow_node_is_slow() {
        let mut sharing = Sharing::default();
        (1..=4).for_each(|request| sharing.add(request, 80));
        assert_eq!(sharing.next(4, 1.0), Some(80));
        assert_eq!(sharing.next(4, 2.5), Some(200));
        assert_eq!(sharing.next(2, 1.0), Some(160));
        assert_eq!(sharing.len(), 4);
        sharing.clear();
        assert_eq!(sharing.next(2, 1.0), None);
    }
}
