//! Runs all tests of the workspace, and says at the end in one line how many passed.

mod programs;
mod tally;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::{build, setup};
use programs::Program;
use tally::Tally;

/// The package whose tests use network namespaces and the kernel's BPF objects: one test at a time.
const NAMESPACE_TESTS: &str = "dfaas-tests";

/// What is tested. One selection for all: for another one cargo chooses other features and compiles most crates again.
const SELECTION: [&str; 3] = ["--workspace", "--exclude", "dfaas-ebpf"];

/// Runs the tests whose names contain `filter`; true if all passed. An error if they could not be built.
pub fn run(filter: Option<&str>) -> Result<bool> {
    setup::check_machine()?;
    setup::run()?;
    let dfaas = build::dfaas()?;
    println!("test: building the tests");
    let mut programs = compile()?;
    // Those of the namespaces last: they take longest, and tell least about what is wrong.
    programs.sort_by_key(|program| program.package == NAMESPACE_TESTS);

    let mut tally = Tally::default();
    for program in &programs {
        println!("test: {}", program.name());
        let mut command = program.command();
        command.args(filter).env("DFAAS_BIN", &dfaas);
        if program.package == NAMESPACE_TESTS {
            command.arg("--test-threads=1");
        }
        if !pass_on(&mut command, &mut tally)? {
            eprintln!("test: {} failed", program.name());
        }
    }
    println!("test: examples in the documentation");
    let mut examples = build::cargo();
    examples.args(["test", "--quiet", "--doc"]).args(SELECTION).arg("--").args(filter);
    pass_on(&mut examples, &mut tally)?;
    if let (true, Some(filter)) = (tally.is_empty(), filter) {
        eprintln!("test: no test has a name that contains `{filter}`");
    }
    println!("{}", tally.closing_line());
    Ok(tally.all_passed())
}

/// Builds all tests, quietly unless that fails: a test that does not compile is not a test that was not run.
fn compile() -> Result<Vec<Program>> {
    let output = build::cargo()
        .arg("test")
        .args(SELECTION)
        .args(["--no-run", "--message-format", "json-render-diagnostics"])
        .stdin(Stdio::null())
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("the tests cannot be built:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let programs: Vec<Program> = messages.lines().filter_map(programs::parse).collect();
    if programs.is_empty() {
        bail!("cargo built no test program:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(programs)
}

/// Runs a command that runs tests, with its output passed through; whether it succeeded.
fn pass_on(command: &mut Command, tally: &mut Tally) -> Result<bool> {
    let what = Path::new(command.get_program()).display().to_string();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {what}"))?;
    let output = child.stdout.take().with_context(|| format!("{what} has no standard output"))?;
    tally.begin();
    let mut terminal = std::io::stdout();
    for line in BufReader::new(output).split(b'\n') {
        let line = line.with_context(|| format!("cannot read the output of {what}"))?;
        tally.line(&String::from_utf8_lossy(&line));
        terminal.write_all(&line).and_then(|()| terminal.write_all(b"\n")).context("cannot print")?;
    }
    let status = child.wait().with_context(|| format!("cannot wait for {what}"))?;
    tally.end(status.success());
    Ok(status.success())
}
