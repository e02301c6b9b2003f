//! Removes what a lab made: its processes, its namespaces with all interfaces, pinned kernel objects, its folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::ip::ip;
use crate::names::{LabName, PIN};

/// Where `ip netns` keeps namespaces.
const NAMESPACES: &str = "/run/netns";

/// Where the agents of a lab pin their programs and maps.
pub(crate) const BPFFS: &str = "/sys/fs/bpf";

/// Where agents keep their locks; those that were killed leave them.
const LOCKS: &str = "/run/dfaas";

/// How the lock of a pin on bpffs begins.
const LOCK: &str = "pin-sys-fs-bpf-";

/// How long processes may take to end by themselves.
const GRACE: Duration = Duration::from_secs(3);

/// The folder of a lab, for configuration, sockets and logs.
pub(crate) fn folder(lab: LabName) -> PathBuf {
    std::env::temp_dir().join(lab.to_string())
}

/// Removes everything of this lab; goes on after a failure and returns what could not be removed.
pub(crate) fn remove(lab: LabName) -> Vec<String> {
    let mut problems = Vec::new();
    let mut note = |result: Result<()>| {
        if let Err(error) = result {
            problems.push(format!("{error:#}"));
        }
    };
    let namespaces = entries(Path::new(NAMESPACES), &lab.prefix());
    end_processes(&namespaces);
    for namespace in &namespaces {
        note(ip(&format!("netns del {namespace}")).map(drop));
    }
    for pin in entries(Path::new(BPFFS), &lab.pin_prefix()) {
        note(remove_folder(&Path::new(BPFFS).join(pin)));
    }
    for lock in entries(Path::new(LOCKS), &format!("{LOCK}{}", lab.pin_prefix())) {
        let path = Path::new(LOCKS).join(lock);
        note(fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display())));
    }
    note(remove_folder(&folder(lab)));
    problems
}

/// Every lab that left something behind on this machine.
pub(crate) fn all_labs() -> Vec<LabName> {
    let mut labs: Vec<_> = entries(Path::new(NAMESPACES), "dfl")
        .iter()
        .chain(&entries(&std::env::temp_dir(), "dfl"))
        .filter_map(|name| LabName::of(name))
        .collect();
    labs.extend(
        entries(Path::new(BPFFS), PIN)
            .iter()
            .filter_map(|name| name.strip_prefix(PIN))
            .filter_map(LabName::of),
    );
    labs.extend(
        entries(Path::new(LOCKS), LOCK)
            .iter()
            .filter_map(|name| name.strip_prefix(LOCK)?.strip_prefix(PIN))
            .filter_map(LabName::of),
    );
    labs.sort_unstable();
    labs.dedup();
    labs
}

/// Names in a folder that start with `prefix`; none if there is no such folder.
fn entries(folder: &Path, prefix: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(prefix))
        .collect()
}

fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Asks all processes inside these namespaces to end, and kills those that do not.
fn end_processes(namespaces: &[String]) {
    let signal_all = |signal| {
        let pids = pids(namespaces);
        for &pid in &pids {
            // It may have ended meanwhile: nothing to do then.
            let _ = kill(pid, signal);
        }
        pids.len()
    };
    if signal_all(Signal::SIGTERM) == 0 {
        return;
    }
    let deadline = Instant::now() + GRACE;
    while Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
        if pids(namespaces).is_empty() {
            return;
        }
    }
    let deadline = Instant::now() + GRACE;
    while signal_all(Signal::SIGKILL) > 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn pids(namespaces: &[String]) -> Vec<Pid> {
    let own = Pid::this();
    namespaces
        .iter()
        .filter_map(|namespace| ip(&format!("netns pids {namespace}")).ok())
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .map(Pid::from_raw)
        .filter(|&pid| pid != own)
        .collect()
}
