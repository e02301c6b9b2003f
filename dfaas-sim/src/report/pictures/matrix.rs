use plotters::prelude::*;

use super::super::Report;
use super::canvas::{Panel, PictureError, WIDTH, canvas, failed};
use crate::study::Run;

/// Rows of a matrix at most; of more nodes, successive ones share a row.
const ROWS: usize = 50;

/// Matrices beside each other.
const ACROSS: usize = 3;

/// Pixels of one, its title included.
const SIDE: u32 = WIDTH / ACROSS as u32;

/// Who serves whom: a matrix for each technique, of the first seed, whose nodes are the same in all of them.
pub(super) fn draw(report: &Report<'_>) -> Result<String, PictureError> {
    let first = report.study.techniques.iter().filter_map(|runs| Some((&runs.technique, runs.runs.first()?)));
    let matrices: Vec<(&String, Vec<Vec<f64>>)> = first.map(|(name, run)| (name, parts(run))).collect();
    let down = matrices.len().div_ceil(ACROSS).max(1);
    canvas((WIDTH, SIDE * down as u32), |panel| {
        let panels = panel.split_evenly((down, ACROSS));
        let all = panels.iter().zip(&matrices);
        all.into_iter().try_for_each(|(panel, (name, parts))| one(panel, name, parts))
    })
}

fn one(panel: &Panel<'_>, name: &str, parts: &[Vec<f64>]) -> Result<(), PictureError> {
    let (left, top, side) = (12, 30, SIDE as i32 - 42);
    let text = Text::new(name.to_owned(), (left, 8), ("sans-serif", 14));
    panel.draw(&text).map_err(failed)?;
    let place = |index: usize| (index as i32 * side) / parts.len().max(1) as i32;
    for (row, cells) in parts.iter().enumerate() {
        for (column, part) in cells.iter().enumerate().filter(|(_, part)| **part > 0.0) {
            let corner = (left + place(column), top + place(row));
            let other = (left + place(column + 1), top + place(row + 1));
            panel.draw(&Rectangle::new([corner, other], shade(*part).filled())).map_err(failed)?;
        }
    }
    let frame = Rectangle::new([(left, top), (left + side, top + side)], BLACK.stroke_width(1));
    panel.draw(&frame).map_err(failed)
}

/// From white for nothing to blue for all; the root shows small parts too.
fn shade(part: f64) -> RGBColor {
    let depth = part.clamp(0.0, 1.0).sqrt();
    let tone = |full: f64| (255.0 + (full - 255.0) * depth).round() as u8;
    RGBColor(tone(0.0), tone(84.0), tone(148.0))
}

/// By row of users' nodes and column of answering nodes, the part of the row.
fn parts(run: &Run) -> Vec<Vec<f64>> {
    let nodes = run.outcome.series.len();
    let together = nodes.div_ceil(ROWS).max(1);
    let count = nodes.div_ceil(together);
    let mut parts = vec![vec![0.0; count]; count];
    for served in &run.outcome.served {
        parts[served.from as usize / together][served.by as usize / together] += served.requests as f64;
    }
    for row in &mut parts {
        let sum: f64 = row.iter().sum();
        row.iter_mut().filter(|_| sum > 0.0).for_each(|part| *part /= sum);
    }
    parts
}
