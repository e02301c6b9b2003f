//! Runs the `ip` command of iproute2.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// Runs `ip` with these words, split at white space, and returns what it prints. The error names the whole command
/// and what it complained about.
pub(crate) fn ip(words: &str) -> Result<String> {
    let output = Command::new("ip")
        .args(words.split_whitespace())
        .output()
        .context("cannot run `ip`: install the package iproute2")?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("`ip {words}` failed ({}): {}", output.status, stderr.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_command_and_its_complaint() {
        let error = ip("link show dev dfaas-nowhere0").unwrap_err().to_string();
        assert!(error.contains("`ip link show dev dfaas-nowhere0`"), "{error}");
        assert!(error.contains("does not exist"), "{error}");
    }
}
