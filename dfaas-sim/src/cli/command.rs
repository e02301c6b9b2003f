use clap::Subcommand;

use super::{
    Bound, CommandError, Compare, Fuzz, Generate, RunCommand, TraceCommand, bound, compare, fuzz, generate,
    run, trace,
};

/// What `dfaas sim` does.
#[derive(Debug, Clone, Subcommand)]
pub enum Sim {
    /// Make networks, traces and loads
    #[command(subcommand)]
    Generate(Generate),
    /// Run a scenario and tell what became of the requests, a line for each run
    Run(RunCommand),
    /// Run techniques side by side on the same users, and tell how far they are from the best possible
    Compare(Compare),
    /// The best that any division of a scenario's load could serve
    Bound(Bound),
    /// Look at traces and change them
    #[command(subcommand)]
    Trace(TraceCommand),
    /// Search for scenarios with faults in which an invariant breaks
    Fuzz(Fuzz),
}

/// Runs `dfaas sim`; what to print. `tell` is given lines of progress, from any thread.
///
/// # Errors
/// [`CommandError`] says which file or argument is wrong, or what failed.
pub fn sim(command: &Sim, tell: &(dyn Fn(&str) + Sync)) -> Result<String, CommandError> {
    match command {
        Sim::Generate(command) => generate(command),
        Sim::Run(command) => run(command, tell),
        Sim::Compare(command) => compare(command, tell),
        Sim::Bound(command) => bound(command, tell),
        Sim::Trace(command) => trace(command),
        Sim::Fuzz(command) => fuzz(command, tell),
    }
}
