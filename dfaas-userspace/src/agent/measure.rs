//! From the kernel's counters to the measurements that strategies read.

use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_control::{FunctionId, FunctionMeasurements, Measurements, PeerMeasurements};

use super::history::Sample;
use super::measure_machine::node;
use super::roster::RosterPeer;
use crate::dataplane::{FirstByte, Invocations, Origin, PeerCounters, Snapshot};
use crate::discovery::{Catalogue, FunctionInfo};

/// What strategies are told: the functions and peers, with rates from two samples `elapsed` apart. `foreign` are
/// functions that only peers have.
pub(super) fn measurements(
    catalogue: &Catalogue,
    foreign: &[String],
    peers: &[RosterPeer],
    before: Option<(&Sample, Duration)>,
    sample: &Sample,
) -> Measurements {
    let now = &sample.snapshot;
    let growth = Growth::between(before.map(|(before, elapsed)| (&before.snapshot, elapsed)), now);
    let inflight = inflight(now);
    let own =
        catalogue.functions.iter().map(|(name, info)| (name, function(name, Some(info), &growth, &inflight)));
    let foreign = foreign.iter().map(|name| (name, function(name, None, &growth, &inflight)));
    let functions =
        own.chain(foreign).map(|(name, measured)| (FunctionId::from_name(name), measured)).collect();
    let peers = peers
        .iter()
        .filter(|peer| peer.takes)
        .map(|peer| (peer.node, measured_peer(peer, &growth)))
        .collect();
    Measurements { node: node(before, sample), functions, peers }
}

/// Connections bound to the local gateway now, by function.
fn inflight(now: &Snapshot) -> BTreeMap<&str, u64> {
    let mut sums = BTreeMap::new();
    for gauge in now.inflight.iter().filter(|gauge| gauge.backend == "local") {
        *sums.entry(gauge.function.as_str()).or_default() += gauge.count;
    }
    sums
}

fn function(
    name: &str,
    info: Option<&FunctionInfo>,
    growth: &Growth<'_>,
    inflight: &BTreeMap<&str, u64>,
) -> FunctionMeasurements {
    let unknown = FunctionMeasurements { here: false, ..FunctionMeasurements::default() };
    FunctionMeasurements {
        user_rate: growth.invocations(name, |origin, _| origin == Origin::User),
        peer_rate: growth.invocations(name, |origin, _| origin == Origin::Peer),
        reject_rate: growth.invocations(name, |_, backend| backend == "reject"),
        inflight: inflight.get(name).copied().unwrap_or(0),
        first_byte: growth.first_byte_here.get(name).copied(),
        ..info.map_or(unknown, |info| FunctionMeasurements {
            local_only: info.local_only,
            max_rate: info.max_rate,
            max_inflight: info.max_inflight,
            deadline: info.deadline,
            ..FunctionMeasurements::default()
        })
    }
}

fn measured_peer(peer: &RosterPeer, growth: &Growth<'_>) -> PeerMeasurements {
    let refusal_rate = growth.peer(&peer.name, |counters| counters.refused + counters.silent);
    PeerMeasurements {
        share: peer.share,
        functions: peer.functions.clone(),
        rtt: peer.rtt,
        first_byte: growth.first_byte_at.get(peer.name.as_str()).copied(),
        sent_rate: refusal_rate + growth.sent.get(peer.name.as_str()).copied().unwrap_or(0.0),
        taken_rate: growth.peer(&peer.name, |counters| counters.accepted),
        refusal_rate,
        reset_rate: growth.peer(&peer.name, |counters| counters.reset),
    }
}

/// What was added between two snapshots, a second. A counter that went back counts as still, and with but one
/// snapshot nothing was added. Each line is looked at once, however many functions and peers there are.
#[derive(Default)]
struct Growth<'a> {
    /// By function, origin and backend.
    invocations: BTreeMap<&'a str, BTreeMap<(Origin, &'a str), f64>>,
    /// By backend.
    sent: BTreeMap<&'a str, f64>,
    /// Means by function, at the local gateway, and by backend.
    first_byte_here: BTreeMap<&'a str, Duration>,
    first_byte_at: BTreeMap<&'a str, Duration>,
    /// Of peers, with the time between.
    peers: Option<(&'a Snapshot, &'a Snapshot, f64)>,
}

