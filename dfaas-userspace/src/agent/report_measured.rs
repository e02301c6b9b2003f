use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::counted::Counted;
use super::state::State;
use crate::dataplane::{Origin, Snapshot};
use crate::machine::Reading;

/// What the agent last read of machine and gateways.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// The machine.
    pub machine: Reading,
    /// What gateways count, by function.
    pub counted: BTreeMap<String, Counted>,
}

/// What `dfaas record` reads: counters and gauges of one moment. Counters only grow, until whoever keeps them begins anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasuredReport {
    /// Name of the node.
    pub node: String,
    /// Process id of the agent.
    pub pid: u32,
    /// Name of the strategy.
    pub strategy: String,
    /// Seconds between its ticks.
    pub period_seconds: f64,
    /// Processors that functions can use; nothing: not measured, as with all that follows.
    pub cores: Option<f64>,
    /// Processor time used so far, by anything.
    pub busy_seconds: Option<f64>,
    /// Memory that is free or can be made so, in bytes.
    pub memory_free: Option<u64>,
    /// All of the memory, in bytes.
    pub memory_total: Option<u64>,
    /// The functions of the node's gateways, and others that its users asked for; by name.
    pub functions: Vec<FunctionCounters>,
    /// The peers, as `dfaas peers` lists them.
    pub peers: Vec<PeerSeen>,
}

/// One function, since the data plane was loaded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FunctionCounters {
    /// Canonical name.
    pub name: String,
    /// Whether a gateway of this node serves it.
    pub here: bool,
    /// Replicas that are ready.
    pub replicas: Option<u64>,
    /// Most invocations a second served here.
    pub max_rate: Option<f64>,
    /// Most connections at one time.
    pub max_inflight: Option<u32>,
    /// Milliseconds within which an answer is of use; nothing if no gateway of this node has the function.
    pub timeout_ms: Option<u64>,
    /// Invocations of this node's users that were served here.
    pub users_here: u64,
    /// That peers were given.
    pub users_away: u64,
    /// That were answered 429 or 503.
    pub users_rejected: u64,
    /// Invocations that peers sent.
    pub from_peers: u64,
    /// First bytes of answers of this node's gateways.
    pub first_bytes: u64,
    /// Seconds until them, together.
    pub first_byte_seconds: f64,
    /// Completed invocations by the gateway's count; nothing if it does not tell.
    pub completed: Option<u64>,
    /// Seconds that these took, together.
    pub completed_seconds: Option<f64>,
    /// Processor time that its containers used; nothing if they are not seen.
    pub cpu_seconds: Option<f64>,
}

/// One peer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerSeen {
    /// Its name.
    pub name: String,
    /// Whether invocations may be sent to it.
    pub usable: bool,
    /// Round-trip time in milliseconds.
    pub rtt_ms: Option<f64>,
}

impl State {
    /// The report for `dfaas record`; `peers` is that of `dfaas peers`.
    pub fn measured(&self, snapshot: &Snapshot, peers: &super::PeersReport) -> MeasuredReport {
        let machine = &self.measured.machine;
        let mut functions = self.listed();
        count(&mut functions, snapshot);
        let peers = peers.peers.iter();
        MeasuredReport {
            node: self.node.clone(),
            pid: std::process::id(),
            strategy: self.strategy.clone(),
            period_seconds: self.period.as_secs_f64(),
            cores: machine.cores,
            busy_seconds: machine.busy.map(|busy| busy.as_secs_f64()),
            memory_free: machine.memory_free,
            memory_total: machine.memory_total,
            functions: functions.into_values().collect(),
            peers: peers
                .map(|peer| PeerSeen { name: peer.name.clone(), usable: peer.usable, rtt_ms: peer.rtt_ms })
                .collect(),
        }
    }

    /// The functions of the gateways, without what the data plane counted of them.
    fn listed(&self) -> BTreeMap<String, FunctionCounters> {
        let functions = self.catalogue.iter().flat_map(|catalogue| &catalogue.functions);
        let listed = functions.map(|(name, info)| {
            let counted = self.measured.counted.get(name);
            let live = counted.and_then(|counted| counted.replicas).map(u64::from);
            let counters = FunctionCounters {
                name: name.clone(),
                here: true,
                replicas: Some(live.unwrap_or(info.available_replicas)),
                max_rate: info.max_rate,
                max_inflight: info.max_inflight,
                timeout_ms: Some(u64::try_from(info.deadline.as_millis()).unwrap_or(u64::MAX)),
                completed: counted.map(|counted| counted.completed),
                completed_seconds: counted.map(|counted| counted.busy.as_secs_f64()),
                cpu_seconds: self.measured.machine.functions.get(name).map(|used| used.as_secs_f64()),
                ..FunctionCounters::default()
            };
            (name.clone(), counters)
        });
        listed.collect()
    }
}

/// Adds what the data plane counted. Functions that only peers have are those that users asked for by a known name.
fn count(functions: &mut BTreeMap<String, FunctionCounters>, snapshot: &Snapshot) {
    for line in snapshot.invocations.iter().filter(|line| !line.function.is_empty()) {
        let counters = functions.entry(line.function.clone()).or_insert_with(|| FunctionCounters {
            name: line.function.clone(),
            ..FunctionCounters::default()
        });
        let counter = match (line.origin, line.backend.as_str()) {
            (Origin::Peer, _) => &mut counters.from_peers,
            (Origin::User, "local") => &mut counters.users_here,
            (Origin::User, "reject") => &mut counters.users_rejected,
            (Origin::User, _) => &mut counters.users_away,
        };
        *counter += line.count;
    }
    for line in snapshot.first_byte.iter().filter(|line| line.backend == "local") {
        if let Some(counters) = functions.get_mut(&line.function) {
            counters.first_bytes += line.buckets.iter().sum::<u64>();
            counters.first_byte_seconds += line.sum.as_secs_f64();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::dataplane::{FirstByte, Invocations};

    #[test]
    fn what_users_asked_for_is_told_by_what_became_of_it() {
        let line = |function: &str, origin, backend: &str, count| Invocations {
            function: function.to_owned(),
            origin,
            backend: backend.to_owned(),
            count,
            ..Invocations::default()
        };
        let first = |backend: &str| FirstByte {
            function: "ocr".to_owned(),
            backend: backend.to_owned(),
            buckets: [1; 12],
            sum: Duration::from_secs(3),
        };
        let snapshot = Snapshot {
            invocations: vec![
                line("", Origin::User, "local", 1000),
                line("ocr", Origin::User, "local", 5),
                line("ocr", Origin::User, "b", 3),
                line("ocr", Origin::User, "c", 4),
                line("ocr", Origin::User, "reject", 2),
                line("ocr", Origin::Peer, "local", 8),
                line("ocr", Origin::Peer, "reject", 1),
                line("away", Origin::User, "b", 6),
            ],
            first_byte: vec![first("local"), first("b")],
            ..Snapshot::default()
        };
        let known = FunctionCounters { name: "ocr".to_owned(), here: true, ..FunctionCounters::default() };
        let mut functions: BTreeMap<_, _> = [("ocr".to_owned(), known)].into();
        count(&mut functions, &snapshot);
        assert_eq!(functions.keys().collect::<Vec<_>>(), ["away", "ocr"], "what is no function is left out");
        let ocr = &functions["ocr"];
        assert_eq!((ocr.users_here, ocr.users_away, ocr.users_rejected, ocr.from_peers), (5, 7, 2, 9));
        assert_eq!((ocr.first_bytes, ocr.first_byte_seconds), (12, 3.0));
        assert!(!functions["away"].here && functions["away"].timeout_ms.is_none());
    }
}
