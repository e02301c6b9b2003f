//! What a node takes of the machine's memory.

use std::fmt;
use std::fs;

use dfaas_tests::Node;

/// Memory in KiB.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Of the agent, now.
    pub agent: u64,
    /// Of all maps that the agent has open.
    pub maps: u64,
    /// Of the kernel, what it cannot give back; of the whole machine.
    pub kernel: u64,
    /// What the machine has left.
    pub available: u64,
}

/// The number behind a word at the beginning of a line.
fn number(text: &str, word: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(word)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The most memory that the agent of a node ever had, in words.
pub fn most(node: &Node) -> String {
    let pid = node.agent().expect("an agent").pid();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    format!("agent at most {:.1} MiB", number(&status, "VmHWM:") as f64 / 1024.0)
}

impl Memory {
    /// Of a node whose agent runs.
    pub fn of(node: &Node) -> Self {
        let pid = node.agent().expect("an agent").pid();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let machine = fs::read_to_string("/proc/meminfo").unwrap();
        let files = fs::read_dir(format!("/proc/{pid}/fdinfo")).unwrap();
        // Those that are closed meanwhile are no maps.
        let texts = files.filter_map(|file| fs::read_to_string(file.ok()?.path()).ok());
        let maps = texts.filter(|text| text.contains("map_type:")).map(|text| number(&text, "memlock:"));
        Self {
            agent: number(&status, "VmRSS:"),
            maps: maps.sum::<u64>() / 1024,
            kernel: number(&machine, "SUnreclaim:"),
            available: number(&machine, "MemAvailable:"),
        }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |kib: u64| kib as f64 / 1024.0;
        let (agent, maps, kernel) = (mib(self.agent), mib(self.maps), mib(self.kernel));
        write!(f, "agent {agent:.1}, maps {maps:.1}, kernel's own {kernel:.1} of {:.0}", mib(self.available))
    }
}
