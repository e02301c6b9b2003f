//! What backends have said of how long invocations wait there.

use std::collections::BTreeMap;

use aya::maps::{Array, MapData};
use dfaas_common::config::{Load, Report};
use dfaas_common::count::LOCAL;

use super::kernel::{Kernel, map_error};
use super::object::Object;
use super::{DataPlaneError, Wait, Waits, convert};

/// The maps of reports and loads, and what was written.
pub(super) struct Reports {
    reports: Array<MapData, Report>,
    loads: Array<MapData, Load>,
    /// What each backend said, by its number.
    known: BTreeMap<u32, Wait>,
}

impl Reports {
    pub(super) fn take(object: &mut Object) -> Result<Self, DataPlaneError> {
        let (reports, loads) = (object.take("REPORTS")?, object.take("LOADS")?);
        Ok(Self { reports, loads, known: BTreeMap::new() })
    }

    /// Writes what a backend said. Its load counts from now on if it is new, else from where it did.
    fn write(&mut self, number: u32, wait: Wait) -> Result<(), DataPlaneError> {
        let known = self.known.get(&number);
        if known == Some(&wait) {
            return Ok(());
        }
        let sent = if known.is_some_and(|known| known.report == wait.report) {
            self.reports.get(&number, 0).map_err(map_error("REPORTS"))?.sent
        } else {
            // The low half: the programs take differences.
            self.loads.get(&number, 0).map_err(map_error("LOADS"))?.sent as u32
        };
        self.reports.set(number, convert::report(&wait, sent), 0).map_err(map_error("REPORTS"))?;
        self.known.insert(number, wait);
        Ok(())
    }

    /// What a backend has said, and what it was given.
    pub(super) fn read(&self, number: u32) -> Result<(Report, Load), DataPlaneError> {
        let report = self.reports.get(&number, 0).map_err(map_error("REPORTS"))?;
        Ok((report, self.loads.get(&number, 0).map_err(map_error("LOADS"))?))
    }

    /// A number gets another meaning. What is under way stays, as it will still leave the sum.
    pub(super) fn forget(&mut self, number: u32) -> Result<(), DataPlaneError> {
        self.known.remove(&number);
        self.reports.set(number, Report::default(), 0).map_err(map_error("REPORTS"))
    }
}

impl Kernel {
    pub(super) fn put_waits(&mut self, waits: &Waits) -> Result<(), DataPlaneError> {
        if let Some(here) = waits.here {
            self.reports.write(LOCAL, here)?;
        }
        for (number, peer) in &self.known_peers {
            if let Some(wait) = waits.peers.get(&peer.name) {
                self.reports.write(*number, *wait)?;
            }
        }
        Ok(())
    }
}
