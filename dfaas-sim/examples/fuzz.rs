//! The search for scenarios that break an invariant: `cargo run --release --example fuzz -- --seconds 60`.

use std::process::ExitCode;

use clap::Parser;
use dfaas_sim::cli::{CommandError, Fuzz, fuzz};

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    fuzz: Fuzz,
}

fn main() -> ExitCode {
    match fuzz(&Arguments::parse().fuzz, |line| eprintln!("{line}")) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(CommandError::Usage(text)) => {
            eprintln!("{text}");
            ExitCode::from(2)
        }
        Err(CommandError::Failed(text)) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}
