//! Runs all tests of the workspace, and says at the end in one line how many passed.

mod tally;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};

use crate::{build, setup};
use tally::Tally;

/// The package whose tests use network namespaces and the kernel's BPF objects: one test at a time.
const NAMESPACE_TESTS: &str = "dfaas-tests";

/// Runs the tests whose names contain `filter`; true if all passed. An error if they could not be built.
pub fn run(filter: Option<&str>) -> Result<bool> {
    setup::check_machine()?;
    setup::run()?;
    let dfaas = build::dfaas()?;
    println!("test: building the tests");
    compile()?;

    let mut tally = Tally::default();
    let fast = ["--workspace", "--exclude", NAMESPACE_TESTS, "--exclude", "dfaas-ebpf"];
    tests(&fast, filter, &[], &dfaas, &mut tally)?;
    tests(&["--package", NAMESPACE_TESTS], filter, &["--test-threads=1"], &dfaas, &mut tally)?;
    if let (true, Some(filter)) = (tally.is_empty(), filter) {
        eprintln!("test: no test has a name that contains `{filter}`");
    }
    println!("{}", tally.closing_line());
    Ok(tally.all_passed())
}

/// Builds all tests, quietly unless that fails: a test that does not compile is not a test that was not run.
fn compile() -> Result<()> {
    let output = build::cargo()
        .args(["test", "--workspace", "--exclude", "dfaas-ebpf", "--no-run"])
        .stdin(Stdio::null())
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("the tests cannot be built:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// One run of `cargo test`, with its output passed through.
fn tests(
    packages: &[&str],
    filter: Option<&str>,
    options: &[&str],
    dfaas: &Path,
    tally: &mut Tally,
) -> Result<()> {
    let mut child = build::cargo()
        .args(["test", "--no-fail-fast"])
        .args(packages)
        .arg("--")
        .args(options)
        .args(filter)
        .env("DFAAS_BIN", dfaas)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run cargo")?;
    let said = child.stderr.take().context("cargo has no standard error")?;
    let said = std::thread::spawn(move || pass_on(said));
    let output = child.stdout.take().context("cargo has no standard output")?;
    tally.begin();
    let mut terminal = std::io::stdout();
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("cannot read the output of the tests")?;
        tally.line(&String::from_utf8_lossy(&line));
        terminal.write_all(&line).and_then(|()| terminal.write_all(b"\n")).context("cannot print")?;
    }
    let status = child.wait().context("cannot wait for cargo")?;
    // It only passes on what is said; the thread ends with cargo.
    let _ = said.join();
    tally.end(status.success());
    Ok(())
}

/// Passes cargo's messages on, without the lines of the kernel programs' build, which cargo repeats as warnings.
fn pass_on(messages: impl std::io::Read) {
    let mut terminal = std::io::stderr();
    for line in BufReader::new(messages).split(b'\n').map_while(Result::ok) {
        if !line.starts_with(b"warning: dfaas-userspace@") {
            // If nobody reads them any more, the tests go on.
            let _ = terminal.write_all(&line).and_then(|()| terminal.write_all(b"\n"));
        }
    }
}
