//! Bursts that a plan, which is as old as the last period, does not know of: two candidates are drawn and the one with the
//! shorter expected wait takes the invocation, if that beats the wait here. Two choices are nearly as good as all
//! (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001), and cost no message. What a node has
//! itself sent since a report was made is added to it, or all would run to the peer that was idle then.

use super::drawing::try_peer;
use super::{Choice, NO_WAY, NOBODY, World, tried};
use crate::config::{Load, Report};
use crate::count::LOCAL;
use crate::opaque::opaque;
use crate::plan::{MAX_CANDIDATES, Plan};

/// The local gateway, which the plan wants; or an overflow candidate, if the wait here is too long or a limit is reached.
#[inline(never)]
pub(super) fn at_home<W: World>(choice: &mut Choice<'_, W>, plan: &Plan) -> u32 {
    let here = if plan.candidates != 0 { choice.world.wait(LOCAL) } else { 0 };
    // What a candidate has to beat: nobody is asked to beat nothing.
    let mut bound = if here > plan.overflow_above { here } else { 0 };
    for round in 0..2 {
        if bound != 0 {
            let outcome = overflow(choice, plan, bound);
            if outcome != NOBODY {
                return outcome;
            }
        }
        if round == 0 {
            let outcome = choice.try_local();
            if outcome != NOBODY || plan.candidates == 0 {
                return outcome;
            }
            // At a limit everybody is better.
            bound = NO_WAY;
        }
    }
    NOBODY
}

/// The better of two candidates, if it beats the wait here.
#[inline(always)]
fn overflow<W: World>(choice: &mut Choice<'_, W>, plan: &Plan, here: u32) -> u32 {
    let (first, second) = two(plan.candidates, choice.world.random());
    let (first, second) = (candidate(plan, first), candidate(plan, second));
    let (wait, other) = (wait(choice, first), wait(choice, second));
    let (best, shortest) = if other < wait { (second, other) } else { (first, wait) };
    if shortest >= here {
        return NOBODY;
    }
    let outcome = try_peer(&mut choice.world, best, 0);
    if outcome != NOBODY {
        choice.world.overflowed();
        // The gateway was drawn, but not asked: it may be drawn again after a refusal.
        *choice.world.tried() &= !plan.locals;
    }
    outcome
}

#[inline(always)]
fn wait<W: World>(choice: &mut Choice<'_, W>, backend: u32) -> u32 {
    if tried::has_refused(*choice.world.tried(), backend) { NO_WAY } else { choice.world.wait(backend) }
}

#[inline(always)]
fn candidate(plan: &Plan, index: u32) -> u32 {
    let index = opaque(index) & (MAX_CANDIDATES as u32 - 1);
    // SAFETY: masked just now, in a way that the kernel's verifier sees too.
    unsafe { *(&raw const plan.candidate).cast::<u16>().add(index as usize) as u32 }
}

/// Two different indexes below `count`, as far as there are two.
#[inline(always)]
pub(super) const fn two(count: u32, random: u32) -> (u32, u32) {
    let first = ((random & 0xffff) * count) >> 16;
    let step = ((random >> 16) * count.saturating_sub(1)) >> 16;
    let second = first + 1 + step;
    (first, if second >= count { second.wrapping_sub(count) } else { second })
}

/// How long (us) an invocation is expected to wait at a peer: what it reported, and what this node has sent it since;
/// [`NO_WAY`] if it has reported nothing.
#[inline(always)]
#[must_use]
pub const fn expected_wait(report: &Report, load: &Load) -> u32 {
    if report.known == 0 {
        return NO_WAY;
    }
    let since = (load.sent as u32).wrapping_sub(report.sent);
    let wait = report.wait as u64 + ((since as u64 * report.pace as u64) >> 16);
    if wait < NO_WAY as u64 { wait as u32 } else { NO_WAY - 1 }
}

/// The same at the local gateway, where what is under way is known at every moment.
#[inline(always)]
#[must_use]
pub const fn wait_here(report: &Report, load: &Load) -> u32 {
    let work = if load.under_way < u32::MAX as u64 { load.under_way } else { u32::MAX as u64 };
    let wait = report.wait as u64 + ((work * report.pace as u64) >> 16);
    if wait < NO_WAY as u64 { wait as u32 } else { NO_WAY - 1 }
}

/// Whether an invocation is expected to wait at the local gateway for longer than `most` (us); 0: no wait is too long. While
/// nothing is known of the gateway's processors none is.
#[inline(always)]
#[must_use]
pub const fn waits_too_long(most: u32, report: &Report, load: &Load) -> bool {
    most != 0 && wait_here(report, load) > most
}
