//! Finds or installs what building and running the kernel programs needs. Everything is looked at before anything is
//! done, so that a second run does nothing and takes no time.

mod linker;
mod machine;
mod packages;
mod toolchain;

use std::path::PathBuf;

use anyhow::{Context as _, Result};

pub use machine::check as check_machine;

/// Makes sure that the kernel programs can be built here; says what it found and what it does.
pub fn run() -> Result<()> {
    let compiler = toolchain::ensure()?;
    let linker = linker::ensure(&compiler)?;
    if packages::on_path("ip").is_none() {
        packages::install(&["iproute2"], "the command `ip`, to make network namespaces")?;
    }
    if packages::on_path("nft").is_none() {
        packages::install(&["nftables"], "the command `nft`, to lose packets in tests")?;
    }
    println!("setup: kernel programs are built with {compiler} and {linker}");
    Ok(())
}

/// The program `haproxy`, installed now if need be: only the benchmark asks for it.
pub fn haproxy() -> Result<PathBuf> {
    if let Some(program) = packages::on_path("haproxy") {
        return Ok(program);
    }
    packages::install(&["haproxy"], "the command `haproxy`, with which the benchmark compares")?;
    packages::on_path("haproxy").context("the package haproxy is installed, but has no program haproxy")
}
