//! The order of choice: which backend an invocation is bound to, by the plan of its function.
//!
//! 1. A local-first plan serves here while the limits allow it.
//! 2. Else a target is drawn from the shares; peers that cannot be reached or whose rate is spent are passed over, and
//!    the others keep their proportions.
//! 3. Where the draw says "here" although the wait here has grown too long, or a limit is reached, the better of two
//!    overflow candidates takes it ([`overflow`]).
//! 4. After a refusal another target once, then the local gateway, then nobody: 429 if a limit stood in the way of
//!    somebody, 503 if all refused or are out of reach.
//!
//! Pure: what can be reached, limits, time and random numbers are a [`World`]. The kernel programs are one, what explains
//! a choice to operators is another, the simulator a third.

mod drawing;
mod overflow;
#[cfg(test)]
mod tests;
pub mod tried;

pub use self::drawing::Draw;
use self::overflow::at_home;
pub use self::overflow::{expected_wait, wait_here};
use crate::count::{LOCAL, REJECT};
use crate::pick::draw;
use crate::plan::{MAX_TARGETS, Plan, flag, mode};

/// The choice "answer 429": a limit was reached and nobody else takes it.
pub const TOO_MANY: u32 = REJECT + 1;
/// The choice "answer 503": nobody takes it.
pub const UNAVAILABLE: u32 = REJECT + 2;

/// No target has taken it yet.
const NOBODY: u32 = REJECT + 3;
/// The local gateway was drawn and is still to be asked.
const HERE: u32 = REJECT + 4;

/// The expected wait at a backend that cannot take anything.
pub const NO_WAY: u32 = u32::MAX;

/// Whether a backend has taken an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is bound there.
    Yes,
    /// A limit stands in the way.
    Limited,
    /// It cannot be reached.
    Unreachable,
}

/// Limits of the local gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most invocations of the function that it serves at one time; 0: no limit.
    pub inflight: u32,
    /// Nanoseconds between invocations at the local rate limit; 0: no limit.
    pub interval: u64,
}

impl Limits {
    /// None at all.
    pub const NONE: Self = Self { inflight: 0, interval: 0 };

    /// Those of a plan; without one there are none.
    #[inline(always)]
    #[must_use]
    pub fn of(plan: Option<&Plan>) -> Self {
        match plan {
            Some(plan) => Self { inflight: plan.local_inflight, interval: plan.local_interval },
            None => Self::NONE,
        }
    }
}

/// What a choice is made in: it knows the invocation, and binds it.
pub trait World {
    /// What is remembered between the choices for one request: bits of [`tried`].
    fn tried(&mut self) -> &mut u32;
    /// 32 random bits.
    fn random(&mut self) -> u32;
    /// How many draws of this function there were before; this one counts.
    fn turn(&mut self) -> u64;
    /// Binds the invocation to the gateway that serves its function here, within these limits.
    fn local(&mut self, limits: Limits) -> Taken;
    /// Binds it to a peer; `interval` is that of the limit of what the function may send there, 0: none.
    fn peer(&mut self, backend: u32, interval: u64) -> Taken;
    /// How long (us) an invocation is expected to wait at a backend, network included; [`NO_WAY`] if it cannot be sent
    /// there.
    fn wait(&mut self, backend: u32) -> u32;
    /// Takes one from what peers may have of the function.
    fn peers_rate(&mut self, interval: u64) -> bool;
    /// Makes a connection to the backend that it was bound to possible; `false` undoes the binding.
    fn open(&mut self) -> bool;
    /// Undoes the binding.
    fn release(&mut self);
    /// A candidate has taken what exceeds the local limits.
    fn overflowed(&mut self) {}

    /// Draws targets of the plan, the first at this point, until one ends the drawing ([`Draw::try_target`]).
    fn draw(&mut self, plan: &Plan, point: u32) -> u32
    where
        Self: Sized,
    {
        let mut draw = Draw::new(self, plan, point);
        for _ in 0..MAX_TARGETS {
            if draw.try_target() {
                break;
            }
        }
        draw.outcome
    }
}

impl<W: World> World for &mut W {
    #[inline(always)]
    fn tried(&mut self) -> &mut u32 {
        (**self).tried()
    }
    #[inline(always)]
    fn random(&mut self) -> u32 {
        (**self).random()
    }
    #[inline(always)]
    fn turn(&mut self) -> u64 {
        (**self).turn()
    }
    #[inline(always)]
    fn local(&mut self, limits: Limits) -> Taken {
        (**self).local(limits)
    }
    #[inline(always)]
    fn peer(&mut self, backend: u32, interval: u64) -> Taken {
        (**self).peer(backend, interval)
    }
    #[inline(always)]
    fn wait(&mut self, backend: u32) -> u32 {
        (**self).wait(backend)
    }
    #[inline(always)]
    fn peers_rate(&mut self, interval: u64) -> bool {
        (**self).peers_rate(interval)
    }
    #[inline(always)]
    fn open(&mut self) -> bool {
        (**self).open()
    }
    #[inline(always)]
    fn release(&mut self) {
        (**self).release();
    }
    #[inline(always)]
    fn overflowed(&mut self) {
        (**self).overflowed();
    }
    #[inline(always)]
    fn draw(&mut self, plan: &Plan, point: u32) -> u32 {
        (**self).draw(plan, point)
    }
}

