//! Nodes that repeat measured runs.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::network::Draw;
use crate::scenario::{Measured, Piece, Runs};

/// The run that each node repeats, drawn as the original's simulator does: a kind by the shares, and any of its runs.
pub(super) fn drawn<'a>(runs: &'a Runs, count: usize, random: &mut ChaCha8Rng) -> Vec<&'a Measured> {
    // Shares that cannot be meant are an error of the scenario.
    let kinds = Draw::Independent.assign(&runs.kinds, count, random).unwrap_or_default();
    let mut of_kind = |kind: usize| {
        let all: Vec<&Measured> = runs.measured.iter().filter(|run| run.kind == kind).collect();
        all[random.random_range(0..all.len())]
    };
    kinds.into_iter().map(&mut of_kind).collect()
}

/// What users ask for, where it changes, and nothing after the last minute.
pub(super) fn pieces(runs: &Runs, drawn: &[&Measured]) -> Vec<Piece> {
    let of_function = |(node, run): (usize, &&Measured)| -> Vec<Piece> {
        let rates = run.functions.iter().flat_map(|of| {
            of.rates.iter().chain([&0.0]).zip(0..).map(move |(rate, minute)| (of, *rate, minute))
        });
        rates
            .map(|(of, rate, minute)| Piece {
                from: runs.minute * minute,
                node,
                function: of.name.clone(),
                rate,
            })
            .collect()
    };
    drawn.iter().enumerate().flat_map(of_function).collect()
}
