//! The one entrance for builders: `cargo xtask setup | build | run | unload | demo | load | bench | fuzz | test`.

mod bench;
mod build;
mod demo;
mod fuzz;
mod load;
mod run;
mod setup;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds, runs and tests DFaaS.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Find or install what building the kernel programs needs
    Setup,
    /// Build target/release/dfaas
    Build,
    /// Build, then run an agent: load and attach the data plane (`run -- --config FILE`)
    Run {
        /// Arguments of `dfaas agent`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Detach the data plane and remove what it pinned (`unload -- --config FILE`)
    Unload {
        /// Arguments of `dfaas unload`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Show a federation of network namespaces under more load than its first node can serve
    Demo(demo::Options),
    /// Send a trace, or a scenario of the simulator, to live nodes in network namespaces
    Load(Box<load::Options>),
    /// Compare the data plane with none and with haproxy: rates, latencies, processor time
    Bench(bench::Options),
    /// Fuzz what is run for every packet, with coverage
    Fuzz(fuzz::Options),
    /// Run all tests: unit, property, kernel programs, network namespaces
    Test {
        /// Run only tests whose name contains this
        filter: Option<String>,
    },
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Setup => setup::run(),
        Task::Build => run::build(),
        Task::Run { args } => run::agent(&args),
        Task::Unload { args } => run::unload(&args),
        Task::Demo(options) => demo::run(&options),
        Task::Load(options) => load::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Test { filter } => match test::run(filter.as_deref()) {
            Ok(true) => Ok(()),
            // The closing line has said it.
            Ok(false) => return ExitCode::FAILURE,
            Err(error) => Err(error),
        },
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
