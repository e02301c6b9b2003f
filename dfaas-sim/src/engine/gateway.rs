use std::collections::VecDeque;

use super::sharing::Sharing;
use crate::federation::Nanos;
use crate::scenario::Discipline;

/// A node's gateway and processors: first come, first served, by as many at one time as there are processors, or all at
/// one time.
#[derive(Debug)]
pub(super) struct Gateway {
    cores: u32,
    idle: u32,
    queue: VecDeque<u32>,
    /// What is under way, if it shares the processors.
    sharing: Option<Sharing>,
    /// Mean work of what stands in the queue, or shares the processors.
    backlog: Nanos,
    /// How many times as long everything takes.
    slow: f64,
    /// Whether it takes everything and answers nothing.
    pub mute: bool,
}

/// What becomes of a request at a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offered {
    /// A processor takes it now.
    Begins,
    /// It waits.
    Queued,
    /// It shares the processors: when what ends first does has changed.
    Shares,
}

impl Gateway {
    pub(super) fn new(cores: u32, discipline: Discipline) -> Self {
        let sharing = (discipline == Discipline::Sharing).then(Sharing::default);
        Self { cores, idle: cores, queue: VecDeque::new(), sharing, backlog: 0, slow: 1.0, mute: false }
    }

    /// How long a request is expected to wait, by the mean work of those that wait.
    pub(super) fn expected_wait(&self) -> Nanos {
        if self.busy() < self.cores {
            return 0;
        }
        let wait = self.backlog / u64::from(self.cores);
        if self.slow == 1.0 { wait } else { self.stretched(wait) }
    }

    /// Takes a request that has so much work, and whose function has `mean` in the mean.
    pub(super) fn offer(&mut self, now: Nanos, request: u32, cpu: Nanos, mean: Nanos) -> Offered {
        if let Some(sharing) = &mut self.sharing {
            sharing.pass(now, self.cores, self.slow);
            sharing.add(request, cpu);
            self.backlog += mean;
            return Offered::Shares;
        }
        if self.idle > 0 {
            self.idle -= 1;
            return Offered::Begins;
        }
        self.queue.push_back(request);
        self.backlog += mean;
        Offered::Queued
    }

    /// A processor has become free; the request that it takes now. `mean` tells a request's mean work.
    pub(super) fn next(&mut self, mean: impl Fn(u32) -> Nanos) -> Option<u32> {
        match self.queue.pop_front() {
            Some(request) => {
                self.backlog = self.backlog.saturating_sub(mean(request));
                Some(request)
            }
            None => {
                self.idle += 1;
                None
            }
        }
    }

    /// When the first of those that share the processors ends if nothing changes, and the epoch in which that is so.
    pub(super) fn next_shared(&mut self) -> Option<(Nanos, u32)> {
        let sharing = self.sharing.as_mut()?;
        let at = sharing.next(self.cores, self.slow)?;
        Some((at, sharing.epoch))
    }

    /// The one that ends now, if this epoch is not over. `mean` tells a request's mean work.
    pub(super) fn take_shared(&mut self, now: Nanos, epoch: u32, mean: impl Fn(u32) -> Nanos) -> Option<u32> {
        let sharing = self.sharing.as_mut().filter(|sharing| sharing.epoch == epoch)?;
        sharing.pass(now, self.cores, self.slow);
        let request = sharing.take()?;
        self.backlog = self.backlog.saturating_sub(mean(request));
        Some(request)
    }

    /// Everything takes so many times as long from now on; what shares the processors too.
    pub(super) fn set_slow(&mut self, now: Nanos, slow: f64) {
        if let Some(sharing) = &mut self.sharing {
            sharing.pass(now, self.cores, self.slow);
        }
        self.slow = slow;
    }

    /// How long a request takes that has so much work.
    pub(super) fn takes(&self, cpu: Nanos) -> Nanos {
        if self.slow == 1.0 { cpu } else { self.stretched(cpu) }
    }

    fn stretched(&self, time: Nanos) -> Nanos {
        (time as f64 * self.slow) as Nanos
    }

    /// It is gone, with what stood in its queue and shared its processors.
    pub(super) fn clear(&mut self) {
        self.idle = self.cores;
        self.backlog = 0;
        self.queue.clear();
        self.sharing.iter_mut().for_each(Sharing::clear);
    }

    /// Processors at work.
    pub(super) fn busy(&self) -> u32 {
        match &self.sharing {
            Some(sharing) => self.cores.min(sharing.len() as u32),
            None => self.cores - self.idle,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_served_as_there_are_processors_and_the_others_in_turn() {
        let mut gateway = Gateway::new(2, Discipline::Fifo);
        let offered = [1, 2, 3, 4].map(|request| gateway.offer(0, request, 10, 10));
        assert_eq!(offered, [Offered::Begins, Offered::Begins, Offered::Queued, Offered::Queued]);
        assert_eq!(gateway.expected_wait(), 10);
        assert_eq!(
            (gateway.next(|_| 10), gateway.next(|_| 10), gateway.next(|_| 10)),
            (Some(3), Some(4), None)
        );
        assert_eq!((gateway.busy(), gateway.expected_wait()), (1, 0));
    }
}
