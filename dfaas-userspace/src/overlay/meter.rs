use std::time::{Duration, Instant};

use super::bucket::Bucket;

/// Frames a second from one peer, and how many at once.
const FRAMES: (f64, f64) = (20.0, 40.0);
/// A frame counts once for every so many bytes, at least once.
const FRAME_BYTES: f64 = 4096.0;
/// Streams and connections a second that one peer may open, and how many at once.
const OPENS: (f64, f64) = (1.0, 20.0);
/// Least time between offences noted.
const NOTED: Duration = Duration::from_secs(1);

/// How much one peer sends, over all its streams and connections. Time is an argument.
#[derive(Debug)]
pub(super) struct Meter {
    frames: Bucket,
    opens: Bucket,
    noted: Option<Instant>,
}

/// Too much at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMuch {
    /// How long to wait.
    pub wait: Duration,
    /// Whether it is to be noted as an offence: once a second at most.
    pub offence: bool,
}

impl Meter {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            frames: Bucket::new(FRAMES.0, FRAMES.1, now),
            opens: Bucket::new(OPENS.0, OPENS.1, now),
            noted: None,
        }
    }

    /// A frame of so many bytes.
    pub(super) fn frame(&mut self, bytes: usize, now: Instant) -> Result<(), TooMuch> {
        let cost = (bytes as f64 / FRAME_BYTES).max(1.0);
        let taken = self.frames.take(cost, now);
        taken.map_err(|wait| self.note(wait, now))
    }

    /// A stream or connection that the peer opens.
    pub(super) fn open(&mut self, now: Instant) -> Result<(), TooMuch> {
        let taken = self.opens.take(1.0, now);
        taken.map_err(|wait| self.note(wait, now))
    }

    /// Whether a new meter would be the same.
    pub(super) fn is_idle(&mut self, now: Instant) -> bool {
        self.frames.is_full(now) && self.opens.is_full(now)
    }

    fn note(&mut self, wait: Duration, now: Instant) -> TooMuch {
        let offence = self.noted.is_none_or(|noted| now.saturating_duration_since(noted) >= NOTED);
        if offence {
            self.noted = Some(now);
        }
        TooMuch { wait, offence }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_noted_once_a_second_and_held_to_the_rate() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        let (mut passed, mut offences) = (0, 0);
        for ms in 0..10_000 {
            match meter.frame(50, start + Duration::from_millis(ms)) {
                Ok(()) => passed += 1,
                Err(too_much) => offences += u32::from(too_much.offence),
            }
        }
        assert!((239..=241).contains(&passed), "{passed} of 10,000: the burst and ten seconds");
        assert!((8..=10).contains(&offences), "{offences}");
        assert!(!meter.is_idle(start + Duration::from_secs(10)));
        assert!(meter.is_idle(start + Duration::from_secs(12)));
    }

    #[test]
    fn long_frames_count_by_their_length() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        let passed = (0..100).filter(|_| meter.frame(64 * 1024, start).is_ok()).count();
        assert_eq!(passed, 2);
    }

    #[test]
    fn streams_are_counted_apart_from_frames() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        assert_eq!((0..100).filter(|_| meter.open(start).is_ok()).count(), 20);
        assert_eq!(meter.frame(1, start), Ok(()));
    }
}
