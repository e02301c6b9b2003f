use std::collections::VecDeque;

use crate::federation::{Nanos, Service};

/// Instances of the functions at a node: each serves so many requests at one time, has its memory, and takes its time to
/// start. At least one of each function runs from the start on as far as memory reaches, as OpenFaaS does; more are started
/// when requests wait for one, and idle ones are stopped when others need their memory.
#[derive(Debug)]
pub(super) struct Instances {
    /// MiB that are left; `None`: memory does not count.
    free: Option<u64>,
    functions: Vec<Pool>,
    /// Tells starts of an earlier run of the node from those of this one.
    pub epoch: u16,
}

/// Those of one function.
#[derive(Debug)]
struct Pool {
    /// Whether requests need one at all: functions without start time, memory and bound are always there.
    counts: bool,
    memory: u64,
    concurrency: u32,
    cold: Nanos,
    ready: u32,
    starting: u32,
    /// Requests in instances that are ready.
    inside: u64,
    waiting: VecDeque<u32>,
    used: Nanos,
}

/// What becomes of a request that needs an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// There is one.
    Found,
    /// It waits for one.
    Waits,
    /// It waits for one that starts now and takes so long to.
    Starts(Nanos),
    /// There is none and no memory for one.
    Refused,
}

impl Pool {
    fn new(service: &Service) -> Self {
        Self {
            counts: service.cold_start > 0 || service.memory > 0 || service.concurrency.is_some(),
            memory: service.memory,
            concurrency: service.concurrency.unwrap_or(u32::MAX).max(1),
            cold: service.cold_start,
            ready: 0,
            starting: 0,
            inside: 0,
            waiting: VecDeque::new(),
            used: 0,
        }
    }

    fn room(&self) -> u64 {
        u64::from(self.ready) * u64::from(self.concurrency) - self.inside
    }

    /// Instances without which those that are left could serve what is inside.
    fn idle(&self) -> u64 {
        self.room() / u64::from(self.concurrency)
    }
}

impl Instances {
    /// A node with so many MiB that serves these.
    pub(super) fn new(memory: Option<u64>, functions: &[Service]) -> Self {
        let mut instances =
            Self { free: memory, functions: functions.iter().map(Pool::new).collect(), epoch: 0 };
        for function in 0..functions.len() {
            if instances.reserve(function) {
                instances.functions[function].ready = 1;
            }
        }
        instances
    }

    /// The node starts anew.
    pub(super) fn restart(&mut self, memory: Option<u64>, functions: &[Service]) {
        let epoch = self.epoch.wrapping_add(1);
        *self = Self { epoch, ..Self::new(memory, functions) };
    }

    /// Takes the memory of one more instance, if there is so much.
    fn reserve(&mut self, function: usize) -> bool {
        let needed = self.functions[function].memory;
        match &mut self.free {
            None => true,
            Some(free) if *free >= needed => {
                *free -= needed;
                true
            }
            Some(_) => false,
        }
    }

    /// Stops idle instances of other functions, the one used longest ago first, until there is memory for one more.
    fn make_room(&mut self, function: usize) -> bool {
        let others = || self.functions.iter().enumerate().filter(|(other, _)| *other != function);
        let idle: u64 = others().map(|(_, pool)| pool.idle() * pool.memory).sum();
        if self.free.is_some_and(|free| free + idle < self.functions[function].memory) {
            return false;
        }
        while !self.reserve(function) {
            let others = self.functions.iter().enumerate().filter(|(other, _)| *other != function);
            let idle = others.filter(|(_, pool)| pool.memory > 0 && pool.idle() > 0);
            let Some((oldest, _)) = idle.min_by_key(|(other, pool)| (pool.used, *other)) else {
                return false;
            };
            let pool = &mut self.functions[oldest];
            pool.ready -= 1;
            self.free = self.free.map(|free| free + pool.memory);
        }
        true
    }

    /// A request needs an instance.
    pub(super) fn enter(&mut self, now: Nanos, function: usize, request: u32) -> Place {
        let pool = &mut self.functions[function];
        if !pool.counts {
            return Place::Found;
        }
        pool.used = now;
        if pool.room() > 0 {
            pool.inside += 1;
            return Place::Found;
        }
        pool.waiting.push_back(request);
        let promised = u64::from(pool.starting) * u64::from(pool.concurrency);
        if pool.waiting.len() as u64 <= promised {
            return Place::Waits;
        }
        let cold = pool.cold;
        if self.make_room(function) {
            self.functions[function].starting += 1;
            return Place::Starts(cold);
        }
        let pool = &mut self.functions[function];
        if pool.ready + pool.starting > 0 {
            return Place::Waits;
        }
        pool.waiting.pop_back();
        Place::Refused
    }

