//! From the kernel's counters to the measurements that strategies read.

use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_control::{
    FunctionId, FunctionMeasurements, Measurements, NodeId, NodeMeasurements, PeerMeasurements,
};

use crate::config::StaticPeer;
use crate::dataplane::{Origin, Snapshot};
use crate::discovery::{Catalogue, FunctionInfo};

/// What strategies are told: the functions and peers, with rates from two snapshots `elapsed` apart.
pub(super) fn measurements(
    catalogue: &Catalogue,
    peers: &[StaticPeer],
    before: Option<&Snapshot>,
    now: &Snapshot,
    elapsed: Duration,
) -> Measurements {
    let rates = Rates::between(before, now, elapsed);
    let functions = catalogue
        .functions
        .iter()
        .map(|(name, info)| (FunctionId::from_name(name), function(name, info, &rates, now)))
        .collect();
    let peers = peers
        .iter()
        .map(|peer| {
            let measured = PeerMeasurements { share: peer.share, ..PeerMeasurements::default() };
            (NodeId::from_name(&peer.name), measured)
        })
        .collect();
    Measurements { node: node(), functions, peers }
}

fn node() -> NodeMeasurements {
    let cores = std::thread::available_parallelism().ok().map(|cores| cores.get() as f64);
    NodeMeasurements { cores, ..NodeMeasurements::default() }
}

fn function(name: &str, info: &FunctionInfo, rates: &Rates<'_>, now: &Snapshot) -> FunctionMeasurements {
    let inflight = now
        .inflight
        .iter()
        .filter(|gauge| gauge.function == name && gauge.backend == "local")
        .map(|gauge| gauge.count);
    FunctionMeasurements {
        here: true,
        local_only: info.local_only,
        user_rate: rates.sum(|function, origin, _| function == name && origin == Origin::User),
        peer_rate: rates.sum(|function, origin, _| function == name && origin == Origin::Peer),
        reject_rate: rates.sum(|function, _, backend| function == name && backend == "reject"),
        inflight: inflight.sum(),
        max_rate: info.max_rate,
        max_inflight: info.max_inflight,
        deadline: info.deadline,
        ..FunctionMeasurements::default()
    }
}

/// Invocations a second by function, origin and backend.
struct Rates<'a>(BTreeMap<(&'a str, Origin, &'a str), f64>);

impl<'a> Rates<'a> {
    fn between(before: Option<&'a Snapshot>, now: &'a Snapshot, elapsed: Duration) -> Self {
        let Some(before) = before.filter(|_| !elapsed.is_zero()) else { return Self(BTreeMap::new()) };
        let counters = |snapshot: &'a Snapshot| -> BTreeMap<(&'a str, Origin, &'a str), u64> {
            let key = |counter: &'a crate::dataplane::Invocations| {
                (counter.function.as_str(), counter.origin, counter.backend.as_str())
            };
            snapshot.invocations.iter().map(|counter| (key(counter), counter.count)).collect()
        };
        let before = counters(before);
        let rate = |(key, count): ((&'a str, Origin, &'a str), u64)| {
            let since = count.saturating_sub(before.get(&key).copied().unwrap_or(0));
            (key, since as f64 / elapsed.as_secs_f64())
        };
        Self(counters(now).into_iter().map(rate).collect())
    }

    fn sum(&self, wanted: impl Fn(&str, Origin, &str) -> bool) -> f64 {
        self.0
            .iter()
            .filter(|((function, origin, backend), _)| wanted(function, *origin, backend))
            .map(|(_, rate)| rate)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataplane::{Inflight, Invocations};

    fn counted(counts: &[(Origin, &str, u64)]) -> Snapshot {
        let counter = |(origin, backend, count): &(Origin, &str, u64)| Invocations {
            function: "figlet".to_owned(),
            origin: *origin,
            backend: (*backend).to_owned(),
            count: *count,
        };
        Snapshot {
            invocations: counts.iter().map(counter).collect(),
            inflight: vec![Inflight { function: "figlet".to_owned(), backend: "local".to_owned(), count: 3 }],
            ..Snapshot::default()
        }
    }

    #[test]
    fn rates_are_the_counters_growth_by_origin_over_the_time_between() {
        let listed = [crate::discovery::ListedFunction { name: "figlet".to_owned(), ..Default::default() }];
        let catalogue = Catalogue::new(&listed, "openfaas-fn", &BTreeMap::new());
        let before = counted(&[(Origin::User, "local", 100), (Origin::Peer, "local", 7)]);
        let now =
            counted(&[(Origin::User, "local", 110), (Origin::User, "reject", 4), (Origin::Peer, "local", 9)]);
        let measured = measurements(&catalogue, &[], Some(&before), &now, Duration::from_secs(2));
        let figlet = measured.functions[&FunctionId::from_name("figlet")];
        assert_eq!((figlet.user_rate, figlet.peer_rate, figlet.reject_rate), (7.0, 1.0, 2.0));
        assert_eq!(figlet.inflight, 3);

        // The first tick has nothing to compare with, and a counter that went back counts as still.
        let first = measurements(&catalogue, &[], None, &now, Duration::from_secs(2));
        assert_eq!(first.functions[&FunctionId::from_name("figlet")].user_rate, 0.0);
        let back = measurements(&catalogue, &[], Some(&now), &before, Duration::from_secs(2));
        assert_eq!(back.functions[&FunctionId::from_name("figlet")].user_rate, 0.0);
    }
}
