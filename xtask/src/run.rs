//! `build`, `run` and `unload`.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{build, setup};

/// Builds `dfaas`.
pub fn build() -> Result<()> {
    setup::run()?;
    let binary = build::dfaas()?;
    println!("build: {}", binary.display());
    Ok(())
}

/// Builds, and becomes `dfaas agent`.
pub fn agent(args: &[String]) -> Result<()> {
    become_dfaas("agent", args)
}

/// Builds if need be, and becomes `dfaas unload`.
pub fn unload(args: &[String]) -> Result<()> {
    become_dfaas("unload", args)
}

fn become_dfaas(command: &str, args: &[String]) -> Result<()> {
    setup::check_machine()?;
    setup::run()?;
    let binary = build::dfaas()?;
    // Returns only if it fails. Paths among the arguments stay relative to where the user is.
    let error = Command::new(&binary).arg(command).args(args).exec();
    Err(error).with_context(|| format!("cannot run {}", binary.display()))
}
