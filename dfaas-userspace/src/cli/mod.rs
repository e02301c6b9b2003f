//! The command line of `dfaas`.

mod agent;
mod args;
mod exit;
mod explain;
mod flows;
mod gateway;
mod id;
mod profile;
mod record;
mod show;
mod table;
mod text;
mod text_flows;
mod text_peers;
mod text_plan;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use humantime_serde::re::humantime::format_duration;
use tracing_subscriber::EnvFilter;

use args::{Arguments, Command, ConfigCommand, IdCommand};
use exit::{Failure, print};

/// Runs the command that the process was called with.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match start_log(arguments.log.as_deref()).and_then(|()| run(arguments.command)) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Agent { config, keep, packet_log } => agent::run(&config, keep, packet_log),
        Command::Gateway { config, mptcp } => gateway::run(&config, mptcp),
        Command::Status(show) => show::status(&show),
        Command::Peers(show) => show::peers(&show),
        Command::Functions(show) => show::functions(&show),
        Command::Plan(show) => show::plan(&show),
        Command::Explain { show, function, client } => explain::run(&show, &function, client),
        Command::Flows(flows) => flows::run(&flows),
        Command::Drain(show) => show::drain(&show, "/drain"),
        Command::Resume(show) => show::drain(&show, "/resume"),
        Command::Record(arguments) => record::run(&arguments),
        Command::Profile(arguments) => profile::run(&arguments),
        Command::Doctor { config, json } => show::doctor(config.as_deref(), json),
        Command::Config(ConfigCommand::Check { file }) => {
            crate::config::load(&file)?;
            print(&format!("{}: ok\n", file.display()))
        }
        Command::Id(IdCommand::New { file }) => id::new(&file),
        Command::Id(IdCommand::Show { file, json }) => id::show(&file, json),
        Command::Sim(command) => print(&dfaas_sim::cli::sim(&command, &|line| eprintln!("{line}"))?),
        Command::Unload { config, pin } => agent::unload(config.as_deref(), &pin),
    }
}

/// Logs go to standard error. The filter is `--log`, else `RUST_LOG`, else `info`.
fn start_log(filter: Option<&str>) -> Result<(), Failure> {
    let asked = match filter {
        Some(filter) => Some(filter.to_owned()),
        None => std::env::var("RUST_LOG").ok().filter(|text| !text.is_empty()),
    };
    // The DHT warns whenever it is alone; the overlay itself says why nobody is found.
    let filter = asked.as_deref().unwrap_or("info,libp2p_kad=error");
    let filter: EnvFilter = filter.parse().map_err(|cause| {
        Failure::Usage(format!(
            "log filter \"{filter}\": {cause}; write one like info or dfaas_userspace=debug"
        ))
    })?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    Ok(())
}

/// A runtime for commands that talk over sockets.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|cause| Failure::Failed(format!("cannot start the runtime: {cause}")))
}

/// A number of seconds as people say it, without what is too small to matter.
fn span(seconds: f64) -> String {
    let millis = Duration::try_from_secs_f64(seconds).unwrap_or_default().as_millis() as u64;
    let coarse = if millis >= 10_000 { millis / 1000 * 1000 } else { millis };
    format_duration(Duration::from_millis(coarse)).to_string()
}