impl<'a> Growth<'a> {
    fn between(before: Option<(&'a Snapshot, Duration)>, now: &'a Snapshot) -> Self {
        let Some((before, elapsed)) = before else { return Self::default() };
        let seconds = elapsed.as_secs_f64();
        let mut growth = Self { peers: Some((before, now, seconds)), ..Self::default() };
        for ((function, origin, backend), rate) in rates(before, now, seconds) {
            *growth.sent.entry(backend).or_default() += rate;
            growth.invocations.entry(function).or_default().insert((origin, backend), rate);
        }
        let here = |line: &'a FirstByte| (line.backend == "local").then_some(line.function.as_str());
        growth.first_byte_here = first_bytes(before, now, here);
        growth.first_byte_at = first_bytes(before, now, |line| Some(line.backend.as_str()));
        growth
    }

    fn invocations(&self, function: &str, wanted: impl Fn(Origin, &str) -> bool) -> f64 {
        let lines = self.invocations.get(function).into_iter().flatten();
        // Not `sum`: that of nothing is -0.0, which looks odd.
        lines.filter(|((origin, backend), _)| wanted(*origin, backend)).fold(0.0, |sum, (_, rate)| sum + rate)
    }

    fn peer(&self, name: &str, of: impl Fn(&PeerCounters) -> u64) -> f64 {
        let Some((before, now, seconds)) = self.peers else { return 0.0 };
        let count =
            |snapshot: &Snapshot| snapshot.peers.iter().find(|counters| counters.peer == name).map_or(0, &of);
        count(now).saturating_sub(count(before)) as f64 / seconds
    }
}

/// The mean time to the first byte of answers since `before`, by what `key` says of a line; nothing where there was none.
fn first_bytes<'a>(
    before: &'a Snapshot,
    now: &'a Snapshot,
    key: impl Fn(&'a FirstByte) -> Option<&'a str>,
) -> BTreeMap<&'a str, Duration> {
    let totals = |snapshot: &'a Snapshot| {
        let mut totals: BTreeMap<&'a str, (u64, Duration)> = BTreeMap::new();
        for line in &snapshot.first_byte {
            if let Some(key) = key(line) {
                let (count, sum) = totals.entry(key).or_default();
                (*count, *sum) = (*count + line.buckets.iter().sum::<u64>(), *sum + line.sum);
            }
        }
        totals
    };
    let old = totals(before);
    let mean = |(key, (count, sum)): (&'a str, (u64, Duration))| {
        let (was, took) = old.get(key).copied().unwrap_or_default();
        let count = u32::try_from(count.saturating_sub(was)).unwrap_or(u32::MAX);
        (count > 0).then(|| (key, sum.saturating_sub(took) / count))
    };
    totals(now).into_iter().filter_map(mean).collect()
}

