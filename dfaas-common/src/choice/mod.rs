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
mod world;

pub use self::drawing::Draw;
use self::overflow::at_home;
pub use self::overflow::{expected_wait, wait_here, waits_too_long};
pub use self::world::{Limits, Taken, World};
use crate::count::{LOCAL, REJECT};
use crate::pick::draw;
use crate::plan::{Plan, flag, mode};

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
        // The local rate is that of users; of peers there is one of its own. How long one waits here was looked at when
        // the connection came, when another node could still take it.
        let limits = Limits { interval: 0, wait: 0, ..Limits::of(self.plan) };
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
