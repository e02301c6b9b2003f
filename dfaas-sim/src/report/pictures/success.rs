use plotters::prelude::*;

use super::super::Report;
use super::canvas::{PictureError, WIDTH, canvas, colour, floor, legend, of_techniques, parts};
use crate::study::Runs;

/// Success over time, a line a technique, and the bound of each window.
pub(super) fn draw(report: &Report<'_>) -> Result<String, PictureError> {
    let lines: Vec<Vec<(f64, f64)>> = report.study.techniques.iter().map(line).collect();
    let bound = bound(report);
    let points = || lines.iter().chain([&bound]).flatten();
    let least = points().map(|(_, part)| *part).fold(1.0, f64::min);
    let last = points().map(|(at, _)| *at).fold(1.0, f64::max);
    let names = report.study.techniques.iter().enumerate();
    let mut names: Vec<_> = names.map(|(index, runs)| (runs.technique.clone(), colour(index))).collect();
    if !bound.is_empty() {
        names.push(("bound".to_owned(), BLACK));
    }
    canvas((WIDTH, 340), |panel| {
        let bound = (!bound.is_empty()).then_some((bound, BLACK, 1));
        let lines = bound.into_iter().chain(of_techniques(lines));
        parts(panel, 0.0..last, floor(least)..1.0, ["second", "in time"], lines)?;
        legend(panel, &names)
    })
}

/// Of all nodes and seeds together; a second in which nobody asks has no point.
fn line(runs: &Runs) -> Vec<(f64, f64)> {
    let series = || runs.runs.iter().flat_map(|run| &run.outcome.series);
    let seconds = series().map(Vec::len).max().unwrap_or(0);
    let mut sums = vec![(0u64, 0u64); seconds];
    for of_node in series() {
        for (sum, second) in sums.iter_mut().zip(of_node) {
            sum.0 += u64::from(second.in_time);
            sum.1 += u64::from(second.asked);
        }
    }
    let asked = sums.iter().enumerate().filter(|(_, sum)| sum.1 > 0);
    asked.map(|(second, sum)| (second as f64 + 0.5, sum.0 as f64 / sum.1 as f64)).collect()
}

/// Steps, of all seeds together.
fn bound(report: &Report<'_>) -> Vec<(f64, f64)> {
    let bounds = &report.study.bounds;
    let Some(first) = bounds.first() else { return Vec::new() };
    let step = |(index, window): (usize, &crate::study::WindowBound)| {
        let all = bounds.iter().filter_map(|bound| bound.windows.get(index));
        let (served, asked) = all.fold((0.0, 0.0), |(served, asked), window| {
            (served + window.goodput * window.asked, asked + window.asked)
        });
        let part = if asked > 0.0 { served / asked } else { 1.0 };
        [(window.start_s, part), (window.start_s + window.length_s, part)]
    };
    first.windows.iter().enumerate().flat_map(step).collect()
}
