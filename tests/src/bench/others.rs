//! What programs that have no part in the benchmark take of the processors' time.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use super::cpu::ticks;
/// The flag of a kernel thread in `/proc/PID/stat`.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// Programs that have no part in the benchmark: those in none of its network namespaces. This process always has.
#[derive(Debug, Clone)]
pub(super) struct Others {
    own: HashSet<u64>,
}

impl Others {
    /// Others than what runs in these namespaces, by their inodes.
    pub(super) fn new(own: &[u64]) -> Self {
        Self { own: own.iter().copied().collect() }
    }

    /// Time that they and their children have spent until now. Work of the kernel for no process in particular is not in
    /// it. A process that ends is in its parent's time from then on, so the sum only grows.
    pub(super) fn spent(&self) -> Duration {
        let Ok(entries) = fs::read_dir("/proc") else { return Duration::ZERO };
        let folders = entries.filter_map(|entry| {
            let entry = entry.ok()?;
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            (pid != std::process::id()).then(|| entry.path())
        });
        let others = folders.filter(|folder| {
            inode(&folder.join("ns/net")).is_none_or(|namespace| !self.own.contains(&namespace))
        });
        // Those that end meanwhile are found the next time, with their parents.
        others.filter_map(|folder| spent(&fs::read_to_string(folder.join("stat")).ok()?)).sum()
    }
}

/// The inode of a file; `None` if it is not there.
pub(super) fn inode(path: &Path) -> Option<u64> {
    fs::metadata(path).map(|metadata| metadata.ino()).ok()
}

/// User and system time of a process and of its children that have ended; none of a kernel thread.
fn spent(stat: &str) -> Option<Duration> {
    // A program's name may hold anything, but no parenthesis comes after it.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<_> = fields.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let flags = number(6)?;
    if flags & KERNEL_THREAD != 0 {
        return None;
    }
    Some(ticks(number(11)? + number(12)? + number(13)? + number(14)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_charged_with_its_children_whatever_its_name() {
        let stat = "7 (odd) name) S 1 7 7 0 -1 4194560 9 9 0 0 100 20 3 4 20 0 1 0 5 6 7";
        assert_eq!(spent(stat), Some(Duration::from_millis(1270)));
        assert_eq!(spent(&stat.replace("4194560", "2129984")), None, "a kernel thread");
        for text in ["", "7 (x) S 1", "7 x S 1 7 7 0 -1 4194560 9 9 0 0 100 20 3 4"] {
            assert_eq!(spent(text), None, "{text}");
        }
    }

    #[test]
    fn the_work_of_another_process_is_seen() {
        let others = Others::new(&[]);
        let before = others.spent();
        let mut other = std::process::Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let worked = || others.spent().saturating_sub(before) >= Duration::from_millis(50);
        crate::eventually("the other's work", Duration::from_secs(20), || worked().then_some(()));
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
