//! Reading counters and gauges.

use std::collections::BTreeMap;
use std::time::Duration;

use aya::maps::{MapData, PerCpuArray};
use dfaas_common::config::cursor;
use dfaas_common::count::{
    CountKey, DropReason, Event, LOCAL, NO_FUNCTION, PeerOutcome, PinReason, REJECT, Tally, origin,
};

use super::kernel::{Kernel, map_error};
use super::{
    DataPlaneError, Drops, FirstByte, Inflight, Invocations, Moves, Origin, PeerCounters, Pins, Snapshot,
};

/// The sum over all CPUs of a counter.
pub(super) fn total(
    map: &PerCpuArray<MapData, u64>,
    name: &'static str,
    index: u32,
) -> Result<u64, DataPlaneError> {
    Ok(map.get(&index, 0).map_err(map_error(name))?.iter().sum())
}

impl Kernel {
    /// The name of a function by its number; `None` if it is lost.
    pub(super) fn function_name(&self, number: u32) -> Option<String> {
        if number == NO_FUNCTION {
            return Some(String::new());
        }
        self.function_numbers.name(number).map(str::to_owned)
    }

    /// The name of a backend by its number, as it is counted; `None` if it is lost.
    pub(super) fn backend_name(&self, number: u32) -> Option<String> {
        match number {
            LOCAL => Some("local".to_owned()),
            REJECT => Some("reject".to_owned()),
            peer => self.peer_labels.name(peer).map(str::to_owned),
        }
    }

    /// Names of function and backend; `None` if one is lost.
    fn names(&self, key: CountKey) -> Option<(String, String)> {
        Some((self.function_name(key.function)?, self.backend_name(u32::from(key.backend))?))
    }

    /// Reads everything; entries whose names are lost are left out.
    pub(super) fn read_snapshot(&self) -> Result<Snapshot, DataPlaneError> {
        let mut snapshot = Snapshot::default();
        self.read_tallies(&mut snapshot)?;
        for entry in self.bound.iter() {
            let (key, count) = entry.map_err(map_error("BOUND"))?;
            if let Some((function, backend)) = self.names(key) {
                snapshot.inflight.push(Inflight { function, backend, count });
            }
        }
        snapshot.peers = self.read_peers()?;
        snapshot
            .invocations
            .sort_by(|a, b| (&a.function, a.origin, &a.backend).cmp(&(&b.function, b.origin, &b.backend)));
        snapshot.inflight.sort_by(|a, b| (&a.function, &a.backend).cmp(&(&b.function, &b.backend)));
        for (reason, name) in DropReason::ALL {
            let count = total(&self.drops, "DROPS", *reason as u32)?;
            snapshot.drops.push(Drops { reason: name, count });
        }
        snapshot.retries = total(&self.happened, "HAPPENED", Event::Retried as u32)?;
        for (reason, name) in PinReason::ALL {
            let count = total(&self.pins, "PINS", *reason as u32)?;
            snapshot.pins.push(Pins { reason: name, count });
        }
        for entry in self.moves.iter() {
            let (key, values) = entry.map_err(map_error("MOVES"))?;
            let names = (self.backend_name(key.from.into()), self.backend_name(key.to.into()));
            if let (Some(from), Some(to)) = names {
                snapshot.moves.push(Moves { from, to, count: values.iter().sum() });
            }
        }
        snapshot.moves.sort_by(|a, b| (&a.from, &a.to).cmp(&(&b.from, &b.to)));
        snapshot.flows = self.cursors.get(&cursor::LIVE, 0).map_err(map_error("CURSORS"))?;
        snapshot.problems.clone_from(&self.problems);
        snapshot.armed = self.config.get(&0, 0).map_err(map_error("CONFIG"))?.armed != 0;
        Ok(snapshot)
    }

    /// What is counted of invocations, and the times to the first byte whoever asked.
    fn read_tallies(&self, snapshot: &mut Snapshot) -> Result<(), DataPlaneError> {
        let mut first_bytes: BTreeMap<(String, String), dfaas_common::first_byte::FirstByte> =
            BTreeMap::new();
        for entry in self.tallies.iter() {
            let (key, values) = entry.map_err(map_error("TALLIES"))?;
            let Some((function, backend)) = self.names(key) else { continue };
            let mut sum = Tally::EMPTY;
            values.iter().for_each(|value| sum.add(value));
            if sum.first_byte.buckets.iter().any(|&count| count > 0) {
                first_bytes.entry((function.clone(), backend.clone())).or_default().add(&sum.first_byte);
            }
            snapshot.invocations.push(Invocations {
                function,
                origin: if key.origin == origin::PEER { Origin::Peer } else { Origin::User },
                backend,
                count: sum.invocations,
                answers: sum.answers,
                retries: sum.retries,
                bytes_to_backend: sum.bytes[0],
                bytes_to_client: sum.bytes[1],
            });
        }
        let first_byte = first_bytes.into_iter().map(|((function, backend), times)| FirstByte {
            function,
            backend,
            buckets: times.buckets,
            sum: Duration::from_nanos(times.sum),
        });
        snapshot.first_byte.extend(first_byte);
        Ok(())
    }

    /// Counters of every peer that has a number.
    fn read_peers(&self) -> Result<Vec<PeerCounters>, DataPlaneError> {
        let read = |(name, number): (&str, u32)| {
            let counts = self.peer_counts.get(&number, 0).map_err(map_error("PEER_COUNTS"))?;
            let sum = |outcome: PeerOutcome| counts.iter().map(|cpu| cpu[outcome as usize]).sum();
            Ok(PeerCounters {
                peer: name.to_owned(),
                refused: sum(PeerOutcome::Refused),
                silent: sum(PeerOutcome::Silent),
                reset: sum(PeerOutcome::Reset),
                accepted: sum(PeerOutcome::Accepted),
                denied: sum(PeerOutcome::Denied),
                inflight: self.peer_bound.get(&number, 0).map_err(map_error("PEER_BOUND"))?,
            })
        };
        self.peer_labels.all().map(read).collect()
    }

    /// Counters of what happened, by stable name; for those who look closely.
    pub fn events(&self) -> Result<Vec<(&'static str, u64)>, DataPlaneError> {
        Event::ALL
            .iter()
            .map(|(event, name)| Ok((*name, total(&self.happened, "HAPPENED", *event as u32)?)))
            .collect()
    }
}
