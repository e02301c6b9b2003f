//! Programs on the path, and packages of Debian and Ubuntu.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Where a program is, if it is installed.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // iproute2 lives in sbin, which is not on every user's path.
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// Whether the distribution offers a package; refreshes the list of packages once if it is not known.
pub fn offered(package: &str) -> bool {
    if on_path("apt-get").is_none() {
        return false;
    }
    candidate(package) || (update().is_ok() && candidate(package))
}

fn candidate(package: &str) -> bool {
    let output = Command::new("apt-cache").args(["policy", package]).env("LC_ALL", "C").output();
    output.is_ok_and(|output| has_candidate(&String::from_utf8_lossy(&output.stdout)))
}

/// Reads `apt-cache policy`: an unknown package prints nothing, a virtual one has the candidate `(none)`.
fn has_candidate(policy: &str) -> bool {
    policy
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Candidate:"))
        .any(|candidate| !candidate.trim().is_empty() && candidate.trim() != "(none)")
}

fn update() -> Result<()> {
    println!("setup: apt-get update");
    apt(&["-q", "update"])
}

/// Installs packages; `reason` says what for. Never removes a package that is installed.
pub fn install(packages: &[&str], reason: &str) -> Result<()> {
    let list = packages.join(" ");
    if on_path("apt-get").is_none() {
        bail!("{reason} is missing: install it with this system's package manager (on Debian: {list})");
    }
    if !nix::unistd::geteuid().is_root() {
        bail!("{reason} is missing: run as root, or run `apt-get install {list}`");
    }
    println!("setup: installing {list} for {reason}");
    let mut args = vec!["-q", "-y", "--no-remove", "--no-install-recommends", "install"];
    args.extend(packages);
    // The list of packages may be old or not there at all; then refresh it and try again.
    if apt(&args).is_ok() {
        return Ok(());
    }
    update()?;
    apt(&args).with_context(|| format!("cannot install {list} for {reason}"))
}

/// Runs apt-get quietly; what it says is shown only when it fails.
fn apt(args: &[&str]) -> Result<()> {
    let output = Command::new("apt-get")
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .output()
        .context("cannot run apt-get")?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("`apt-get {}` failed: {}", args.join(" "), stderr.trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_offered_only_with_a_candidate() {
        assert!(has_candidate("llvm-22-dev:\n  Installed: (none)\n  Candidate: 1:22.1.8-1~deb12u1\n"));
        assert!(!has_candidate("rustc:\n  Installed: (none)\n  Candidate: (none)\n"));
        assert!(!has_candidate(""));
    }
}
