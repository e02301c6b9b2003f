//! The time that processors have spent, from `/proc/stat`.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::others::Others;

/// Ticks a second in files of `/proc`, the same on all architectures that DFaaS runs on.
const TICKS: u64 = 100;

/// So many ticks.
pub(super) fn ticks(count: u64) -> Duration {
    Duration::from_millis(count.saturating_mul(1000 / TICKS))
}

/// Time of all processors together since the machine started, or between two readings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cpu {
    /// At work: programs, the kernel, interrupts and soft interrupts.
    pub busy: Duration,
    /// Wanted by this machine and given to another by the hypervisor.
    pub stolen: Duration,
    /// Of the time at work, what programs took that have no part in the benchmark.
    pub others: Duration,
    /// All of it, with idleness.
    pub total: Duration,
}

impl Cpu {
    /// Reads it now. Namespaces make no difference: it is the whole machine's.
    ///
    /// # Errors
    /// If `/proc/stat` cannot be read.
    pub fn now(others: &Others) -> Result<Self> {
        let text = std::fs::read_to_string("/proc/stat").context("cannot read /proc/stat")?;
        let cpu = Self::parse(&text).context("/proc/stat has no line `cpu` that is understood")?;
        Ok(Self { others: others.spent(), ..cpu })
    }

    /// What was spent after `before` was read.
    pub fn since(self, before: Self) -> Self {
        Self {
            busy: self.busy.saturating_sub(before.busy),
            stolen: self.stolen.saturating_sub(before.stolen),
            others: self.others.saturating_sub(before.others),
            total: self.total.saturating_sub(before.total),
        }
    }

    /// Time of the benchmark's programs, and of the kernel.
    pub fn own(self) -> Duration {
        self.busy.saturating_sub(self.others)
    }

    /// Part of all time in which the processors were at work, 0 to 1.
    pub fn busy_share(self) -> f64 {
        share(self.busy, self.total)
    }

    /// Part of all time that went to other machines, 0 to 1.
    pub fn stolen_share(self) -> f64 {
        share(self.stolen, self.total)
    }

    /// Part of all time that other programs took, 0 to 1.
    pub fn others_share(self) -> f64 {
        share(self.others, self.total)
    }

    fn parse(stat: &str) -> Option<Self> {
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let fields: Vec<u64> =
            line.split_whitespace().map(|word| word.parse().ok()).collect::<Option<_>>()?;
        // Time of guests is part of user time.
        let &[user, nice, system, idle, wait, irq, soft, stolen, ..] = fields.as_slice() else { return None };
        let busy = user + nice + system + irq + soft;
        let total = ticks(busy + stolen + idle + wait);
        Some(Self { busy: ticks(busy), stolen: ticks(stolen), others: Duration::ZERO, total })
    }
}

fn share(part: Duration, whole: Duration) -> f64 {
    if whole.is_zero() { 0.0 } else { part.as_secs_f64() / whole.as_secs_f64() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_work_counts_with_that_of_interrupts_and_without_waiting() {
        let before = Cpu::parse("cpu  100 1 50 1000 7 2 3 4 0 0\ncpu0 1 2 3\n").unwrap();
        let after = Cpu::parse("cpu  150 1 70 1100 17 4 11 14 9 9\nintr 5\n").unwrap();
        let spent = after.since(before);
        assert_eq!(spent.busy, Duration::from_millis(800), "50 user, 20 system, 2 and 8 of interrupts");
        assert_eq!((spent.stolen, spent.total), (Duration::from_millis(100), Duration::from_secs(2)));
        assert_eq!((spent.busy_share(), spent.stolen_share()), (0.4, 0.05));
        let shared = Cpu { others: Duration::from_millis(200), ..spent };
        assert_eq!((shared.own(), shared.others_share()), (Duration::from_millis(600), 0.1));
    }

    #[test]
    fn what_is_no_such_line_is_told() {
        for text in ["", "cpu0 1 2 3 4 5 6 7 8", "cpu  1 2 3", "cpu  1 2 3 4 5 6 7 x"] {
            assert_eq!(Cpu::parse(text), None, "{text}");
        }
        assert_eq!(Cpu::default().busy_share(), 0.0);
    }

    #[test]
    fn this_machine_tells_its_time() {
        let before = Cpu::now(&Others::new(&[])).unwrap();
        assert!(before.total > before.busy && before.busy > Duration::ZERO, "{before:?}");
    }
}
