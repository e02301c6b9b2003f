//! The picture: invocations a second over time, stacked by who served them.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use dfaas_tests::load::Second;
use plotters::prelude::*;

use super::plan::Plan;
use super::report::{DemoReport, PhaseReport};

/// Width and height of one panel in pixels.
const PANEL: (u32, u32) = (900, 320);

/// Pixels beside the chart, for the legend.
const LEGEND: i32 = 120;

/// Colours of the nodes, in turn; told apart by colour-blind readers too.
const NODES: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(240, 228, 66),
];
const REJECTED: RGBColor = RGBColor(190, 190, 190);
const FAILED: RGBColor = RGBColor(213, 0, 0);

/// Draws both phases, one above the other, or one if they are the same.
pub fn draw(path: &Path, report: &DemoReport, plan: &Plan) -> Result<()> {
    let mut phases = vec![&report.baseline];
    if report.strategy.strategy != report.baseline.strategy {
        phases.push(&report.strategy);
    }
    let height = PANEL.1 * u32::try_from(phases.len())?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (PANEL.0, height)).into_drawing_area();
        let drawn = area.fill(&WHITE).map_err(|error| anyhow!("{error}")).and_then(|()| {
            let panels = area.split_evenly((phases.len(), 1));
            panels.iter().zip(phases).try_for_each(|(panel, phase)| draw_phase(panel, phase, plan))
        });
        drawn
            .and_then(|()| area.present().map_err(|error| anyhow!("{error}")))
            .context("cannot draw the picture")?;
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

type Panel<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw_phase(panel: &Panel<'_>, phase: &PhaseReport, plan: &Plan) -> Result<()> {
    let layers = layers(&phase.series, plan);
    let highest = phase.series.iter().map(|second| second.sent).max().unwrap_or(1) as f64 * 1.15;
    let title =
        format!("{}: {:.1} % of {} invocations answered", phase.strategy, phase.ok_share * 100.0, phase.sent);
    let mut chart = ChartBuilder::on(panel)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .margin_right(LEGEND)
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d(0.0..phase.series.len().max(1) as f64, 0.0..highest)
        .map_err(|error| anyhow!("{error}"))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("second")
        .y_desc("invocations a second")
        .x_label_formatter(&label)
        .y_label_formatter(&label)
        .draw()
        .map_err(|error| anyhow!("{error}"))?;
    let mut base = vec![0; phase.series.len()];
    for layer in &layers {
        let bars = layer.counts.iter().zip(&mut base).enumerate().map(|(second, (&count, base))| {
            let (low, high) = (*base as f64, (*base + count) as f64);
            *base += count;
            let left = second as f64;
            Rectangle::new([(left + 0.05, low), (left + 0.95, high)], layer.colour.filled())
        });
        chart.draw_series(bars).map_err(|error| anyhow!("{error}"))?;
    }
    if let Some(moment) = &phase.moment {
        let at = moment.second as f64;
        let line = PathElement::new([(at, 0.0), (at, highest)], BLACK.stroke_width(2));
        let text = Text::new(moment.what.clone(), (at + 0.2, highest * 0.98), ("sans-serif", 13));
        chart.draw_series([line]).map_err(|error| anyhow!("{error}"))?;
        chart.draw_series([text]).map_err(|error| anyhow!("{error}"))?;
    }
    draw_legend(panel, &layers)
}

/// `4`, `0.5`: no more digits than needed.
fn label(value: &f64) -> String {
    ((value * 100.0).round() / 100.0).to_string()
}

/// Beside the chart, in the order of the stack.
fn draw_legend(panel: &Panel<'_>, layers: &[Layer]) -> Result<()> {
    let left = i32::try_from(PANEL.0)? - LEGEND + 12;
    for (row, layer) in (0..).zip(layers.iter().rev()) {
        let top = 48 + 20 * row;
        let swatch = Rectangle::new([(left, top), (left + 12, top + 12)], layer.colour.filled());
        let name = Text::new(layer.name.clone(), (left + 18, top), ("sans-serif", 13));
        panel.draw(&swatch).and_then(|()| panel.draw(&name)).map_err(|error| anyhow!("{error}"))?;
    }
    Ok(())
}

struct Layer {
    name: String,
    colour: RGBColor,
    counts: Vec<u64>,
}

/// What is stacked, from the bottom: the nodes, then what was not answered well.
fn layers(series: &[Second], plan: &Plan) -> Vec<Layer> {
    let layer = |name: String, colour, count: &dyn Fn(&Second) -> u64| Layer {
        name,
        colour,
        counts: series.iter().map(count).collect(),
    };
    let mut layers: Vec<_> = plan
        .nodes()
        .zip(NODES.iter().cycle())
        .map(|((_, name, _), &colour)| {
            layer(name.clone(), colour, &|second| second.by_node.get(&name).copied().unwrap_or(0))
        })
        .collect();
    layers.push(layer("rejected".to_owned(), REJECTED, &|second| second.rejected));
    layers.push(layer("failed".to_owned(), FAILED, &|second| second.failed));
    layers
}
