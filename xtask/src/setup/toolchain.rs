//! A compiler that can build for BPF: one that takes unstable options, with the library's source.

use std::fmt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::packages;

/// The name under which the distribution's compiler is linked; `dfaas-userspace/build.rs` looks for it.
const LINKED: &str = "dfaas-bpf";

/// The distribution's matching compiler, cargo and library source.
const DISTRIBUTION: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

/// A compiler that can build for BPF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiler {
    /// Its name for `rustup run`.
    pub toolchain: String,
    /// `rustc 1.96.0`.
    pub version: String,
    /// Major version of its LLVM.
    pub llvm: u32,
}

impl fmt::Display for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, LLVM {})", self.version, self.toolchain, self.llvm)
    }
}

/// Finds or installs one, the easiest first: a nightly with source, the linked one, the source for the nightly that
/// is there, a new nightly, the distribution's packages.
pub fn ensure() -> Result<Compiler> {
    if packages::on_path("rustup").is_none() {
        bail!("rustup is missing: install Rust from https://rustup.rs, then run this again");
    }
    if let Some(compiler) = find() {
        return Ok(compiler);
    }
    println!("setup: building for BPF needs a compiler with the source of Rust's library; none is here");
    if installed("nightly") {
        rustup(&["component", "add", "rust-src", "--toolchain", "nightly"]);
    } else {
        rustup(&["toolchain", "install", "nightly", "--profile", "minimal", "--component", "rust-src"]);
    }
    if let Some(compiler) = find() {
        return Ok(compiler);
    }
    link_distribution()?;
    find().context("the compiler was installed, but its library source is not where it belongs")
}

fn find() -> Option<Compiler> {
    match std::env::var("DFAAS_BPF_TOOLCHAIN") {
        Ok(named) => probe(&named),
        Err(_) => ["nightly", LINKED].into_iter().find_map(probe),
    }
}

/// A toolchain, if it is installed and has the library's source.
fn probe(toolchain: &str) -> Option<Compiler> {
    let sysroot = rustc(toolchain, &["--print", "sysroot"])?;
    let source = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/core");
    if !source.is_dir() {
        return None;
    }
    let (version, llvm) = parse_version(&rustc(toolchain, &["--version", "--verbose"])?)?;
    Some(Compiler { toolchain: toolchain.to_owned(), version, llvm })
}

fn installed(toolchain: &str) -> bool {
    rustc(toolchain, &["--version"]).is_some()
}

fn rustc(toolchain: &str, args: &[&str]) -> Option<String> {
    let mut command = Command::new("rustup");
    command.args(["run", toolchain, "rustc"]).args(args);
    // Only look: rustup must not install a toolchain because it was asked about.
    let output = command.env("RUSTUP_AUTO_INSTALL", "0").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `rustc 1.96.0` and the major version of LLVM, of what `rustc -vV` prints.
fn parse_version(verbose: &str) -> Option<(String, u32)> {
    let version = verbose.lines().next()?.split(" (").next()?.to_owned();
    let llvm = verbose.lines().find_map(|line| line.strip_prefix("LLVM version: "))?;
    Some((version, llvm.split('.').next()?.parse().ok()?))
}

/// Runs rustup and says so; a failure is told, and the next way is tried.
fn rustup(args: &[&str]) {
    println!("setup: rustup {}", args.join(" "));
    match Command::new("rustup").args(args).output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            let stderr = String::from_utf8_lossy(&output.stderr);
            let reason = stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no reason given");
            println!("setup: that failed ({})", reason.trim());
        }
        Err(error) => println!("setup: that failed ({error})"),
    }
}

fn link_distribution() -> Result<()> {
    if !DISTRIBUTION.iter().all(|package| packages::offered(package)) {
        bail!(
            "no compiler for BPF: rustup gave no nightly with rust-src, and this system offers no {}; \
             run `rustup toolchain install nightly --component rust-src` where rustup can download",
            DISTRIBUTION.join(", ")
        );
    }
    packages::install(&DISTRIBUTION, "a compiler that can build for BPF")?;
    println!("setup: rustup toolchain link {LINKED} /usr");
    let status = Command::new("rustup")
        .args(["toolchain", "link", LINKED, "/usr"])
        .status()
        .context("cannot run rustup")?;
    if !status.success() {
        bail!("`rustup toolchain link {LINKED} /usr` failed ({status})");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_and_llvm_are_read_from_what_rustc_prints() {
        let text = "rustc 1.97.0-nightly (e50aa6fba 2026-05-19)\nbinary: rustc\nLLVM version: 22.1.4\n";
        assert_eq!(parse_version(text), Some(("rustc 1.97.0-nightly".to_owned(), 22)));
        assert_eq!(parse_version("rustc 1.96.0\n"), None);
        assert_eq!(parse_version(""), None);
    }
}
