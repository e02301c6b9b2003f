use super::division::Division;
use super::error::BoundError;
use super::program::Program;
use super::routes::Routes;
use super::solver::{Problem, solve};
use super::window::{Goal, Window};

/// The most that can be served in a window, proven from both sides.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Best {
    /// What [`Self::division`] serves, by the goal's measure, a second.
    pub value: f64,
    /// No division serves more: the bound.
    pub ceiling: f64,
    /// One that serves `value` and keeps every limit.
    pub division: Division,
}

/// Most that value and ceiling may differ, as a part of the ceiling.
const GAP: f64 = 1e-5;

/// The best division of a window, by the goal's measure.
///
/// # Errors
/// If the window cannot be meant, or the solver's answer does not prove itself to five digits.
pub fn best(window: &Window, goal: Goal) -> Result<Best, BoundError> {
    window.check()?;
    let routes = Routes::new(window, goal);
    if routes.routes.is_empty() {
        return Ok(Best::default());
    }
    let program = Program::new(&routes);
    let costs: Vec<f64> = program.gains.iter().map(|gain| -gain).collect();
    let rows = program.rows.iter().map(|row| (row.as_slice(), 1.0)).collect();
    let mut answer = solve(&Problem { costs: &costs, rows });
    program.repair(&mut answer.y);
    let value = program.gain(&answer.y) * program.unit;
    let ceiling = program.ceiling(&answer.prices) * program.unit;
    if ceiling - value > GAP * ceiling || ceiling.is_nan() {
        return Err(BoundError::Solver { status: answer.status, value, ceiling });
    }
    Ok(Best { value, ceiling, division: Division::new(&routes, &answer.y) })
}
