//! Loads with the parameters of the original DFaaS: those its reinforcement learning agents were trained on, and the
//! triangle of its simulators. Each is requests a second in successive steps of one node.

use std::f64::consts::TAU;

use rand::Rng;
use rand::distr::Distribution as _;
use rand::seq::SliceRandom as _;
use rand_distr::StandardNormal;

/// Steps of a day, five minutes each.
pub const STEPS: usize = 288;
/// Seconds of such a step.
pub const STEP_SECONDS: f64 = 300.0;
/// The lowest and highest rate.
pub const LIMITS: (f64, f64) = (1.0, 150.0);

fn limited(rate: f64) -> f64 {
    rate.round().clamp(LIMITS.0, LIMITS.1)
}

fn normal(rng: &mut impl Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// One sinusoid over all steps for each node: mean 70, amplitude 65, phases spread evenly and given to the nodes at
/// random, so that they do not peak together; noise of 5 to 10 % of the amplitude, another share for each node.
pub fn sinusoidal(nodes: usize, steps: usize, rng: &mut impl Rng) -> Vec<Vec<f64>> {
    const MEAN: f64 = 70.0;
    const AMPLITUDE: f64 = 65.0;
    let mut rates: Vec<Vec<f64>> = (0..nodes)
        .map(|node| {
            let noise = rng.random_range(0.05..0.1) * AMPLITUDE;
            let phase = TAU * node as f64 / nodes as f64;
            let wave = |step: usize| MEAN + AMPLITUDE * (TAU * step as f64 / steps as f64 + phase).sin();
            (0..steps).map(|step| limited(wave(step) + noise * normal(rng))).collect()
        })
        .collect();
    rates.shuffle(rng);
    rates
}

/// Each step of each node by itself, normal with mean 61 and standard deviation 32.
pub fn gaussian(nodes: usize, steps: usize, rng: &mut impl Rng) -> Vec<Vec<f64>> {
    let mut step = || limited(61.0 + 32.0 * normal(rng));
    (0..nodes).map(|_| (0..steps).map(|_| step()).collect()).collect()
}

/// The first node always at 5, the others straight from 1 to 150.
pub fn linear(nodes: usize, steps: usize) -> Vec<Vec<f64>> {
    let last = steps.saturating_sub(1).max(1) as f64;
    let growth = |step: usize| limited(LIMITS.0 + (LIMITS.1 - LIMITS.0) * step as f64 / last);
    (0..nodes)
        .map(|node| (0..steps).map(|step| if node == 0 { 5.0 } else { growth(step) }).collect())
        .collect()
}

/// At half time nodes with even index go from 5 to 70, the others from 100 to 30.
pub fn step_change(nodes: usize, steps: usize) -> Vec<Vec<f64>> {
    let rates = |node: usize| if node.is_multiple_of(2) { [5.0, 70.0] } else { [100.0, 30.0] };
    (0..nodes)
        .map(|node| (0..steps).map(|step| rates(node)[usize::from(step >= steps / 2)]).collect())
        .collect()
}

/// Up to `peak` in the middle and down again, in `steps` steps (seven, of a minute, there): in step i of the m =
/// ceil(steps/2) rising ones a whole number drawn from `[i peak/m, (i+1) peak/m]`, and the same falling.
pub fn triangular(peak: f64, steps: usize, rng: &mut impl Rng) -> Vec<f64> {
    let middle = steps.div_ceil(2);
    (0..steps)
        .map(|step| {
            let low = if step < middle { step } else { steps - step - 1 } as f64;
            let slice = peak.max(0.0) / middle as f64;
            rng.random_range((low * slice) as u64..=((low + 1.0) * slice).ceil() as u64) as f64
        })
        .collect()
}
