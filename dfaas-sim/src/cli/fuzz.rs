use std::cell::RefCell;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use dfaas_control::STRATEGIES;

use super::CommandError;
use super::files::usage;
use crate::fuzz::{Case, Found, Search};
use crate::scenario::Scenario;
use crate::techniques::TECHNIQUES;

/// Runs drawn scenarios with faults and looks for what must never happen.
#[derive(Debug, Clone, Args)]
pub struct Fuzz {
    /// How long.
    #[arg(long, default_value_t = 60, value_name = "N")]
    pub seconds: u64,
    /// How many scenarios, in place of a time.
    #[arg(long, value_name = "N", conflicts_with = "seconds")]
    pub cases: Option<u64>,
    /// Seed of the first scenario; each next one has the next.
    #[arg(long, default_value_t = 1, value_name = "S")]
    pub seed: u64,
    /// A strategy to run; may be given more than once. All, if absent.
    #[arg(long, value_name = "NAME")]
    pub strategy: Vec<String>,
    /// Checks this scenario alone.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seconds", "cases"])]
    pub scenario: Option<PathBuf>,
    /// Where to write the scenario that was found, as small as it could be made.
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
}

thread_local! {
    /// What this thread runs, to be told if it panics.
    static UNDER_WAY: RefCell<Option<(String, u64)>> = const { RefCell::new(None) };
}

/// Searches as the arguments say; what it says in the end.
///
/// # Errors
/// If something was found, there is no such strategy, or a file cannot be read or written.
pub fn fuzz(arguments: &Fuzz, mut progress: impl FnMut(&str)) -> Result<String, CommandError> {
    let techniques = techniques(&arguments.strategy);
    if let Some(file) = &arguments.scenario {
        let scenario = Scenario::read(file).map_err(usage)?;
        return one(&scenario, &techniques, arguments.seed);
    }
    tell_of_panics();
    let search = Search { techniques, seed: arguments.seed };
    let begun = Instant::now();
    let mut told = begun;
    let more = |done: u64| {
        if told.elapsed() >= Duration::from_secs(10) {
            told = Instant::now();
            progress(&format!("{done} scenarios in {} s", begun.elapsed().as_secs()));
        }
        match arguments.cases {
            Some(cases) => done < cases,
            None => begun.elapsed() < Duration::from_secs(arguments.seconds),
        }
    };
    let started = |case: &Case| {
        UNDER_WAY.with(|place| *place.borrow_mut() = Some((case.technique.clone(), case.seed)));
    };
    let (done, found) = search.run(more, started).map_err(usage)?;
    let Some(found) = found else {
        let (number, last) = (search.techniques.len(), arguments.seed.wrapping_add(done.saturating_sub(1)));
        return Ok(format!(
            "{done} scenarios (seeds {} to {last}) with {number} strategies each: nothing found\n",
            arguments.seed
        ));
    };
    if let Some(path) = &arguments.save {
        let written = std::fs::write(path, found.case.scenario.to_toml());
        written.map_err(|error| CommandError::Failed(format!("{}: {error}", path.display())))?;
    }
    Err(CommandError::Failed(told_of(&found, done)))
}

fn techniques(named: &[String]) -> Vec<String> {
    if named.is_empty() {
        return STRATEGIES.iter().chain(TECHNIQUES).map(|name| (*name).to_owned()).collect();
    }
    named.to_vec()
}

fn one(scenario: &Scenario, techniques: &[String], seed: u64) -> Result<String, CommandError> {
    for technique in techniques {
        if let Some(broken) = Case::new(scenario.clone(), technique, seed).check().map_err(usage)? {
            return Err(CommandError::Failed(format!("{technique}, seed {seed}: {broken}")));
        }
    }
    Ok(format!("nothing found with {}\n", techniques.join(", ")))
}

fn replay(technique: &str, seed: u64) -> String {
    format!("dfaas sim fuzz --cases 1 --seed {seed} --strategy {technique}")
}

fn told_of(found: &Found, done: u64) -> String {
    let Found { first, case: Case { scenario, technique, seed, .. }, broken } = found;
    format!(
        "after {done} scenarios without fault, {technique} with seed {seed}: {first}\n\n\
         To see it again: {}\n\n\
         In a smaller scenario: {broken}\n\
         Written to small.toml it is seen by: dfaas sim fuzz --scenario small.toml --seed {seed} --strategy {technique}\n\n\
         {}",
        replay(technique, *seed),
        scenario.to_toml()
    )
}

/// Says which run panicked.
fn tell_of_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        before(info);
        let under_way = UNDER_WAY.with(|place| place.try_borrow().ok().and_then(|place| place.clone()));
        if let Some((technique, seed)) = under_way {
            eprintln!(
                "{technique} with seed {seed} has panicked. To see it again: {}",
                replay(&technique, seed)
            );
        }
    }));
}
