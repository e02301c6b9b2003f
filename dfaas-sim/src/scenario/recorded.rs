//! Users that ask as a trace says.

use std::path::Path;
use std::time::Duration;

use super::{Function, Piece, Scenario, ScenarioError};
use crate::input::InputError;
use crate::trace::{Trace, read_k6, read_recording};

/// The function that stands for all those of a trace which have no entry of their own.
const ANY: &str = "*";

fn bad<T>(key: &str, problem: String) -> Result<T, ScenarioError> {
    Err(ScenarioError::Value { key: key.to_owned(), problem })
}

/// Puts the rates of the scenario's trace, a file in `folder`, in place of the trace. Nodes take part in the order of their
/// names in the trace.
pub(super) fn resolve(scenario: &mut Scenario, folder: &Path) -> Result<(), ScenarioError> {
    let Some(file) = scenario.load.trace.take() else { return Ok(()) };
    let load = &scenario.load;
    if !load.rates.is_empty() || load.step.is_some() || load.variability.is_some() {
        return bad(
            "load.trace",
            "says all that users ask for: no rates, step or variability beside it".to_owned(),
        );
    }
    let trace = read(&folder.join(&file))?;
    let nodes: Vec<&str> = trace.nodes().into_iter().collect();
    if nodes.len() > scenario.nodes.count {
        let problem =
            format!("{} has {} nodes; nodes.count is {}", file.display(), nodes.len(), scenario.nodes.count);
        return bad("load.trace", problem);
    }
    name_functions(&mut scenario.functions, &trace, &file)?;
    let mut rates = Vec::new();
    for (key, counts) in trace.series() {
        let Some(node) = key.node.as_deref().and_then(|name| nodes.binary_search(&name).ok()) else {
            let problem = format!(
                "{}: function \"{}\" is at no node; `dfaas sim trace convert --assign` gives functions to nodes",
                file.display(),
                key.function
            );
            return bad("load.trace", problem);
        };
        rates.extend(Piece::of_series(node, &key.function, counts, trace.interval()));
    }
    scenario.load.rates = rates;
    Ok(())
}

fn read(path: &Path) -> Result<Trace, ScenarioError> {
    let name = path.display().to_string();
    let file = std::fs::File::open(path).map_err(|cause| InputError::io(&name, &cause))?;
    let json = path.extension().is_some_and(|end| end == "json");
    Ok(if json { read_k6(&name, file)? } else { read_recording(&name, file, None)? })
}

/// Gives each function of the trace an entry: its own, or that of [`ANY`].
fn name_functions(functions: &mut Vec<Function>, trace: &Trace, file: &Path) -> Result<(), ScenarioError> {
    let any = functions.iter().position(|function| function.name == ANY).map(|at| functions.remove(at));
    for name in trace.functions() {
        if functions.iter().any(|function| function.name == name) {
            continue;
        }
        let Some(any) = &any else {
            let problem = format!(
                "{} calls \"{name}\", which is not there; an entry named \"{ANY}\" stands for all others",
                file.display()
            );
            return bad("functions", problem);
        };
        functions.push(Function { name: name.to_owned(), ..any.clone() });
    }
    Ok(())
}

impl Piece {
    /// The rates of one node and function, where they change, and none after the end: `counts` of requests in intervals of
    /// `interval` seconds.
    pub fn of_series(node: usize, function: &str, counts: &[f64], interval: f64) -> Vec<Self> {
        let mut before = None;
        let mut pieces = Vec::new();
        let rates = counts.iter().map(|count| count / interval).chain([0.0]);
        for (index, rate) in rates.enumerate() {
            if before != Some(rate) {
                let from = Duration::from_secs_f64(index as f64 * interval);
                pieces.push(Self { from, node, function: function.to_owned(), rate });
            }
            before = Some(rate);
        }
        pieces
    }
}
