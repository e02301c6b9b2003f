use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_common::bucket::{TOLERANCE, admit_within, carried};
use dfaas_common::choice::{NO_WAY, expected_wait, wait_here, waits_too_long};
use dfaas_common::config::{Load, Report};
use dfaas_common::count::LOCAL;
use dfaas_common::plan::Plan;

/// All that the programs look at for one invocation, as it is at one moment.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Interfaces that the programs are attached to.
    pub interfaces: Vec<String>,
    /// Monotonic time, ns.
    pub now: u64,
    /// Whether new connections are steered.
    pub armed: bool,
    /// Entries of the flow table in use, and how many may be for a new connection to be steered.
    pub flows: (u64, u64),
    /// Who calls; nothing: any user.
    pub client: Option<Client>,
    /// Function number; 0: the name is not known.
    pub function: u32,
    /// Canonical name of the function.
    pub name: String,
    /// The plan, also if it has expired.
    pub plan: Option<Plan>,
    /// Draws made so far.
    pub draws: u64,
    /// Invocations of the function under way here.
    pub under_way: u64,
    /// State of the bucket of the local rate limit.
    pub local_arrival: u64,
    /// Backend number of the gateway that serves the function here, 0: the own one; its name and where it is.
    pub home: (u32, String),
    /// This node's gateway under its number, if it has an address of its own, and peers that the plan knows.
    pub backends: BTreeMap<u32, Backend>,
    /// What is known of waits at backends, the local one among them.
    pub waits: BTreeMap<u32, (Report, Load)>,
}

/// Whoever calls.
#[derive(Debug, Clone)]
pub struct Client {
    /// Whether it may use the node.
    pub is_user: bool,
    /// What it has already, if it has a connection from this very port.
    pub connection: Option<String>,
}

/// A backend with an address of its own.
#[derive(Debug, Clone)]
pub struct Backend {
    /// Its name.
    pub name: String,
    /// Whether invocations may be sent to it.
    pub usable: bool,
    /// Whether there is a route to it.
    pub routed: bool,
    /// State of the bucket of what the function may send there.
    pub arrival: u64,
    /// Connections that it has refused and that it has left unanswered so far.
    pub refused: (u64, u64),
}

impl Backend {
    /// Whether it can be sent to.
    pub fn reachable(&self) -> bool {
        self.usable && self.routed
    }
}

impl Scene {
    /// Whether the programs let the connection pass to the host's own stack.
    pub fn untouched(&self) -> bool {
        !self.armed
            || self.flows.0 >= self.flows.1
            || self.client.as_ref().is_some_and(|client| !client.is_user)
    }

    /// The plan, if it is in force.
    pub fn in_force(&self) -> Option<&Plan> {
        self.plan.as_ref().filter(|plan| plan.expires >= self.now)
    }

    /// Whether a bucket has a token.
    pub fn has_token(&self, arrival: u64, interval: u64) -> bool {
        let before = carried(arrival, self.now, interval, TOLERANCE);
        interval == 0 || admit_within(before, self.now, interval, TOLERANCE).is_some()
    }

    /// How many tokens a bucket has.
    pub fn tokens(&self, mut arrival: u64, interval: u64) -> u64 {
        let mut tokens = 0;
        arrival = carried(arrival, self.now, interval, TOLERANCE);
        while tokens < 1_000_000
            && let Some(next) = admit_within(arrival, self.now, interval, TOLERANCE)
        {
            (arrival, tokens) = (next, tokens + 1);
        }
        tokens
    }

    /// The name of a backend.
    pub fn name(&self, backend: u32) -> String {
        match self.backends.get(&backend) {
            _ if backend == LOCAL => "local".to_owned(),
            Some(known) => known.name.clone(),
            None => format!("#{backend}"),
        }
    }

    /// Whether the gateway that serves the function here can be reached.
    pub fn home_reachable(&self) -> bool {
        self.home.0 == 0 || self.backends.get(&self.home.0).is_some_and(Backend::reachable)
    }

    /// The expected wait at a backend, us; [`NO_WAY`] if nothing can be sent there.
    pub fn wait(&self, backend: u32) -> u32 {
        let Some((report, load)) = self.waits.get(&backend) else { return NO_WAY };
        if backend == LOCAL {
            return wait_here(report, load);
        }
        let reachable = self.backends.get(&backend).is_some_and(Backend::reachable);
        if reachable { expected_wait(report, load) } else { NO_WAY }
    }

    /// Whether one waits at the local gateway for longer than this (us); 0: no wait is too long.
    pub fn too_long(&self, most: u32) -> bool {
        self.waits.get(&LOCAL).is_some_and(|(report, load)| waits_too_long(most, report, load))
    }

    /// How long the plan is still in force, or has not been.
    pub fn until_expiry(&self, plan: &Plan) -> Duration {
        Duration::from_nanos(plan.expires.abs_diff(self.now))
    }
}