    /// An instance has started; the requests that it takes.
    pub(super) fn started(&mut self, function: usize) -> Vec<u32> {
        let pool = &mut self.functions[function];
        (pool.starting, pool.ready) = (pool.starting - 1, pool.ready + 1);
        let number = pool.room().min(pool.waiting.len() as u64);
        pool.inside += number;
        pool.waiting.drain(..number as usize).collect()
    }

    /// A request has been served; the one that takes its place.
    pub(super) fn leave(&mut self, now: Nanos, function: usize) -> Option<u32> {
        let pool = &mut self.functions[function];
        if !pool.counts {
            return None;
        }
        pool.used = now;
        let next = pool.waiting.pop_front();
        pool.inside -= u64::from(next.is_none());
        next
    }

    /// Instances of a function that are ready; `None`: none are needed.
    pub(super) fn ready(&self, function: usize) -> Option<u32> {
        let pool = &self.functions[function];
        pool.counts.then_some(pool.ready)
    }

    /// MiB that are left.
    pub(super) fn free(&self) -> Option<u64> {
        self.free
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::federation::Federation;
    use crate::scenario::Scenario;

    /// A node of 300 MiB with `a` (100 MiB, one request at a time) and `b` (200 MiB, two at a time).
    fn node(memory: u64) -> Instances {
        let text = "duration = \"1s\"\n[nodes]\ncount = 1\ncores = [1]\n[load]\nutilisation = 0.1\n\
             [[functions]]\nname = \"a\"\ncpu = \"1ms\"\nmemory = 100\nconcurrency = 1\ncold_start = \"2s\"\n\
             [[functions]]\nname = \"b\"\ncpu = \"1ms\"\nmemory = 200\nconcurrency = 2\ncold_start = \"3s\"\n";
        let mut functions = Federation::new(&Scenario::parse(text).expect("sound"), 1).functions;
        functions.sort_by(|a, b| a.name.cmp(&b.name));
        Instances::new(Some(memory), &functions)
    }

    const A: usize = 0;
    const B: usize = 1;

    #[test]
    fn one_of_each_runs_from_the_start_on_and_serves_as_many_as_it_can() {
        let mut node = node(300);
        assert_eq!((node.ready(A), node.ready(B), node.free()), (Some(1), Some(1), Some(0)));
        assert_eq!([1, 2].map(|request| node.enter(0, B, request)), [Place::Found; 2]);
        assert_eq!(node.enter(0, B, 3), Place::Waits, "a is idle, but its 100 MiB are not enough");
        assert_eq!(node.ready(A), Some(1), "so it is not stopped for nothing");
    }

    #[test]
    fn who_finds_none_waits_for_a_start_and_the_next_for_the_same_one() {
        let mut node = node(1_000);
        assert_eq!([1, 2].map(|request| node.enter(0, B, request)), [Place::Found; 2]);
        assert_eq!(node.enter(0, B, 3), Place::Starts(3_000_000_000));
        assert_eq!(node.enter(0, B, 4), Place::Waits);
        assert_eq!(node.enter(0, B, 5), Place::Starts(3_000_000_000));
        assert_eq!(node.leave(1, B), Some(3), "who ends gives its place to who waits longest");
        assert_eq!(node.started(B), [4, 5]);
        assert_eq!(node.leave(2, B), None);
    }

    #[test]
    fn idle_instances_make_room_and_busy_ones_do_not() {
        let mut node = node(300);
        assert_eq!(node.enter(0, A, 1), Place::Found);
        assert_eq!(node.enter(0, A, 2), Place::Starts(2_000_000_000), "b is idle");
        assert_eq!((node.ready(B), node.free()), (Some(0), Some(100)));
        assert_eq!(node.enter(1, B, 3), Place::Refused);
        assert_eq!(node.started(A), [2]);
        assert_eq!((node.leave(2, A), node.leave(2, A)), (None, None));
        assert_eq!(node.enter(3, B, 4), Place::Starts(3_000_000_000));
        assert_eq!(node.started(B), [4]);
    }
}
