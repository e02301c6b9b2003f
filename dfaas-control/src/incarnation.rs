use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::id::{NodeId, Time};
use crate::random::Random;

/// Farthest above the host's first guess that an incarnation is moved: 2^42 ms, about 139 years. A machine without a
/// battery starts in 1970 and must still get above what it was in its last run.
const REACH: u64 = 1 << 42;

/// Jumps within [`WINDOW`] that restarts explain. One more means a second agent with this identity.
const JUMPS: usize = 3;

/// The time in which jumps are counted.
const WINDOW: Duration = Duration::from_secs(30);

/// Bounds of the silence after a conflict. It is random, so that of two agents one comes back first.
const SILENCE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(120));

/// This node's own incarnation: the number that tells its runs apart.
///
/// It begins at the host's wall clock in milliseconds, which is only a first guess: a clock may have gone back since
/// the last run. Then a peer knows of a higher number, and this one jumps above it.
///
/// A second agent with the same identity looks the same, but does not stop: each jumps above the other, and their
/// peers tell it again and again. More than 3 jumps in 30 s, with two peers that insist, are a conflict: the host falls
/// silent, serves its users alone for 60 to 120 s and tries again. One that insists is enough where it is the only
/// one.
///
/// # What a lying peer can do
///
/// Little. Its word moves the number to at most 2^42 above the first guess, in however many steps; a higher claim is
/// [`Contest::Implausible`]. Alone it causes at most 3 jumps in 30 s and no conflict, unless there is no other peer,
/// and then by lying it cuts off nobody but itself. After a restart with a clock set back, honest peers contest once
/// each; one of them and a liar are no conflict either.
#[derive(Debug, Clone)]
pub struct Incarnation {
    current: u64,
    ceiling: u64,
    /// When jumps were made, and by whose word; not older than [`WINDOW`].
    jumps: VecDeque<(Time, NodeId)>,
    silent_until: Option<Time>,
}

/// What became of a peer's word about this node's incarnation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contest {
    /// It knows nothing higher: all is well.
    Agreed,
    /// This node's incarnation is a higher one now.
    Jumped,
    /// Contested too often: there is a second agent with this identity, and this one falls silent.
    Conflict,
    /// Not believed, without being wrong for certain: one peer alone contests again and again, or this node is silent.
    Ignored,
    /// Higher than any run of this node can have been: a lie.
    Implausible,
}

impl Incarnation {
    /// Begins at `guess`, milliseconds of the host's wall clock.
    pub fn new(guess: u64) -> Self {
        // 0 means "not known" in a beat.
        let current = guess.max(1);
        Self { current, ceiling: current.saturating_add(REACH), jumps: VecDeque::new(), silent_until: None }
    }

    /// The number of this run.
    pub fn current(&self) -> u64 {
        self.current
    }

    /// Whether another agent uses this identity and this one is silent for now.
    pub fn conflict(&self, now: Time) -> bool {
        self.silent_until.is_some_and(|until| now < until)
    }

    /// Takes what `peer`, one of `living` peers that live, says it knows of this node: incarnation `seen`, 0 for none.
    /// `random` gives the length of a silence.
    pub fn contested(
        &mut self,
        now: Time,
        peer: NodeId,
        seen: u64,
        living: usize,
        random: &mut dyn Random,
    ) -> Contest {
        if seen <= self.current {
            return Contest::Agreed;
        }
        if seen >= self.ceiling {
            return Contest::Implausible;
        }
        if self.conflict(now) {
            return Contest::Ignored;
        }
        while self.jumps.front().is_some_and(|(then, _)| now.since(*then) >= WINDOW) {
            self.jumps.pop_front();
        }
        let mut words: BTreeMap<NodeId, usize> = BTreeMap::from([(peer, 1)]);
        for (_, by) in &self.jumps {
            *words.entry(*by).or_default() += 1;
        }
        let insisting = words.values().filter(|words| **words >= 2).count();
        if self.jumps.len() >= JUMPS && insisting >= living.clamp(1, 2) {
            let (least, most) = SILENCE;
            self.silent_until = Some(now.after(least + (most - least).mul_f64(random.unit())));
            return Contest::Conflict;
        }
        if words[&peer] > JUMPS {
            return Contest::Ignored;
        }
        self.current = seen + 1;
        self.jumps.push_back((now, peer));
        Contest::Jumped
    }
}
