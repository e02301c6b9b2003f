//! Fuzzing the code that is run for every packet, by libFuzzer with coverage, on the toolchain that builds the rest.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

use crate::build;

/// The targets: programs `fuzz-NAME` of the package, corpora `corpus/NAME`.
const PACKAGE: &str = "dfaas-common/fuzz";

/// What libFuzzer needs of the compiler: counters of branches, and comparisons told as they are made. As `cargo fuzz` has
/// them, without a sanitizer, since what is tried has no unsafe code.
const INSTRUMENTED: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing";

/// What to fuzz, and for how long.
#[derive(Debug, Args)]
pub struct Options {
    /// Seconds for all targets together
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    /// Only this target
    #[arg(long)]
    target: Option<String>,
}

/// Runs the targets one after the other. An error if one fails; it says with which input.
pub fn run(options: &Options) -> Result<()> {
    let package = build::root().join(PACKAGE);
    let mut targets = targets(&package)?;
    if let Some(only) = &options.target {
        ensure!(targets.contains(only), "there is no target `{only}`: there are {}", targets.join(", "));
        targets.retain(|target| target == only);
    }
    println!("fuzz: building {} targets; libFuzzer needs a C++ compiler (g++)", targets.len());
    let folder = build::root().join("target/fuzz");
    let programs = compile(&folder)?;
    let seconds = (options.seconds / targets.len() as u64).max(1);
    let failed: Vec<_> = targets
        .iter()
        .map(|target| Ok((target, fuzz(&programs, &folder, &package, target, seconds)?)))
        .filter_map(|result| result.map(|(target, good)| (!good).then_some(target.as_str())).transpose())
        .collect::<Result<_>>()?;
    if !failed.is_empty() {
        bail!(
            "failed: {}. The inputs are in {}; those that should stay tried belong in {}/corpus",
            failed.join(", "),
            folder.join("failed").display(),
            package.display()
        );
    }
    println!("fuzz: nothing found in {seconds} s for each of {} targets", targets.len());
    Ok(())
}

/// The names of the targets, by their corpora.
fn targets(package: &Path) -> Result<Vec<String>> {
    let corpora = package.join("corpus");
    let entries =
        std::fs::read_dir(&corpora).with_context(|| format!("cannot read {}", corpora.display()))?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names: Vec<String> = names
        .collect::<std::io::Result<_>>()
        .with_context(|| format!("cannot read {}", corpora.display()))?;
    names.sort();
    Ok(names)
}

/// Builds all programs with counters, optimised, but with the checks of a debug build; where they are.
fn compile(folder: &Path) -> Result<PathBuf> {
    let host = host()?;
    let status = build::cargo()
        .args([
            "build",
            "--quiet",
            "--release",
            "--package",
            "dfaas-fuzz",
            "--features",
            "libfuzzer",
            "--bins",
        ])
        // With a target of its own, so that build scripts are not instrumented.
        .args(["--target", &host])
        .arg("--target-dir")
        .arg(folder)
        .env("RUSTFLAGS", INSTRUMENTED)
        .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
        .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "the targets cannot be built; see above");
    Ok(folder.join(host).join("release"))
}

/// The target triple of this machine.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("cannot run rustc")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("`rustc -vV` names no host")
}

/// Fuzzes one target; whether nothing was found. New inputs go to a corpus beside the programs, not to that in the
/// source.
fn fuzz(programs: &Path, folder: &Path, package: &Path, target: &str, seconds: u64) -> Result<bool> {
    let (found, failed) = (folder.join("corpus").join(target), folder.join("failed").join(target));
    for folder in [&found, &failed] {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make folder {}", folder.display()))?;
    }
    println!("fuzz: {target} for {seconds} s");
    let program = programs.join(format!("fuzz-{target}"));
    let status = Command::new(&program)
        .args([&found, &package.join("corpus").join(target)])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", failed.display()))
        .args(["-max_len=2048", "-timeout=10", "-verbosity=0", "-print_final_stats=1"])
        .status()
        .with_context(|| format!("cannot run {}", program.display()))?;
    Ok(status.success())
}
