//! What the figures were measured on.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use dfaas_tests::Offloads;
use dfaas_tests::bench::Programs;
use serde::Serialize;

use crate::build;

/// The machine and the programs.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// The kernel's release.
    pub kernel: String,
    /// The distribution, by its own account; empty if it gives none.
    pub system: String,
    /// Model of the processors; empty if it is not known.
    pub processor: String,
    /// Processors that everything shares.
    pub cores: usize,
    /// What the interfaces do for the stack.
    pub offloads: &'static str,
    /// What `dfaas --version` says.
    pub dfaas: String,
    /// The checkout's commit, with `+` if files were changed since; empty if it is not known.
    pub commit: String,
    /// What `haproxy -v` says first.
    pub haproxy: String,
}

impl Machine {
    /// Looks. Only the kernel's release must be known.
    pub fn look(programs: &Programs, offloads: Offloads) -> Result<Self> {
        let kernel = nix::sys::utsname::uname().context("cannot tell the kernel's version")?;
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let haproxy = programs.haproxy.as_deref().map(|program| said(program, &["-v"]));
        Ok(Self {
            kernel: kernel.release().to_string_lossy().into_owned(),
            system: value(&read("/etc/os-release"), "PRETTY_NAME", '='),
            processor: value(&read("/proc/cpuinfo"), "model name", ':'),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            offloads: match offloads {
                Offloads::AsMade => "veth; segmentation and checksums offloaded, no GRO",
                Offloads::WithGro => "veth; segmentation and checksums offloaded, GRO",
                Offloads::None => "veth; no offloads",
            },
            dfaas: said(&programs.dfaas, &["--version"]),
            commit: commit(),
            haproxy: haproxy.unwrap_or_default(),
        })
    }
}

fn commit() -> String {
    let root = build::root();
    let root = root.to_string_lossy();
    said(Path::new("git"), &["-C", &root, "describe", "--always", "--exclude", "*", "--dirty=+"])
}

/// The first line that a program prints; empty if it cannot be run.
fn said(program: &Path, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().next().unwrap_or_default().trim().to_owned()
}

/// The first value with this name among lines of `NAME SIGN VALUE`, without quotes; empty if there is none.
fn value(text: &str, name: &str, sign: char) -> String {
    let lines = text.lines().filter_map(|line| line.split_once(sign));
    let found =
        lines.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().trim_matches('"')).next();
    found.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_files_of_the_system_write_them() {
        let release = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n";
        assert_eq!(value(release, "PRETTY_NAME", '='), "Debian GNU/Linux 12 (bookworm)");
        let processors = "processor\t: 0\nmodel name\t: One\n\nprocessor\t: 1\nmodel name\t: Two\n";
        assert_eq!(value(processors, "model name", ':'), "One");
        assert_eq!(value("", "model name", ':'), "");
    }

    #[test]
    fn a_program_that_is_not_there_has_no_version() {
        assert_eq!(said(Path::new("/nowhere/haproxy"), &["-v"]), "");
    }
}
