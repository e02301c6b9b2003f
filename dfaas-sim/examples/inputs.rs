//! `dfaas sim trace` and `dfaas sim generate` without the rest of the program: `cargo run -p dfaas-sim --example inputs
//! -- trace info FILE`.

use std::process::ExitCode;

use clap::Parser;
use dfaas_sim::cli::{CommandError, Generate, TraceCommand, generate, trace};

/// Inputs of the simulator.
#[derive(Parser)]
enum Command {
    /// Looks at traces of arrivals and changes them.
    #[command(subcommand)]
    Trace(TraceCommand),
    /// Makes networks, traces and loads.
    #[command(subcommand)]
    Generate(Generate),
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Trace(command) => trace(&command),
        Command::Generate(command) => generate(&command),
    };
    match done {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(if matches!(error, CommandError::Usage(_)) { 2 } else { 1 })
        }
    }
}
