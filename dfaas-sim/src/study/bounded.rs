//! The best possible of a whole run: a linear program for each stretch of ten seconds.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::windows::Windows;
use crate::bound::{Best, BoundError, Goal, Window, best, least_forwarding};
use crate::federation::{Federation, Nanos, nanos};
use crate::scenario::Scenario;

/// How long a window is (s).
pub const WINDOW_S: f64 = 10.0;

/// Up to so many nodes the full graph is a program of its own; with more, all nodes count as one.
const FULL_GRAPH: usize = 32;

/// What any division of a seed's load could serve at best, as parts of what users are expected to ask for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunBound {
    /// Requests expected.
    pub asked: f64,
    /// The part of the requests that can be served with the neighbours that there are.
    pub goodput: f64,
    /// The part of the processor time, likewise.
    pub work: f64,
    /// The least part of the requests that must be forwarded to serve `goodput`.
    pub forwarded: f64,
    /// `goodput` if everyone could forward to everyone.
    pub goodput_everyone: f64,
    /// `work`, likewise.
    pub work_everyone: f64,
    /// Each window in turn.
    pub windows: Vec<WindowBound>,
}

/// The bound in one window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WindowBound {
    /// Seconds from the end of the warm-up to its start.
    pub start_s: f64,
    /// How long it is (s).
    pub length_s: f64,
    /// Requests expected in it.
    pub asked: f64,
    /// The part of them that can be served.
    pub goodput: f64,
    /// The part of their processor time that can be served.
    pub work: f64,
}

/// Rates a second of one window.
#[derive(Debug, Clone, Copy, Default)]
struct Rates {
    requests: f64,
    work: f64,
    forwarded: f64,
    requests_everyone: f64,
    work_everyone: f64,
}

/// The bound of what this seed draws. A window knows nothing of the one before; if `strict`, its processors have the
/// longest deadline more, in which what was asked for in it is of use, so that no run whatever can beat it.
///
/// # Errors
/// If the solver gives up.
pub fn bound_of(scenario: &Scenario, federation: &Federation, strict: bool) -> Result<RunBound, BoundError> {
    let longest = federation.functions.iter().map(|function| function.deadline).max().unwrap_or(0);
    let late = if strict { longest as f64 / 1e9 } else { 0.0 };
    let source = Windows { scenario, federation, late };
    let (begin, end) = (nanos(scenario.warmup), nanos(scenario.warmup + scenario.duration));
    let step = (WINDOW_S * 1e9) as Nanos;
    let spans: Vec<(Nanos, Nanos)> =
        (begin..end).step_by(step as usize).map(|from| (from, (from + step).min(end))).collect();
    // Many windows are alike: each kind is solved once.
    let (mut kinds, mut kind_of): (Vec<Window>, Vec<usize>) = (Vec::new(), Vec::new());
    for (from, to) in &spans {
        let window = source.window(*from, *to);
        kind_of.push(kinds.iter().position(|other| *other == window).unwrap_or_else(|| {
            kinds.push(window);
            kinds.len() - 1
        }));
    }
    let solved = kinds.par_iter().with_max_len(1).map(|window| solve(&source, window));
    let solved: Vec<Rates> = solved.collect::<Result<_, _>>()?;
    let (mut sum, mut asked_work) = (Rates::default(), 0.0);
    let (mut asked, mut windows) = (0.0, Vec::new());
    for ((from, to), kind) in spans.into_iter().zip(kind_of) {
        let length = (to - from) as f64 / 1e9;
        let (requests, work) = expected(&source, from, to);
        let rates = solved[kind];
        asked += length * requests;
        asked_work += length * work;
        sum.requests += length * rates.requests;
        sum.work += length * rates.work;
        sum.forwarded += length * rates.forwarded;
        sum.requests_everyone += length * rates.requests_everyone;
        sum.work_everyone += length * rates.work_everyone;
        windows.push(WindowBound {
            start_s: (from - begin) as f64 / 1e9,
            length_s: length,
            asked: length * requests,
            goodput: part(rates.requests, requests),
            work: part(rates.work, work),
        });
    }
    Ok(RunBound {
        asked,
        goodput: part(sum.requests, asked),
        work: part(sum.work, asked_work),
        forwarded: if asked > 0.0 { sum.forwarded / asked } else { 0.0 },
        goodput_everyone: part(sum.requests_everyone, asked),
        work_everyone: part(sum.work_everyone, asked_work),
        windows,
    })
}

/// Requests and processor time that users ask for, a second, those of nodes that are not there among them.
fn expected(source: &Windows<'_>, from: Nanos, to: Nanos) -> (f64, f64) {
    let functions = &source.federation.functions;
    let nodes = (0..source.federation.nodes()).flat_map(|node| source.rates(node, from, to));
    nodes.zip(functions.iter().cycle()).fold((0.0, 0.0), |(requests, work), (rate, function)| {
        (requests + rate, work + rate * function.cpu as f64 / 1e9)
    })
}

/// Part of what is possible that may be unserved where all can be served: what the solver leaves in its last digits.
const ALL: f64 = 1e-6;

fn solve(source: &Windows<'_>, window: &Window) -> Result<Rates, BoundError> {
    let requests = best(window, Goal::Value)?;
    let forwarded = least_forwarding(window, Goal::Value, requests.value)?.forwarded();
    let (asked, work) = (window.asked(Goal::Value), window.asked(Goal::Work));
    if requests.value >= asked * (1.0 - ALL) {
        // Who serves all does all of the work that can be in time, and more neighbours can add nothing.
        return Ok(Rates { requests: asked, work, forwarded, requests_everyone: asked, work_everyone: work });
    }
    let full = if window.nodes.len() <= FULL_GRAPH {
        window.fully_linked(|a, b| source.added(a, b))
    } else {
        window.pooled()
    };
    let ceiling = |window: &Window, goal: Goal| best(window, goal).map(|best: Best| best.ceiling);
    Ok(Rates {
        requests: requests.ceiling,
        work: ceiling(window, Goal::Work)?,
        forwarded,
        requests_everyone: ceiling(&full, Goal::Value)?,
        work_everyone: ceiling(&full, Goal::Work)?,
    })
}

/// A ceiling as part of what is asked for: it may exceed it by the solver's last digits, or by being strict.
fn part(served: f64, asked: f64) -> f64 {
    if asked > 0.0 { (served / asked).min(1.0) } else { 1.0 }
}
