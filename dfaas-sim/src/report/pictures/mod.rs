//! Pictures of a study, as SVG.

mod achieved;
mod canvas;
mod latency;
mod matrix;
mod success;

use super::Report;

pub use canvas::PictureError;

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// What its file is called, without the ending.
    pub name: &'static str,
    /// What it shows.
    pub caption: String,
    /// The SVG file.
    pub svg: String,
}

/// All pictures of a study: success over time, what was achieved of the bound, times to the answer, who served whom.
///
/// # Errors
/// None that are known: they are drawn to memory.
pub fn pictures(report: &Report<'_>) -> Result<Vec<Picture>, PictureError> {
    let seed = report.study.seeds.first().copied().unwrap_or_default();
    let picture = |name, caption: &str, svg| Picture { name, caption: caption.to_owned(), svg };
    Ok(vec![
        picture(
            "success",
            "Part of the requests answered within the deadline, by the second in which users asked.",
            success::draw(report)?,
        ),
        picture(
            "achieved",
            "What each technique serves within the deadline, and the most that any division could.",
            achieved::draw(report)?,
        ),
        picture("latency", "Part of the answered requests that took no longer.", latency::draw(report)?),
        picture(
            "served",
            &format!(
                "Who serves whom, seed {seed}: of what users of a node (row) had answered in time, the part that each \
                 node (column) answered."
            ),
            matrix::draw(report)?,
        ),
    ])
}
