//! What a choice is made in.

use super::Draw;
use crate::plan::{MAX_TARGETS, Plan};

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
    /// Longest expected wait (us) with which it still takes one; 0: no limit ([`waits_too_long`](super::waits_too_long)).
    pub wait: u32,
}

impl Limits {
    /// None at all.
    pub const NONE: Self = Self { inflight: 0, interval: 0, wait: 0 };

    /// Those of a plan; without one there are none.
    #[inline(always)]
    #[must_use]
    pub fn of(plan: Option<&Plan>) -> Self {
        match plan {
            Some(plan) => {
                Self { inflight: plan.local_inflight, interval: plan.local_interval, wait: plan.local_wait }
            }
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
