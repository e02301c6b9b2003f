//! Reading counters and gauges.

use aya::maps::{MapData, PerCpuArray};
use dfaas_common::config::cursor;
use dfaas_common::count::{CountKey, DropReason, Event, LOCAL, NO_FUNCTION, REJECT, origin};

use super::kernel::{Kernel, map_error};
use super::{DataPlaneError, Drops, Inflight, Invocations, Origin, Snapshot};

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

    /// Reads everything; entries whose names are lost are left out.
    pub(super) fn read_snapshot(&self) -> Result<Snapshot, DataPlaneError> {
        let mut snapshot = Snapshot::default();
        for entry in self.invocations.iter() {
            let (key, values) = entry.map_err(map_error("INVOCATIONS"))?;
            if let (Some(function), Some(backend)) =
                (self.function_name(key.function), self.backend_name(u32::from(key.backend)))
            {
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
            if let (Some(function), Some(backend)) =
                (self.function_name(key.function), self.backend_name(u32::from(key.backend)))
            {
                snapshot.inflight.push(Inflight { function, backend, count });
            }
        }
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
        snapshot.armed = self.config.get(&0, 0).map_err(map_error("CONFIG"))?.armed != 0;
        Ok(snapshot)
    }

    /// Counters of what happened, by stable name; for those who look closely.
    pub fn events(&self) -> Result<Vec<(&'static str, u64)>, DataPlaneError> {
        Event::ALL
            .iter()
            .map(|(event, name)| Ok((*name, total(&self.happened, "HAPPENED", *event as u32)?)))
            .collect()
    }

    /// Removes the counters of a function whose number gets another meaning.
    pub(super) fn forget_counts(&mut self, number: u32) -> Result<(), DataPlaneError> {
        let keys: Vec<CountKey> =
            self.invocations.keys().collect::<Result<_, _>>().map_err(map_error("INVOCATIONS"))?;
        for key in keys.iter().filter(|k| k.function == number) {
            self.invocations.remove(key).map_err(map_error("INVOCATIONS"))?;
        }
        Ok(())
    }
}
