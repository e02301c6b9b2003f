use std::collections::VecDeque;

use crate::federation::Nanos;

/// A node's gateway and processors: first come, first served, by as many at one time as there are processors.
#[derive(Debug)]
pub(super) struct Gateway {
    cores: u32,
    idle: u32,
    queue: VecDeque<u32>,
    /// Mean work of what stands in the queue.
    backlog: Nanos,
    /// How many times as long everything takes.
    pub slow: f64,
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
}

impl Gateway {
    pub(super) fn new(cores: u32) -> Self {
        Self { cores, idle: cores, queue: VecDeque::new(), backlog: 0, slow: 1.0, mute: false }
    }

    /// How long a request is expected to wait, by the mean work of those that wait.
    pub(super) fn expected_wait(&self) -> Nanos {
        if self.idle > 0 {
            return 0;
        }
        let wait = self.backlog / u64::from(self.cores);
        if self.slow == 1.0 { wait } else { self.stretched(wait) }
    }

    /// Takes a request whose function takes `mean` in the mean.
    pub(super) fn offer(&mut self, request: u32, mean: Nanos) -> Offered {
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

    /// How long a request takes that has so much work.
    pub(super) fn takes(&self, cpu: Nanos) -> Nanos {
        if self.slow == 1.0 { cpu } else { self.stretched(cpu) }
    }

    fn stretched(&self, time: Nanos) -> Nanos {
        (time as f64 * self.slow) as Nanos
    }

    /// It is gone; what stood in its queue.
    pub(super) fn clear(&mut self) -> VecDeque<u32> {
        self.idle = self.cores;
        self.backlog = 0;
        std::mem::take(&mut self.queue)
    }

    /// Processors at work.
    pub(super) fn busy(&self) -> u32 {
        self.cores - self.idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_served_as_there_are_processors_and_the_others_in_turn() {
        let mut gateway = Gateway::new(2);
        let offered = [1, 2, 3, 4].map(|request| gateway.offer(request, 10));
        assert_eq!(offered, [Offered::Begins, Offered::Begins, Offered::Queued, Offered::Queued]);
        assert_eq!(gateway.expected_wait(), 10);
        assert_eq!(
            (gateway.next(|_| 10), gateway.next(|_| 10), gateway.next(|_| 10)),
            (Some(3), Some(4), None)
        );
        assert_eq!((gateway.busy(), gateway.expected_wait()), (1, 0));
    }
}
