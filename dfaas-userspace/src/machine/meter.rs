use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Reading;
use super::parse::{self, Stat};
use super::pattern::Pattern;
use super::tree::{Tree, text};

/// A function to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionName {
    /// Its canonical name, under which it is told.
    pub canonical: String,
    /// Its name at its gateway.
    pub name: String,
    /// Its namespace there.
    pub namespace: String,
}

/// Looks at the machine. What is missing or strange is not measured, and that is said once in the log.
#[derive(Debug)]
pub struct Machine {
    proc: PathBuf,
    cgroups: PathBuf,
    pattern: Option<Pattern>,
    said: BTreeSet<&'static str>,
}

impl Machine {
    /// This machine; functions' cgroups are where `pattern` says, nowhere without one.
    pub fn new(pattern: Option<Pattern>) -> Self {
        Self::at(Path::new("/proc"), Path::new("/sys/fs/cgroup"), pattern)
    }

    /// A machine whose files are in these folders.
    pub fn at(proc: &Path, cgroups: &Path, pattern: Option<Pattern>) -> Self {
        Self { proc: proc.to_owned(), cgroups: cgroups.to_owned(), pattern, said: BTreeSet::new() }
    }

    /// Looks now. Reads some files: a few microseconds each.
    pub fn read(&mut self, functions: &[FunctionName]) -> Reading {
        // Anew each time, as the hierarchy may be mounted late.
        let tree = Tree::new(&self.cgroups);
        let stat = text(&self.proc.join("stat")).and_then(|text| parse::stat(&text));
        self.note(stat.is_some(), "processors in use are not measured: /proc/stat cannot be read");
        let memory = text(&self.proc.join("meminfo")).and_then(|text| parse::meminfo(&text));
        self.note(memory.is_some(), "memory is not measured: /proc/meminfo cannot be read");
        let (cores, busy) = processors(stat, &tree);
        let (memory_free, memory_total) = within(memory, tree.memory()).unzip();
        let mut reading = Reading { cores, busy, memory_free, memory_total, ..Reading::default() };
        let Some(pattern) = &self.pattern else { return reading };
        for function in functions {
            let folders = pattern.folders(&function.name, &function.namespace);
            if let Some(used) = folders.and_then(|folders| tree.used_by(&folders)) {
                reading.functions.insert(function.canonical.clone(), used);
            }
        }
        let found = functions.is_empty() || !reading.functions.is_empty();
        self.note(
            found,
            "the functions' processor time is not measured: gateway.cgroup leads to none of their cgroups",
        );
        reading
    }

    /// Memory that the cgroups of a function use, in bytes; `None` if there is none to be seen.
    pub fn memory_of(&self, function: &FunctionName) -> Option<u64> {
        let folders = self.pattern.as_ref()?.folders(&function.name, &function.namespace)?;
        Tree::new(&self.cgroups).memory_of(&folders)
    }

    fn note(&mut self, well: bool, why: &'static str) {
        if !well && self.said.insert(why) {
            tracing::info!("{why}");
        }
    }
}

/// How many processors there are, and how long they were used. Those of a node with limits of its own are counted by
/// its cgroup: `/proc/stat` tells of the whole machine then.
fn processors(stat: Option<Stat>, tree: &Tree) -> (Option<f64>, Option<std::time::Duration>) {
    let online = stat.map(|stat| stat.processors).filter(|processors| *processors > 0);
    let set = tree.cpuset().into_iter().chain(online).min();
    let quota = tree.quota();
    let cores = set.map(f64::from).into_iter().chain(quota).min_by(f64::total_cmp);
    let limited = quota.is_some() || set < online;
    let whole = || stat.map(|stat| stat.busy);
    (cores, if limited { tree.used().or_else(whole) } else { whole() })
}

/// Free and all memory, within the limit of the node if it has one.
fn within(machine: Option<(u64, u64)>, limit: Option<(u64, u64)>) -> Option<(u64, u64)> {
    let (free, total) = machine?;
    match limit {
        Some((limit, left)) if limit < total => Some((left.min(free), limit)),
        _ => Some((free, total)),
    }
}

#[cfg(test)]
#[path = "meter_tests.rs"]
mod tests;
