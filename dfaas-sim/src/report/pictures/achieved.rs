use plotters::prelude::*;

use super::super::Report;
use super::canvas::{LEGEND, PictureError, WIDTH, canvas, failed, floor, label, legend};

const REQUESTS: RGBColor = RGBColor(0, 114, 178);
const WORK: RGBColor = RGBColor(213, 94, 0);

/// A line a technique: what it serves by requests and by work, with standard errors, beside the bounds.
pub(super) fn draw(report: &Report<'_>) -> Result<String, PictureError> {
    let values = report.summaries.iter().flat_map(|of| [of.goodput.mean, of.work.mean]);
    let least = values.chain(report.bound.iter().map(|of| of.goodput.min(of.work))).fold(1.0, f64::min);
    let count = report.summaries.len();
    let mut names = vec![("by requests".to_owned(), REQUESTS), ("by work".to_owned(), WORK)];
    if report.bound.is_some() {
        names.push(("lines: bounds".to_owned(), WHITE));
    }
    canvas((WIDTH, 90 + 34 * count as u32), |panel| {
        let mut chart = ChartBuilder::on(panel)
            .margin(12)
            .margin_right(LEGEND)
            .x_label_area_size(36)
            .y_label_area_size(130)
            .build_cartesian_2d(floor(least)..1.0, -0.6..count as f64 - 0.4)
            .map_err(failed)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .light_line_style(TRANSPARENT)
            .label_style(("sans-serif", 13))
            .axis_desc_style(("sans-serif", 14))
            .x_desc("part in time")
            .x_label_formatter(&label)
            .y_labels(0)
            .draw()
            .map_err(failed)?;
        for (place, of) in report.summaries.iter().enumerate() {
            let row = (count - 1 - place) as f64;
            for (mean, colour, at) in [(of.goodput, REQUESTS, row + 0.14), (of.work, WORK, row - 0.14)] {
                let ends = [(mean.mean - mean.error, at), ((mean.mean + mean.error).min(1.0), at)];
                let bar = PathElement::new(ends.to_vec(), colour.stroke_width(2));
                let dot = Circle::new((mean.mean, at), 5, colour.filled());
                chart.draw_series([bar]).map_err(failed)?;
                chart.draw_series([dot]).map_err(failed)?;
            }
            let at = chart.backend_coord(&(floor(least), row));
            let text = Text::new(of.technique.clone(), (16, at.1 - 7), ("sans-serif", 14));
            panel.draw(&text).map_err(failed)?;
        }
        if let Some(bound) = report.bound {
            for (value, colour) in [(bound.goodput, REQUESTS), (bound.work, WORK)] {
                let line = vec![(value, -0.6), (value, count as f64 - 0.4)];
                chart.draw_series([PathElement::new(line, colour.stroke_width(1))]).map_err(failed)?;
            }
        }
        legend(panel, &names)
    })
}
