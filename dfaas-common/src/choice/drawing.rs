//! Drawing a target from the shares of a plan.

use super::{HERE, NOBODY, Taken, UNAVAILABLE, World, tried};
use crate::count::{LOCAL, REJECT};
use crate::opaque::opaque;
use crate::pick::{draw, pick};
use crate::plan::{MAX_TARGETS, Plan, PlanTarget, mode};

/// One drawing.
#[repr(C)]
pub struct Draw<'p, W> {
    world: W,
    plan: &'p Plan,
    point: u32,
    /// The peer that has taken the invocation, or what else has ended the drawing.
    pub outcome: u32,
}

impl<'p, W: World> Draw<'p, W> {
    /// A drawing whose first target is the one at this point.
    #[inline(always)]
    pub const fn new(world: W, plan: &'p Plan, point: u32) -> Self {
        Self { world, plan, point, outcome: NOBODY }
    }

    /// Draws one target and tries it; `true` ends the drawing.
    #[inline(always)]
    pub fn try_target(&mut self) -> bool {
        let plan = self.plan;
        let tried = *self.world.tried();
        let excluded = if tried & tried::LOCAL != 0 { tried | plan.locals } else { tried };
        let Some(i) = pick(plan, self.point, excluded) else { return true };
        let i = opaque(i);
        if i >= MAX_TARGETS as u32 {
            return true;
        }
        *self.world.tried() |= 1 << i;
        // SAFETY: the index is checked just now, in a way that the kernel's verifier sees too.
        let backend = unsafe { (*(&raw const plan.targets).cast::<PlanTarget>().add(i as usize)).backend };
        self.outcome = match backend {
            LOCAL => HERE,
            REJECT => UNAVAILABLE,
            // SAFETY: as above.
            _ => try_peer(&mut self.world, backend, unsafe {
                *(&raw const plan.intervals).cast::<u64>().add(i as usize)
            }),
        };
        if self.outcome != NOBODY {
            return true;
        }
        // Among the rest at random: the same point again would give it all to the targets that lie there.
        self.point = draw(mode::SHARE, self.world.random(), 0);
        false
    }
}

/// Tries a peer that has not refused before.
#[inline(always)]
pub(super) fn try_peer<W: World>(world: &mut W, backend: u32, interval: u64) -> u32 {
    if tried::has_refused(*world.tried(), backend) {
        return NOBODY;
    }
    match world.peer(backend, interval) {
        Taken::Yes => return backend,
        Taken::Limited => *world.tried() |= tried::LIMITED,
        Taken::Unreachable => {}
    }
    NOBODY
}
