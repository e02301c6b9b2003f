//! Files of a run.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use dfaas_sim::report::{self, Report};
use dfaas_tests::replay::Calls;
use serde_json::{Value, json};

use super::Strategy;
use super::options::Options;

/// Whether files can be written, so that nobody waits for runs in vain. Makes the folder.
pub fn check(options: &Options) -> Result<()> {
    for file in [&options.json, &options.write_scenario].into_iter().flatten() {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        ensure!(folder.is_none_or(Path::is_dir), "{}: its folder is not there", file.display());
        ensure!(!file.is_dir(), "{}: is a folder, not a file", file.display());
    }
    if let Some(folder) = &options.csv {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    Ok(())
}

/// Writes what was asked for; `names` of nodes and functions.
pub fn write(
    options: &Options,
    report: &Report<'_>,
    strategies: &[Strategy],
    names: &(Vec<String>, Vec<String>),
) -> Result<()> {
    if let Some(file) = &options.write_scenario {
        put(file, report.text.as_bytes())?;
    }
    if let Some(folder) = &options.csv {
        for (name, content) in report::files(report).with_context(|| folder.display().to_string())? {
            put(&folder.join(name), &content)?;
        }
    }
    if let Some(file) = &options.json {
        let mut all = report::json(report).with_context(|| file.display().to_string())?;
        let live = strategies.iter().map(|strategy| (strategy.name.clone(), of_strategy(strategy, names)));
        all["live"] = Value::Object(live.collect());
        put(file, format!("{all:#}\n").as_bytes())?;
    }
    Ok(())
}

fn of_strategy(strategy: &Strategy, names: &(Vec<String>, Vec<String>)) -> Value {
    let runs = strategy.runs.iter().map(|run| {
        let relay = run.carried.map(|carried| {
            json!({"frames": carried.frames, "lost": carried.lost, "late_ms": carried.late.as_secs_f64() * 1e3})
        });
        json!({"reasons": run.reasons, "users_late_ms": run.behind.as_secs_f64() * 1e3, "relay": relay})
    });
    let calls = strategy.calls.iter().map(|calls| of_calls(calls, names));
    json!({"runs": runs.collect::<Vec<_>>(), "calls": calls.collect::<Vec<_>>()})
}

fn of_calls(calls: &Calls, (nodes, functions): &(Vec<String>, Vec<String>)) -> Value {
    let by = calls.by.iter().map(|(node, count)| {
        let name = nodes.get(*node).cloned().unwrap_or_else(|| node.to_string());
        (name, Value::from(*count))
    });
    json!({
        "node": nodes[calls.node],
        "function": functions[calls.function],
        "sent": calls.sent,
        "answered": calls.answered,
        "refused": calls.refused,
        "failed": calls.failed,
        "p50_ms": calls.latency_ms(50.0),
        "p95_ms": calls.latency_ms(95.0),
        "p99_ms": calls.latency_ms(99.0),
        "answered_by": Value::Object(by.collect()),
    })
}

fn put(path: &Path, content: &[u8]) -> Result<()> {
    std::fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))?;
    println!("written: {}", path.display());
    Ok(())
}
