//! Reading counters and gauges.

use std::time::Duration;

use aya::maps::{MapData, PerCpuArray};
use dfaas_common::config::cursor;
use dfaas_common::count::{CountKey, DropReason, Event, LOCAL, NO_FUNCTION, PeerOutcome, REJECT, origin};

use super::kernel::{Kernel, map_error};
use super::{DataPlaneError, Drops, FirstByte, Inflight, Invocations, Origin, PeerCounters, Snapshot};

fn total(map: &PerCpuArray<MapData, u64>, name: &'static str, index: u32) -> Result<u64, DataPlaneError> {
    Ok(map.get(&index, 0).map_err(map_error(name))?.iter().sum())
}

impl Kernel {
    fn function_name(&self, number: u32) -> Option<String> {
        if number == NO_FUNCTION {
            return Some(String::new());
        }
        self.function_numbers.name(number).map(str::to_owned)
    }

    fn backend_name(&self, number: u32) -> Option<String> {
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
        for entry in self.invocations.iter() {
            let (key, values) = entry.map_err(map_error("INVOCATIONS"))?;
            if let Some((function, backend)) = self.names(key) {
                let origin = if key.origin == origin::PEER { Origin::Peer } else { Origin::User };
                snapshot.invocations.push(Invocations {
                    function,
                    origin,
                    backend,
                    count: values.iter().sum(),
                });
            }
        }
        for entry in self.bound.iter() {
            let (key, count) = entry.map_err(map_error("BOUND"))?;
            if let Some((function, backend)) = self.names(key) {
                snapshot.inflight.push(Inflight { function, backend, count });
            }
        }
        snapshot.first_byte = self.read_first_byte()?;
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
        snapshot.flows = self.cursors.get(&cursor::LIVE, 0).map_err(map_error("CURSORS"))?;
        snapshot.problems.clone_from(&self.problems);
        snapshot.armed = self.config.get(&0, 0).map_err(map_error("CONFIG"))?.armed != 0;
        Ok(snapshot)
    }

    /// Times to the first byte, by function and backend.
    fn read_first_byte(&self) -> Result<Vec<FirstByte>, DataPlaneError> {
        let mut all = Vec::new();
        for entry in self.first_byte.iter() {
            let (key, values) = entry.map_err(map_error("FIRST_BYTE"))?;
            let Some((function, backend)) = self.names(key) else { continue };
            let mut sum = dfaas_common::first_byte::FirstByte::EMPTY;
            values.iter().for_each(|value| sum.add(value));
            let (buckets, sum) = (sum.buckets, Duration::from_nanos(sum.sum));
            all.push(FirstByte { function, backend, buckets, sum });
        }
        all.sort_by(|a, b| (&a.function, &a.backend).cmp(&(&b.function, &b.backend)));
        Ok(all)
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
