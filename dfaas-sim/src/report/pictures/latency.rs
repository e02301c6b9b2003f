use plotters::prelude::*;

use super::super::Report;
use super::canvas::{LEGEND, PictureError, WIDTH, canvas, colour, failed, label, legend, stroke};
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
        let mut chart = ChartBuilder::on(panel)
            .margin(12)
            .margin_right(LEGEND)
            .x_label_area_size(36)
            .y_label_area_size(56)
            .build_cartesian_2d((least..most).log_scale(), 0.0..1.0)
            .map_err(failed)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .label_style(("sans-serif", 13))
            .axis_desc_style(("sans-serif", 14))
            .x_desc("ms")
            .y_desc("part")
            .x_label_formatter(&label)
            .y_label_formatter(&label)
            .draw()
            .map_err(failed)?;
        for (index, line) in lines.into_iter().enumerate() {
            let path = PathElement::new(line, colour(index).stroke_width(stroke(index)));
            chart.draw_series([path]).map_err(failed)?;
        }
        legend(panel, &names)
    })
}

fn line(runs: &Runs) -> Vec<(f64, f64)> {
    let mut sum = Latencies::default();
    runs.runs.iter().for_each(|run| sum.add(&run.outcome.latencies));
    sum.cumulative()
}