/// One choice.
pub struct Choice<'p, W> {
    world: W,
    plan: Option<&'p Plan>,
}

impl<'p, W: World> Choice<'p, W> {
    /// A choice by this plan; without one everything is served here.
    #[inline(always)]
    pub const fn new(world: W, plan: Option<&'p Plan>) -> Self {
        Self { world, plan }
    }

    /// Chooses a backend that has not been tried, and binds the invocation to it: [`LOCAL`], a peer's number,
    /// [`TOO_MANY`] or [`UNAVAILABLE`].
    #[inline(always)]
    pub fn choose(&mut self) -> u32 {
        // Once more if no connection to the first is possible.
        for _ in 0..2 {
            let outcome = self.bind();
            if outcome >= REJECT || self.world.open() {
                return outcome;
            }
        }
        UNAVAILABLE
    }

    /// After a refusal by a backend, or its silence: another target once, then the local gateway, then nobody.
    #[inline(always)]
    pub fn choose_again(&mut self, refused: u32) -> u32 {
        if *self.world.tried() & tried::RETRIED == 0 {
            *self.world.tried() |= tried::RETRIED | tried::refused(refused);
            return self.choose();
        }
        let outcome = self.last_resort();
        if outcome >= REJECT || self.world.open() { outcome } else { UNAVAILABLE }
    }

    /// The same for a request of a peer, which has been admitted: a gateway of this node, if it can be reached and the
    /// limits allow it. Never another peer.
    #[inline(always)]
    pub fn for_peer(&mut self) -> u32 {
        // The local rate is that of users; of peers there is one of its own.
        let limits = Limits { interval: 0, ..Limits::of(self.plan) };
        let peers = self.plan.map_or(0, |plan| plan.peers_interval);
        match self.world.local(limits) {
            Taken::Yes => {}
            Taken::Limited => return TOO_MANY,
            Taken::Unreachable => return UNAVAILABLE,
        }
        if !self.world.peers_rate(peers) {
            self.world.release();
            return TOO_MANY;
        }
        if self.world.open() { LOCAL } else { UNAVAILABLE }
    }

    /// Binds the invocation to a backend that has not been tried; whether it can be connected to is still to be seen.
    #[inline(always)]
    fn bind(&mut self) -> u32 {
        let Some(plan) = self.plan else { return self.last_resort() };
        let first = plan.flags & flag::LOCAL_FIRST != 0 && *self.world.tried() & tried::LOCAL == 0;
        let mut outcome = if first { HERE } else { NOBODY };
        // The gateway is asked once at most: it is not drawn any more then.
        for _ in 0..3 {
            if outcome == HERE {
                outcome = at_home(self, plan);
                if outcome != NOBODY {
                    return outcome;
                }
            }
            outcome = self.draw_targets(plan);
            if outcome != HERE {
                break;
            }
        }
        if outcome != NOBODY {
            return outcome;
        }
        let tried = *self.world.tried();
        if tried & tried::LIMITED != 0 && tried & tried::RETRIED == 0 {
            // The plan gives the gateway no share of what its limits refuse.
            return TOO_MANY;
        }
        // Only peers were planned, and none can be reached, or one refused.
        self.last_resort()
    }

    /// Draws targets of a plan until a peer takes the invocation, or the local gateway is drawn.
    #[inline(always)]
    fn draw_targets(&mut self, plan: &Plan) -> u32 {
        let point = if *self.world.tried() & tried::TARGETS == 0 {
            draw(plan.mode, self.world.random(), self.world.turn())
        } else {
            // A second choice takes nothing from the sequence, or a peer that refuses would be drawn too often: the
            // point after its own is never its own again.
            draw(mode::SHARE, self.world.random(), 0)
        };
        self.world.draw(plan, point)
    }

    /// Tries the local gateway within the limits of the plan.
    #[inline(always)]
    fn try_local(&mut self) -> u32 {
        let limits = Limits::of(self.plan);
        *self.world.tried() |= tried::LOCAL;
        match self.world.local(limits) {
            Taken::Yes => return LOCAL,
            Taken::Limited => *self.world.tried() |= tried::LIMITED,
            Taken::Unreachable => {}
        }
        NOBODY
    }

    /// The local gateway, if it has not been tried, within the limits of the plan; nobody otherwise.
    #[inline(always)]
    fn last_resort(&mut self) -> u32 {
        if *self.world.tried() & tried::LOCAL == 0 && self.try_local() == LOCAL {
            return LOCAL;
        }
        if *self.world.tried() & tried::LIMITED != 0 { TOO_MANY } else { UNAVAILABLE }
    }
}
