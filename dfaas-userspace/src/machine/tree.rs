use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::parse;
use super::pattern::matches;

/// Folders that are looked at for one function, at most.
const MOST: usize = 64;

/// The two hierarchies of cgroups that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// The cgroups that are seen from here. The root is the whole machine, or the container that is the node.
#[derive(Debug)]
pub(super) struct Tree {
    root: PathBuf,
    version: Version,
}

/// A file's text; nothing if it cannot be read.
pub(super) fn text(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

impl Tree {
    /// The hierarchy that is mounted at `root`, which is `/sys/fs/cgroup`.
    pub(super) fn new(root: &Path) -> Self {
        let version = if root.join("cgroup.controllers").exists() { Version::Two } else { Version::One };
        Self { root: root.to_owned(), version }
    }

    fn file(&self, controller: &str, name: &str) -> Option<String> {
        text(&match self.version {
            Version::One => self.root.join(controller).join(name),
            Version::Two => self.root.join(name),
        })
    }

    /// Processors that may be used: as many as the set names, as far as there is one.
    pub(super) fn cpuset(&self) -> Option<u32> {
        let file = match self.version {
            Version::One => self.file("cpuset", "cpuset.effective_cpus")?,
            Version::Two => self.file("cpuset", "cpuset.cpus.effective")?,
        };
        parse::list(&file)
    }

    /// Processors that may be used on average; `None`: there is no quota.
    pub(super) fn quota(&self) -> Option<f64> {
        match self.version {
            Version::One => {
                let file = |name| self.file("cpu", name);
                parse::quotient(&file("cpu.cfs_quota_us")?, &file("cpu.cfs_period_us")?)
            }
            Version::Two => parse::cpu_max(&self.file("cpu", "cpu.max")?),
        }
    }

    /// The limit of memory and what of it can be had, in bytes; `None`: there is no limit.
    pub(super) fn memory(&self) -> Option<(u64, u64)> {
        let (limit, used, inactive) = match self.version {
            Version::One => ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
            Version::Two => ("memory.max", "memory.current", "inactive_file"),
        };
        let file = |name| self.file("memory", name);
        let limit = parse::number(&file(limit)?)?;
        let used = parse::number(&file(used)?)?;
        // Files that nobody has read for long are given up first.
        let inactive = file("memory.stat").and_then(|stat| parse::keyed(&stat, inactive)).unwrap_or(0);
        Some((limit, limit.saturating_sub(used.saturating_sub(inactive))))
    }

    /// Processor time used by all that is seen from here.
    pub(super) fn used(&self) -> Option<Duration> {
        self.used_in(&self.base())
    }

    /// Processor time used in all cgroups that these folders lead to; `None` if there is none.
    pub(super) fn used_by(&self, folders: &[String]) -> Option<Duration> {
        let places = led_to(self.base(), folders);
        let used = places.iter().filter_map(|place| self.used_in(place));
        used.reduce(|sum, more| sum.saturating_add(more))
    }

    /// Memory used in all cgroups that these folders lead to, in bytes; `None` if there is none.
    pub(super) fn memory_of(&self, folders: &[String]) -> Option<u64> {
        let (base, file) = match self.version {
            Version::One => (self.root.join("memory"), "memory.usage_in_bytes"),
            Version::Two => (self.root.clone(), "memory.current"),
        };
        let places = led_to(base, folders);
        let used = places.iter().filter_map(|place| parse::number(&text(&place.join(file))?));
        used.reduce(|sum, more| sum.saturating_add(more))
    }

    fn base(&self) -> PathBuf {
        match self.version {
            Version::One => self.root.join("cpuacct"),
            Version::Two => self.root.clone(),
        }
    }

    fn used_in(&self, place: &Path) -> Option<Duration> {
        match self.version {
            Version::One => parse::number(&text(&place.join("cpuacct.usage"))?).map(Duration::from_nanos),
            Version::Two => {
                parse::keyed(&text(&place.join("cpu.stat"))?, "usage_usec").map(Duration::from_micros)
            }
        }
    }
}

/// The places that these folders lead to from `base`.
fn led_to(base: PathBuf, folders: &[String]) -> Vec<PathBuf> {
    let mut places = vec![base];
    for folder in folders {
        places = places.iter().flat_map(|place| below(place, folder)).take(MOST).collect();
    }
    places
}

/// The folders of `place` that `wanted` means.
fn below(place: &Path, wanted: &str) -> Vec<PathBuf> {
    if !wanted.contains('*') {
        return vec![place.join(wanted)];
    }
    let entries = fs::read_dir(place).into_iter().flatten().filter_map(Result::ok);
    let named = entries.filter(|entry| entry.file_name().to_str().is_some_and(|name| matches(wanted, name)));
    named.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}
