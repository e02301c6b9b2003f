use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Report, VERSION};
use crate::study::Summary;

/// A study as JSON. Names of keys are stable; there may be more of them. Without a bound, `bound` is null; `settle_s` is
/// null where plans do not settle, or from nothing.
///
/// # Errors
/// None that are known: all of it are numbers and names.
pub fn json(report: &Report<'_>) -> Result<Value, serde_json::Error> {
    let mut techniques = Map::new();
    for summary in &report.summaries {
        techniques.insert(summary.technique.clone(), technique(report, summary)?);
    }
    let bound = report.bound.map(serde_json::to_value).transpose()?;
    Ok(json!({
        "scenario": report.name,
        "seeds": report.study.seeds,
        "version": VERSION,
        "command": report.command,
        "techniques": techniques,
        "bound": bound,
    }))
}

#[derive(Serialize)]
struct Technique<'a> {
    goodput: f64,
    goodput_error: f64,
    work: f64,
    work_error: f64,
    #[serde(flatten)]
    price: Option<Price>,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    rejected: f64,
    forwarded: f64,
    harm: f64,
    fairness: f64,
    control_bytes_per_node_s: f64,
    settle_s: Option<f64>,
    oscillation: f64,
    indexes: &'a crate::study::Indexes,
}

/// Parts of the bound that are lost.
#[derive(Serialize)]
struct Price {
    price_of_decentralisation: f64,
    price_of_decentralisation_by_work: f64,
}

fn technique(report: &Report<'_>, of: &Summary) -> Result<Value, serde_json::Error> {
    let price = |(requests, work)| Price {
        price_of_decentralisation: requests,
        price_of_decentralisation_by_work: work,
    };
    serde_json::to_value(Technique {
        goodput: of.goodput.mean,
        goodput_error: of.goodput.error,
        work: of.work.mean,
        work_error: of.work.error,
        price: report.price(of).map(price),
        p50_ms: of.p50_ms,
        p95_ms: of.p95_ms,
        p99_ms: of.p99_ms,
        rejected: of.rejected,
        forwarded: of.forwarded,
        harm: of.harm,
        fairness: of.fairness,
        control_bytes_per_node_s: of.control_bytes_per_node_s,
        settle_s: of.settle_s,
        oscillation: of.oscillation,
        indexes: &of.indexes,
    })
}
