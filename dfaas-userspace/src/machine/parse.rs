//! The texts of `/proc` and of cgroup files. Nothing here fails: what cannot be read is `None`.

use std::time::Duration;

/// Ticks a second in `/proc/stat` (`USER_HZ`), fixed on all architectures that the data plane runs on.
const TICKS: u64 = 100;

/// Limits from here on are none: cgroup v1 writes "no limit" as the largest number of whole pages.
const NO_LIMIT: u64 = 1 << 62;

/// What `/proc/stat` says of all processors together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    /// Processor time used: user, nice, system and interrupts (proc(5)). Time that a hypervisor took (steal) is not
    /// used here, and guests are counted as users already.
    pub busy: Duration,
    /// Processors that are online.
    pub processors: u32,
}

/// Reads `/proc/stat`.
pub(super) fn stat(text: &str) -> Option<Stat> {
    let all = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let numbers: Option<Vec<u64>> = all.split_ascii_whitespace().map(|word| word.parse().ok()).collect();
    let [user, nice, system, _idle, _iowait, irq, softirq, ..] = numbers?[..] else { return None };
    let ticks = [user, nice, system, irq, softirq].into_iter().try_fold(0, u64::checked_add)?;
    let numbered = |line: &&str| {
        line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let processors = u32::try_from(text.lines().filter(numbered).count()).ok()?;
    let busy = Duration::from_secs(ticks / TICKS) + Duration::from_millis(ticks % TICKS * (1000 / TICKS));
    Some(Stat { busy, processors })
}

/// Free and all memory in bytes, by `/proc/meminfo`. Free is `MemAvailable`: what can be had without swapping.
pub(super) fn meminfo(text: &str) -> Option<(u64, u64)> {
    let bytes = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
        let number = line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?;
        number.checked_mul(1024)
    };
    let (free, total) = (bytes("MemAvailable")?, bytes("MemTotal")?);
    (total > 0).then_some((free.min(total), total))
}

/// How many processors a list names, like `0-3,8`.
pub(super) fn list(text: &str) -> Option<u32> {
    let count = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.trim().parse::<u32>().ok()?, last.trim().parse::<u32>().ok()?);
        last.checked_sub(first)?.checked_add(1)
    };
    text.trim().split(',').try_fold(0_u32, |sum, part| sum.checked_add(count(part)?)).filter(|sum| *sum > 0)
}

/// The quota of `cpu.max` (`MICROSECONDS PERIOD`) in processors; `None`: there is none.
pub(super) fn cpu_max(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    quotient(quota, period)
}

/// A quota in processors from `cpu.cfs_quota_us` and `cpu.cfs_period_us`; `None`: there is none.
pub(super) fn quotient(quota: &str, period: &str) -> Option<f64> {
    let number = |text: &str| text.trim().parse::<u64>().ok().filter(|number| *number > 0);
    Some(number(quota)? as f64 / number(period)? as f64)
}

/// A file of one number; `None` for `max` and other ways to say that there is no limit.
pub(super) fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|number| *number < NO_LIMIT)
}

/// The number behind a key, one a line, as in `cpu.stat` and `memory.stat`.
pub(super) fn keyed(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')).and_then(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STAT: &str = "cpu  100 20 30 4000 50 6 7 800 9 9\ncpu0 50 10 15 2000 25 3 4 400 0 0\n\
        cpu1 50 10 15 2000 25 3 3 400 0 0\nintr 1 2\nctxt 5\n";

    #[test]
    fn used_time_is_that_of_users_the_system_and_interrupts() {
        assert_eq!(stat(STAT), Some(Stat { busy: Duration::from_millis(1_630), processors: 2 }));
        for odd in ["", "cpu", "cpu  1 2 3", "cpu  a b c d e f g", "cpu  18446744073709551615 1 0 0 0 0 0"] {
            assert_eq!(stat(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn free_memory_is_what_can_be_had() {
        let text = "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\n";
        assert_eq!(meminfo(text), Some((409_600, 1_024_000)));
        for odd in
            ["", "MemTotal: 5 kB", "MemTotal: 5\nMemAvailable: 4", "MemTotal: 0 kB\nMemAvailable: 0 kB"]
        {
            assert_eq!(meminfo(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn lists_quotas_and_limits_are_read_as_the_kernel_writes_them() {
        assert_eq!([list("0-3,8\n"), list("5"), list("0-1,4-5,7")], [Some(5), Some(1), Some(5)]);
        assert_eq!([list(""), list("3-1"), list("a"), list("0-4294967295")], [None; 4]);
        assert_eq!(cpu_max("150000 100000\n"), Some(1.5));
        assert_eq!([cpu_max("max 100000\n"), cpu_max("1"), cpu_max("0 0")], [None; 3]);
        assert_eq!(quotient("50000\n", "100000\n"), Some(0.5));
        assert_eq!(quotient("-1\n", "100000\n"), None);
        assert_eq!(number("1073741824\n"), Some(1 << 30));
        assert_eq!([number("max\n"), number("9223372036854771712\n")], [None; 2]);
        let stat = "usage_usec 1234\nuser_usec 1000\nsystem_usec 234\n";
        assert_eq!((keyed(stat, "usage_usec"), keyed(stat, "usage")), (Some(1234), None));
    }

    proptest! {
        #[test]
        fn no_text_makes_any_of_them_stumble(text in "(?s).{0,120}", likely in "(cpu|Mem|[0-9 ,kB:\n-]){0,60}") {
            for text in [&text, &likely] {
                stat(text);
                meminfo(text);
                list(text);
                cpu_max(text);
                quotient(text, text);
                number(text);
                keyed(text, "cpu");
            }
        }

        #[test]
        fn a_list_counts_each_processor_of_disjoint_ranges(ranges in proptest::collection::vec((1_u32..9, 0_u32..9), 1..8)) {
            let (mut at, mut count, mut parts) = (0, 0, Vec::new());
            for (gap, more) in ranges {
                at += gap;
                parts.push(if more == 0 { at.to_string() } else { format!("{at}-{}", at + more) });
                (at, count) = (at + more + 1, count + more + 1);
            }
            prop_assert_eq!(list(&parts.join(",")), Some(count));
        }
    }
}
