use crate::agent::FunctionCounters;

/// Completions that a mean processor time is taken over, at least.
const ENOUGH: u64 = 5;

/// How it is known what an invocation takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cost {
    /// Processor seconds by the function's cgroup, over so many invocations.
    Cgroup(f64, u64),
    /// Seconds by the gateway's count: the lower quartile of the means of intervals, as waiting is in these.
    Gateway(f64),
    /// Seconds until the first byte, likewise.
    FirstByte(f64),
    /// Nothing of it was answered here.
    Unknown,
}

/// What is known of a function over a whole recording.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Totals {
    /// The last reading.
    pub last: FunctionCounters,
    /// Invocations of users that were served here.
    pub here: f64,
    /// That peers were given.
    pub away: f64,
    /// That were rejected.
    pub rejected: f64,
    /// Invocations that peers sent.
    pub from_peers: f64,
    /// Means of intervals, in seconds: by the gateway's count, and until the first byte.
    gateway: Vec<f64>,
    first_byte: Vec<f64>,
    /// Processor seconds, and completions in the same time.
    cpu: (f64, u64),
}

/// What a function did between two readings; nothing of what is not measured, or began anew.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Between {
    /// Completed invocations.
    pub completed: Option<u64>,
    /// Mean seconds of one: by the gateway's count, else until the first byte.
    pub service: Option<f64>,
    /// Processor seconds of its containers.
    pub cpu: Option<f64>,
}

impl Totals {
    /// Nothing yet: what comes is compared with this reading.
    pub fn since(first: &FunctionCounters) -> Self {
        Self { last: first.clone(), ..Self::default() }
    }

    /// Invocations of this node's users, whatever became of them.
    pub fn arrivals(&self) -> f64 {
        self.here + self.away + self.rejected
    }

    /// Takes the next reading; what grew since the last.
    pub fn take(&mut self, now: &FunctionCounters) -> Between {
        let before = std::mem::replace(&mut self.last, now.clone());
        let count = |old: Option<u64>, new: Option<u64>| new?.checked_sub(old?);
        let seconds = |old: Option<f64>, new: Option<f64>| {
            Some(new? - old?).filter(|grown| grown.is_finite() && *grown >= 0.0)
        };
        let completed = count(before.completed, now.completed);
        let busy = seconds(before.completed_seconds, now.completed_seconds);
        let first = count(Some(before.first_bytes), Some(now.first_bytes));
        let waited = seconds(Some(before.first_byte_seconds), Some(now.first_byte_seconds));
        let cpu = seconds(before.cpu_seconds, now.cpu_seconds);

        let (by_gateway, by_first_byte) = (mean(busy, completed), mean(waited, first));
        self.gateway.extend(by_gateway);
        self.first_byte.extend(by_first_byte);
        if let (Some(cpu), Some(done)) = (cpu, completed.or(first)) {
            self.cpu = (self.cpu.0 + cpu, self.cpu.1 + done);
        }
        Between { completed, service: by_gateway.or(by_first_byte), cpu }
    }

    /// What an invocation takes.
    pub fn cost(&self) -> Cost {
        let (cpu, done) = self.cpu;
        if done >= ENOUGH && cpu > 0.0 {
            return Cost::Cgroup(cpu / done as f64, done);
        }
        let by_gateway = lower_quartile(&self.gateway).map(Cost::Gateway);
        by_gateway.or_else(|| lower_quartile(&self.first_byte).map(Cost::FirstByte)).unwrap_or(Cost::Unknown)
    }
}

fn mean(sum: Option<f64>, count: Option<u64>) -> Option<f64> {
    let count = count.filter(|count| *count > 0)?;
    Some(sum? / count as f64)
}

/// Of means that have waiting in them, one with little of it.
fn lower_quartile(means: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = means.iter().copied().filter(|mean| *mean > 0.0).collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 4).copied()
}
