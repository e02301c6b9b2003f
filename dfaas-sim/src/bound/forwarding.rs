use super::division::Division;
use super::error::BoundError;
use super::program::Program;
use super::routes::Routes;
use super::solver::{Problem, solve};
use super::window::{Goal, Window};

/// Part of the best value that may be lost: without it nothing but the best itself is left, on which no interior-point
/// method can stand.
const SLACK: f64 = 1e-6;

/// Part of the value by which the answer may fall short of the best in the end.
const SHORT: f64 = 1e-5;

/// Time (s) that forwarding costs at least, so that nothing is forwarded for nothing where links take no time.
const LEAST: f64 = 1e-6;

/// Of all divisions that serve `value`, that of [`super::best`], the one whose invocations spend the least time on the way.
///
/// # Errors
/// If the window cannot be meant, or nothing near the value is found.
pub fn least_forwarding(window: &Window, goal: Goal, value: f64) -> Result<Division, BoundError> {
    window.check()?;
    let routes = Routes::new(window, goal);
    if routes.routes.is_empty() || value <= 0.0 {
        return Ok(Division::default());
    }
    let program = Program::new(&routes);
    let time = |route: &super::routes::Route| {
        let away = if route.from == route.to { 0.0 } else { route.added.max(LEAST) };
        away * route.most
    };
    let times: Vec<f64> = routes.routes.iter().map(time).collect();
    let longest = times.iter().copied().fold(0.0, f64::max);
    let costs: Vec<f64> = times.iter().map(|time| if longest > 0.0 { time / longest } else { 0.0 }).collect();
    let wanted = value / program.unit;
    let floor: Vec<(usize, f64)> =
        program.gains.iter().enumerate().map(|(index, gain)| (index, -gain / wanted)).collect();
    let mut rows: Vec<(&[(usize, f64)], f64)> =
        program.rows.iter().map(|row| (row.as_slice(), 1.0)).collect();
    rows.push((&floor, SLACK - 1.0));
    let mut answer = solve(&Problem { costs: &costs, rows });
    program.repair(&mut answer.y);
    let found = program.gain(&answer.y) * program.unit;
    if found < value * (1.0 - SHORT) {
        return Err(BoundError::Solver { status: answer.status, value: found, ceiling: value });
    }
    Ok(Division::new(&routes, &answer.y))
}
