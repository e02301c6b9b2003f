use plotters::prelude::*;

use super::super::Report;
use super::canvas::{PictureError, WIDTH, canvas, colour, legend, of_techniques, parts};
use crate::outcome::Latencies;
use crate::study::Runs;

/// Distribution of the times to the answer, a line a technique, all seeds together.
pub(super) fn draw(report: &Report<'_>) -> Result<String, PictureError> {
    let lines: Vec<Vec<(f64, f64)>> = report.study.techniques.iter().map(line).collect();
    let times = || lines.iter().flatten().map(|(ms, _)| *ms);
    let least = times().fold(f64::INFINITY, f64::min).min(1.0);
    let most = times().fold(10.0, f64::max);
    let names = report.study.techniques.iter().enumerate();
    let names: Vec<_> = names.map(|(index, runs)| (runs.technique.clone(), colour(index))).collect();
    canvas((WIDTH, 340), |panel| {
        let times = (least..most).log_scale();
        parts(panel, times, 0.0..1.0, ["ms", "part"], of_techniques(lines))?;
        legend(panel, &names)
    })
}

fn line(runs: &Runs) -> Vec<(f64, f64)> {
    let mut sum = Latencies::default();
    runs.runs.iter().for_each(|run| sum.add(&run.outcome.latencies));
    sum.cumulative()
}