/// Invocations a second by function, origin and backend.
fn rates<'a>(
    before: &'a Snapshot,
    now: &'a Snapshot,
    seconds: f64,
) -> BTreeMap<(&'a str, Origin, &'a str), f64> {
    let key = |line: &'a Invocations| (line.function.as_str(), line.origin, line.backend.as_str());
    let old: BTreeMap<_, u64> = before.invocations.iter().map(|line| (key(line), line.count)).collect();
    let rate = |line: &'a Invocations| {
        let added = line.count.saturating_sub(old.get(&key(line)).copied().unwrap_or(0));
        (key(line), added as f64 / seconds)
    };
    now.invocations.iter().map(rate).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use dfaas_control::{NodeId, PeerFunctions};

    use super::*;
    use crate::dataplane::Inflight;

    const SECONDS: Duration = Duration::from_secs(2);

    fn sample(snapshot: &Snapshot) -> Sample {
        Sample { snapshot: snapshot.clone(), ..Sample::default() }
    }

    fn catalogue() -> Catalogue {
        let listed = [crate::discovery::ListedFunction { name: "figlet".to_owned(), ..Default::default() }];
        Catalogue::new(&listed, "openfaas-fn", &BTreeMap::new())
    }

    fn counted(counts: &[(Origin, &str, u64)]) -> Snapshot {
        let counter = |(origin, backend, count): &(Origin, &str, u64)| Invocations {
            function: "figlet".to_owned(),
            origin: *origin,
            backend: (*backend).to_owned(),
            count: *count,
            ..Invocations::default()
        };
        Snapshot {
            invocations: counts.iter().map(counter).collect(),
            inflight: vec![Inflight { function: "figlet".to_owned(), backend: "local".to_owned(), count: 3 }],
            ..Snapshot::default()
        }
    }

    #[test]
    fn rates_are_the_counters_growth_by_origin_over_the_time_between() {
        let before = counted(&[(Origin::User, "local", 100), (Origin::Peer, "local", 7)]);
        let now =
            counted(&[(Origin::User, "local", 110), (Origin::User, "reject", 4), (Origin::Peer, "local", 9)]);
        let figlet = |before: Option<(&Snapshot, Duration)>, now: &Snapshot| {
            let before = before.map(|(before, elapsed)| (sample(before), elapsed));
            let before = before.as_ref().map(|(before, elapsed)| (before, *elapsed));
            measurements(&catalogue(), &[], &[], before, &sample(now)).functions
                [&FunctionId::from_name("figlet")]
        };
        let measured = figlet(Some((&before, SECONDS)), &now);
        assert_eq!((measured.user_rate, measured.peer_rate, measured.reject_rate), (7.0, 1.0, 2.0));
        assert_eq!(measured.inflight, 3);

        assert_eq!(figlet(None, &now).user_rate, 0.0, "the first reading has nothing to compare with");
        assert_eq!(
            figlet(Some((&now, SECONDS)), &before).user_rate,
            0.0,
            "a counter that went back is still"
        );
    }

    fn answered(count: u64, sum: u64) -> Snapshot {
        let mut buckets = [0; 12];
        buckets[3] = count;
        let line = FirstByte {
            function: "figlet".to_owned(),
            backend: "b".to_owned(),
            buckets,
            sum: Duration::from_millis(sum),
        };
        let counters =
            PeerCounters { peer: "b".to_owned(), refused: count, reset: 2 * count, ..Default::default() };
        Snapshot { first_byte: vec![line], peers: vec![counters], ..Snapshot::default() }
    }

    #[test]
    fn a_peer_is_measured_by_what_its_answers_and_refusals_were_since_then() {
        let peer = |takes| RosterPeer {
            node: NodeId(1),
            name: "b".to_owned(),
            at: "192.0.2.2:31601".parse().unwrap(),
            share: 2.0,
            takes,
            rtt: Some(Duration::from_millis(3)),
            functions: PeerFunctions::Known(BTreeSet::new()),
            function_names: Vec::new(),
        };
        let (before, now) = (sample(&answered(4, 100)), sample(&answered(10, 400)));
        let measured = measurements(&catalogue(), &[], &[peer(true)], Some((&before, SECONDS)), &now);
        let b = &measured.peers[&NodeId(1)];
        assert_eq!(b.first_byte, Some(Duration::from_millis(50)));
        assert_eq!((b.refusal_rate, b.reset_rate, b.share), (3.0, 6.0, 2.0));
        let none = measurements(&catalogue(), &[], &[peer(false)], Some((&before, SECONDS)), &now);
        assert!(none.peers.is_empty(), "a peer that takes nothing is none for the strategy");
    }

    #[test]
    fn functions_that_only_peers_have_are_measured_as_not_here() {
        let foreign = ["env".to_owned()];
        let measured = measurements(&catalogue(), &foreign, &[], None, &Sample::default());
        assert!(!measured.functions[&FunctionId::from_name("env")].here);
        assert!(measured.functions[&FunctionId::from_name("figlet")].here);
    }
}
