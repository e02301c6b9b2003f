use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

/// What could not be drawn, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot draw: {0}")]
pub struct PictureError(pub String);

pub(super) type Panel<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Width of all pictures, in pixels.
pub(super) const WIDTH: u32 = 900;

/// Pixels on the right, for the legend.
pub(super) const LEGEND: u32 = 150;

/// Colours in turn; told apart by colour-blind readers too (Okabe and Ito, 2008).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(120, 110, 20),
];

/// The colour of a technique, by its place.
pub(super) fn colour(index: usize) -> RGBColor {
    COLOURS[index % COLOURS.len()]
}

/// Pixels of a line; thinner once the colours have been through.
fn stroke(index: usize) -> u32 {
    if index < COLOURS.len() { 2 } else { 1 }
}

/// Draws on white; the file.
pub(super) fn canvas(
    (width, height): (u32, u32),
    draw: impl FnOnce(&Panel<'_>) -> Result<(), PictureError>,
) -> Result<String, PictureError> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
        area.fill(&WHITE).map_err(failed)?;
        draw(&area)?;
        area.present().map_err(failed)?;
    }
    Ok(svg)
}

pub(super) fn failed(cause: impl std::fmt::Display) -> PictureError {
    PictureError(cause.to_string())
}

/// A line through points, its colour and its pixels.
pub(super) type Line = (Vec<(f64, f64)>, RGBColor, u32);

/// The lines of all techniques, by their places.
pub(super) fn of_techniques(lines: Vec<Vec<(f64, f64)>>) -> impl Iterator<Item = Line> {
    lines.into_iter().enumerate().map(|(index, points)| (points, colour(index), stroke(index)))
}

/// Parts as lines over `x`, those that come first below the others; `names` are those of the axes.
pub(super) fn parts<X>(
    panel: &Panel<'_>,
    x: X,
    parts: Range<f64>,
    names: [&str; 2],
    lines: impl Iterator<Item = Line>,
) -> Result<(), PictureError>
where
    X: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
{
    let mut chart = ChartBuilder::on(panel)
        .margin(12)
        .margin_right(LEGEND)
        .x_label_area_size(36)
        .y_label_area_size(56)
        .build_cartesian_2d(x, parts)
        .map_err(failed)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .label_style(("sans-serif", 13))
        .axis_desc_style(("sans-serif", 14))
        .x_desc(names[0])
        .y_desc(names[1])
        .x_label_formatter(&label)
        .y_label_formatter(&label)
        .draw()
        .map_err(failed)?;
    for (points, colour, stroke) in lines {
        chart.draw_series([PathElement::new(points, colour.stroke_width(stroke))]).map_err(failed)?;
    }
    Ok(())
}

/// Names with their colours, in the part of the picture that is left free for it.
pub(super) fn legend(panel: &Panel<'_>, names: &[(String, RGBColor)]) -> Result<(), PictureError> {
    let left = (WIDTH - LEGEND + 12) as i32;
    for (row, (name, colour)) in (0..).zip(names) {
        let top = 30 + 20 * row;
        let swatch = Rectangle::new([(left, top + 2), (left + 12, top + 12)], colour.filled());
        let text = Text::new(name.clone(), (left + 18, top), ("sans-serif", 13));
        panel.draw(&swatch).map_err(failed)?;
        panel.draw(&text).map_err(failed)?;
    }
    Ok(())
}

/// A number with no more digits than it needs.
pub(super) fn label(value: &f64) -> String {
    ((value * 1e4).round() / 1e4).to_string()
}

/// Where an axis of parts begins, so that the least of them is seen well above it.
pub(super) fn floor(least: f64) -> f64 {
    let room = (1.0 - least).max(0.005) * 1.1;
    (1.0 - room).clamp(0.0, 1.0)
}
