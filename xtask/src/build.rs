//! Builds the `dfaas` program, and what the benchmark runs beside it.

use std::io::{BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

/// The checkout.
pub fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&own).parent().map_or_else(|| ".".into(), Path::to_owned)
}

/// `cargo`, the one that runs this.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    // Set by `cargo xtask` for this crate; a build script that reads it would be run again and again.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH"] {
        command.env_remove(name);
    }
    command
}

/// Builds `dfaas` for release and returns its path. What cargo says is shown only when it fails: the kernel programs
/// are built inside, and cargo takes every line of that for a warning.
pub fn dfaas() -> Result<PathBuf> {
    program("dfaas-userspace", "dfaas")
}

/// The same for the server and caller of the benchmark.
pub fn traffic() -> Result<PathBuf> {
    program("dfaas-tests", "traffic")
}

fn program(package: &str, name: &str) -> Result<PathBuf> {
    let start = Instant::now();
    println!("build: target/release/{name}");
    let mut child = cargo()
        .args(["build", "--release", "--package", package, "--bin", name])
        .args(["--message-format", "json-render-diagnostics"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run cargo")?;
    let stderr = child.stderr.take().context("cargo has no standard error")?;
    let said = std::thread::spawn(move || follow(BufReader::new(stderr).lines().map_while(Result::ok)));
    let stdout = child.stdout.take().context("cargo has no standard output")?;
    let binary = BufReader::new(stdout)
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| executable(&line, name))
        .last();
    let status = child.wait().context("cannot wait for cargo")?;
    let said = said.join().unwrap_or_default();
    if !status.success() {
        bail!("building failed ({status}):\n{}", said.join("\n"));
    }
    println!("build: done in {:.0?}", start.elapsed());
    binary.with_context(|| format!("cargo built no program named {name}"))
}

/// Collects what cargo says; on a terminal shows which crate is being compiled.
fn follow(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut terminal = Some(std::io::stderr()).filter(|stderr| stderr.is_terminal());
    let mut said = Vec::new();
    for line in lines {
        if let (Some(terminal), Some(what)) = (&mut terminal, line.trim().strip_prefix("Compiling ")) {
            // Progress only: if it cannot be shown, the build goes on.
            let _ = write!(terminal, "\r\x1b[Kbuild: {what}");
        }
        said.push(line);
    }
    if let Some(terminal) = &mut terminal {
        let _ = write!(terminal, "\r\x1b[K");
    }
    said
}

/// The path in cargo's message about the finished program of this name.
fn executable(message: &str, name: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    if message["reason"] != "compiler-artifact" || message["target"]["name"] != name {
        return None;
    }
    Some(message["executable"].as_str()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_among_cargos_messages() {
        let artifact = r#"{"reason":"compiler-artifact","target":{"name":"dfaas"},"executable":"/x/dfaas"}"#;
        assert_eq!(executable(artifact, "dfaas"), Some("/x/dfaas".into()));
        assert_eq!(executable(artifact, "traffic"), None);
        let library = r#"{"reason":"compiler-artifact","target":{"name":"dfaas"},"executable":null}"#;
        assert_eq!(executable(library, "dfaas"), None);
        assert_eq!(executable(r#"{"reason":"build-finished","success":true}"#, "dfaas"), None);
        assert_eq!(executable("warning: no JSON", "dfaas"), None);
    }
}
