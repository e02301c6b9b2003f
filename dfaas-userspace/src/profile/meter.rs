use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

use super::Target;
use crate::machine::{FunctionName, Machine, Pattern};

/// Looks at this machine, on which the gateway is.
#[derive(Debug)]
pub struct Meter {
    machine: Machine,
    function: FunctionName,
    /// Processors in use while no load was put, of which this process had none.
    idle: Option<f64>,
}

/// One look.
#[derive(Debug, Clone)]
pub(super) struct Look {
    at: Instant,
    cores: Option<f64>,
    busy: Option<Duration>,
    own: Option<Duration>,
    function: Option<Duration>,
    /// Memory in use and all of it.
    memory: Option<(u64, u64)>,
    function_memory: Option<u64>,
}

/// What was used between two looks, as parts of what there is; `None`: not measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Used {
    /// Processor time of the node.
    pub cpu: Option<f64>,
    /// That of the function.
    pub function_cpu: Option<f64>,
    /// Memory in use on the node at the end.
    pub memory: Option<f64>,
    /// That of the function.
    pub function_memory: Option<f64>,
}

impl Meter {
    /// Of `target`, whose cgroups are where `pattern` says.
    pub fn new(target: &Target, pattern: Option<Pattern>) -> Self {
        let (name, namespace) = target.at_gateway.clone();
        let canonical = target.name().to_owned();
        Self {
            machine: Machine::new(pattern),
            function: FunctionName { canonical, name, namespace },
            idle: None,
        }
    }

    pub(super) fn look(&mut self) -> Look {
        let reading = self.machine.read(std::slice::from_ref(&self.function));
        let total = reading.memory_total;
        Look {
            at: Instant::now(),
            cores: reading.cores,
            busy: reading.busy,
            own: own(),
            function: reading.functions.get(&self.function.canonical).copied(),
            memory: reading.memory_free.zip(total).map(|(free, total)| (total.saturating_sub(free), total)),
            function_memory: self.machine.memory_of(&self.function),
        }
    }

    /// What was used between two looks; `idle`: no load was put, and the next ones are compared with it.
    ///
    /// The function's processor time is that of its cgroup. Where that is not seen, it is what the node used more than while
    /// it was idle, without this process, which puts the load.
    pub(super) fn used(&mut self, before: &Look, now: &Look, idle: bool) -> Used {
        let seconds = now.at.saturating_duration_since(before.at).as_secs_f64();
        let part =
            |used: f64| now.cores.filter(|cores| *cores > 0.0).map(|cores| (used / cores).clamp(0.0, 1.0));
        let used = |before: Option<Duration>, now: Option<Duration>| {
            let used = now?.checked_sub(before?)?;
            (seconds > 0.0).then(|| used.as_secs_f64() / seconds)
        };
        let node = used(before.busy, now.busy);
        let others = node.zip(used(before.own, now.own)).map(|(node, own)| (node - own).max(0.0));
        if idle {
            self.idle = others;
        }
        let by_difference = others.zip(self.idle).map(|(used, idle)| (used - idle).max(0.0));
        let function = used(before.function, now.function).or(by_difference);
        let of_memory =
            |bytes: u64| now.memory.map(|(_, total)| (bytes as f64 / total as f64).clamp(0.0, 1.0));
        Used {
            cpu: others.and_then(part),
            function_cpu: function.and_then(part),
            memory: now.memory.and_then(|(used, _)| of_memory(used)),
            function_memory: now.function_memory.and_then(of_memory),
        }
    }

    /// Whether the function's cgroup is seen.
    pub(super) fn sees_function(look: &Look) -> bool {
        look.function.is_some()
    }
}

/// Processor time of this process.
fn own() -> Option<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let time = |value: nix::sys::time::TimeVal| {
        let seconds = u64::try_from(value.tv_sec()).ok()?;
        Some(Duration::from_secs(seconds) + Duration::from_micros(u64::try_from(value.tv_usec()).ok()?))
    };
    time(usage.user_time())?.checked_add(time(usage.system_time())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(at: Instant, busy: u64, own: u64, function: Option<u64>) -> Look {
        Look {
            at,
            cores: Some(4.0),
            busy: Some(Duration::from_millis(busy)),
            own: Some(Duration::from_millis(own)),
            function: function.map(Duration::from_millis),
            memory: Some((1 << 30, 4 << 30)),
            function_memory: function.map(|_| 1 << 29),
        }
    }

    fn meter() -> Meter {
        let name = "ocr".to_owned();
        let function = FunctionName { canonical: name.clone(), name, namespace: "fn".to_owned() };
        Meter { machine: Machine::new(None), function, idle: None }
    }

    #[test]
    fn without_a_cgroup_a_function_uses_what_the_node_uses_more_than_when_idle() {
        let (mut meter, begin) = (meter(), Instant::now());
        let second = |n: u64| begin + Duration::from_secs(n);
        let idle = meter.used(&look(begin, 0, 0, None), &look(second(1), 500, 100, None), true);
        assert_eq!((idle.cpu, idle.function_cpu), (Some(0.1), Some(0.0)), "0.4 of four processors");
        let busy = meter.used(&look(second(1), 500, 100, None), &look(second(2), 3_500, 700, None), false);
        assert_eq!((busy.cpu, busy.function_cpu), (Some(0.6), Some(0.5)), "2.4, which is 2 more");
        assert_eq!((busy.memory, busy.function_memory), (Some(0.25), None));
    }

    #[test]
    fn a_cgroup_says_what_the_function_itself_used() {
        let (mut meter, begin) = (meter(), Instant::now());
        let later = look(begin + Duration::from_secs(2), 4_000, 0, Some(1_600));
        let used = meter.used(&look(begin, 0, 0, Some(0)), &later, false);
        assert_eq!((used.function_cpu, used.function_memory), (Some(0.2), Some(0.125)));
        let back = meter.used(&later, &look(begin + Duration::from_secs(3), 3_000, 0, None), false);
        assert_eq!((back.cpu, back.function_cpu), (None, None), "clocks that went back tell nothing");
    }
}
