//! `load`: a trace, or a scenario of the simulator, on live nodes in network namespaces of this machine, told in the
//! simulator's terms.

mod files;
mod input;
mod options;
mod table;

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use dfaas_sim::report::{self, Report};
use dfaas_sim::scenario::Scenario;
use dfaas_sim::study::{Run, Runs, Study};
use dfaas_sim::{Federation, Outcome, run_in};
use dfaas_tests::replay::{self, Calls, Lived, Replay, Seen};

pub use options::Options;

use crate::{build, setup};
use input::Input;

/// What a strategy has done on live nodes.
struct Strategy {
    name: String,
    runs: Vec<Lived>,
    calls: Vec<Calls>,
}

/// Builds, runs each strategy as often as it was asked for, shows the outcome.
pub fn run(options: &Options) -> Result<()> {
    options.check()?;
    let input = input::read(options)?;
    let federation = Federation::new(&input.scenario, options.seed);
    for strategy in &options.strategy {
        replay::fits(&input.scenario, &federation, strategy).with_context(|| input.name.clone())?;
    }
    files::check(options)?;
    setup::check_machine()?;
    setup::run()?;
    let dfaas = build::dfaas()?;
    println!("{}", table::introduction(&input.name, &input.scenario));
    input.notes.iter().for_each(|note| println!("{note}"));

    let strategies = options.strategy.iter().map(|name| live(options, &input.scenario, name, &dfaas));
    let strategies = strategies.collect::<Result<Vec<Strategy>>>()?;
    let study = study(options, &input.scenario, &strategies)?;
    let text = input.scenario.to_toml();
    let command = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    let command = format!("cargo xtask {command}");
    let report = Report::new(&input.name, &text, &command, &input.scenario, &study);
    show(&input, &federation, &strategies, &report);
    files::write(options, &report, &strategies, &names(&input, &federation))
}

/// All repeats of one strategy.
fn live(options: &Options, scenario: &Scenario, name: &str, dfaas: &Path) -> Result<Strategy> {
    let mut runs = Vec::new();
    for seed in options.seeds() {
        println!("\n{name}, seed {seed}: starting {} nodes", scenario.nodes.count);
        let mut screen = Screen::new(scenario);
        let replay = Replay { scenario, strategy: name, seed, dfaas };
        let run = replay::run(replay, &mut |seen| screen.show(&seen));
        runs.push(run.with_context(|| format!("{name}, seed {seed}"))?);
    }
    let calls = replay::by_function(runs.iter().flat_map(|run| &run.asked));
    Ok(Strategy { name: name.to_owned(), runs, calls })
}

/// The runs as those of the simulator, and the simulator's own beside them if they were asked for.
fn study(options: &Options, scenario: &Scenario, strategies: &[Strategy]) -> Result<Study> {
    let seeds = options.seeds();
    let runs = |technique: String, outcomes: Vec<Outcome>| {
        // Harm compares with runs without sharing, of which there are none.
        let run = |(seed, outcome): (&u64, Outcome)| Run { seed: *seed, outcome, harm: 0.0 };
        Runs { technique, runs: seeds.iter().zip(outcomes).map(run).collect() }
    };
    let mut techniques = Vec::new();
    for strategy in strategies {
        let outcomes = strategy.runs.iter().map(|run| run.outcome.clone()).collect();
        techniques.push(runs(strategy.name.clone(), outcomes));
        if options.simulate {
            let simulate =
                |seed: &u64| run_in(scenario, &Federation::new(scenario, *seed), &strategy.name, *seed);
            let outcomes = seeds.iter().map(simulate).collect::<Result<_, _>>()?;
            techniques.push(runs(format!("{} simulated", strategy.name), outcomes));
        }
    }
    Ok(Study { seeds, techniques, bounds: Vec::new() })
}

fn show(input: &Input, federation: &Federation, strategies: &[Strategy], report: &Report<'_>) {
    let (nodes, functions) = names(input, federation);
    for strategy in strategies {
        print!("\n{}\n{}", strategy.name, table::calls(&strategy.calls, (&nodes, &functions)));
        print!("{}", table::remarks(&strategy.runs.iter().collect::<Vec<_>>()));
    }
    print!("\n{}", report::table(report));
}

/// Names of the nodes and of the functions, in the order of the federation.
fn names(input: &Input, federation: &Federation) -> (Vec<String>, Vec<String>) {
    let node = |place: usize| input.nodes.get(place).cloned().unwrap_or_else(|| place.to_string());
    let functions = federation.functions.iter().map(|function| function.name.clone()).collect();
    ((0..federation.nodes()).map(node).collect(), functions)
}

/// One line that is written over on a terminal, else a line every ten seconds.
struct Screen<'a> {
    scenario: &'a Scenario,
    terminal: bool,
}

impl<'a> Screen<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        Self { scenario, terminal: std::io::stdout().is_terminal() }
    }

    fn show(&mut self, seen: &Seen) {
        let line = table::progress(seen, self.scenario);
        let last = seen.elapsed >= self.scenario.warmup + self.scenario.duration;
        let mut out = std::io::stdout().lock();
        // A run whose reader has gone still ends in order: what cannot be shown is not shown.
        if self.terminal {
            let _ = write!(out, "\r\x1b[K{line}{}", if last { "\n" } else { "" });
        } else if last || seen.elapsed.as_secs().is_multiple_of(10) {
            let _ = writeln!(out, "{line}");
        }
        let _ = out.flush();
    }
}
