//! The choice, tried out.

use std::collections::BTreeMap;

use dfaas_common::choice::{Choice, Limits, TOO_MANY, Taken, UNAVAILABLE, World};
use dfaas_common::count::LOCAL;
use dfaas_common::pick::draw;
use dfaas_common::plan::mode;

use super::words::{limited_here, passed_over};
use super::{Outcome, Scene, Step};

/// Times that a choice is tried where chance has a part in it.
const TIMES: u64 = 10_000;

/// One choice in a scene, which stays as it is.
struct Trial<'s> {
    scene: &'s Scene,
    /// State of the random numbers (SplitMix64).
    random: u64,
    tried: u32,
    /// Whether chance has had no part so far.
    sure: bool,
    /// Whether a random number was taken that is not known to be of no importance.
    pending: bool,
    steps: Vec<Step>,
}

impl<'s> Trial<'s> {
    fn new(scene: &'s Scene, seed: u64) -> Self {
        Self { scene, random: seed, tried: 0, sure: true, pending: false, steps: Vec::new() }
    }

    /// The outcome, as the choice has it.
    fn run(&mut self) -> u32 {
        let plan = self.scene.in_force();
        Choice::new(self, plan).choose()
    }

    /// Notes a step, if it comes about whatever the random numbers are.
    fn note(&mut self, step: &str, says: String) {
        self.sure &= !self.pending;
        if self.sure {
            self.steps.push(Step::new(step, says));
        }
    }
}

impl World for Trial<'_> {
    fn tried(&mut self) -> &mut u32 {
        &mut self.tried
    }

    fn random(&mut self) -> u32 {
        self.sure &= !self.pending;
        self.pending = true;
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 32) as u32
    }

    fn turn(&mut self) -> u64 {
        let draws = self.scene.draws;
        // Every draw takes a random number first; an evenly spaced one does not look at it.
        self.pending = false;
        if self.scene.in_force().is_some_and(|plan| plan.mode == mode::SMOOTH) {
            let point = f64::from(draw(mode::SMOOTH, 0, draws)) * 100.0 / 65_536.0;
            self.note("draw", format!("evenly spaced: draw {draws} is at {point:.2}% of the shares"));
        } else {
            self.note("draw", "at random, by the shares".to_owned());
            self.sure = false;
        }
        draws
    }

    fn local(&mut self, limits: Limits) -> Taken {
        let scene = self.scene;
        if !scene.home_reachable() {
            self.note("local", format!("{} cannot be reached", scene.home.1));
            return Taken::Unreachable;
        }
        if let Some(why) = limited_here(scene, limits) {
            self.note("local", why);
            return Taken::Limited;
        }
        self.note("local", "takes it".to_owned());
        Taken::Yes
    }

    fn peer(&mut self, backend: u32, interval: u64) -> Taken {
        let scene = self.scene;
        let name = scene.name(backend);
        let taken = match scene.backends.get(&backend) {
            Some(peer) if peer.reachable() => {
                if scene.has_token(peer.arrival, interval) {
                    Taken::Yes
                } else {
                    Taken::Limited
                }
            }
            _ => Taken::Unreachable,
        };
        let says = match passed_over(scene, backend, interval) {
            Some(why) => format!("{name} is passed over: {why}"),
            None => format!("{name} takes it, unless it refuses"),
        };
        self.note("peer", says);
        taken
    }

    fn wait(&mut self, backend: u32) -> u32 {
        self.sure &= !self.pending;
        self.scene.wait(backend)
    }

    fn peers_rate(&mut self, _: u64) -> bool {
        // Asked for peers' invocations only.
        true
    }

    fn open(&mut self) -> bool {
        true
    }

    fn release(&mut self) {}

    fn overflowed(&mut self) {
        self.note("overflow", "the better of two candidates has the shorter wait".to_owned());
    }
}

/// The steps of the choice as far as chance has no part in them.
pub(super) fn recorded(scene: &Scene) -> Vec<Step> {
    let mut trial = Trial::new(scene, 0);
    trial.run();
    trial.steps
}

/// All that can come of the choice. The same scene always gives the same answer.
pub(super) fn outcomes(scene: &Scene) -> Vec<Outcome> {
    let mut first = Trial::new(scene, 0);
    let outcome = first.run();
    let times = if first.sure && !first.pending { 1 } else { TIMES };
    let mut counts: BTreeMap<u32, u64> = BTreeMap::from([(outcome, 1)]);
    for seed in 1..times {
        *counts.entry(Trial::new(scene, seed.wrapping_mul(0x2545_f491_4f6c_dd1d)).run()).or_default() += 1;
    }
    let name = |outcome| match outcome {
        TOO_MANY => "429".to_owned(),
        UNAVAILABLE => "503".to_owned(),
        LOCAL => "local".to_owned(),
        peer => scene.name(peer),
    };
    let mut outcomes: Vec<Outcome> = counts
        .into_iter()
        .map(|(outcome, count)| Outcome { backend: name(outcome), probability: count as f64 / times as f64 })
        .collect();
    outcomes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    outcomes
}
