//! Numbers whose names change: what was counted and kept under them goes.
//!
//! Gauges stay, as connections of the old name may still leave them; so does a limit's count of what is bound now.

use aya::maps::{MapData, PerCpuHashMap, PerCpuValues};
use dfaas_common::count::{CountKey, MoveKey, PeerCounts};
use dfaas_common::plan::rate_index;
use dfaas_common::{MAX_FUNCTIONS, MAX_PEERS};

use super::DataPlaneError;
use super::kernel::{Kernel, map_error};

fn remove<K: aya::Pod, V: aya::Pod>(
    map: &mut PerCpuHashMap<MapData, K, V>,
    name: &'static str,
    gone: impl Fn(&K) -> bool,
) -> Result<(), DataPlaneError> {
    let keys: Vec<K> = map.keys().collect::<Result<_, _>>().map_err(map_error(name))?;
    keys.iter().filter(|key| gone(key)).try_for_each(|key| map.remove(key)).map_err(map_error(name))
}

impl Kernel {
    /// A function's number gets another meaning.
    pub(super) fn forget_function(&mut self, number: u32) -> Result<(), DataPlaneError> {
        self.forget(|key| key.function == number)?;
        self.forget_rates((0..=MAX_PEERS).map(|backend| rate_index(number, backend)))
    }

    /// A peer's number gets another meaning.
    pub(super) fn forget_peer(&mut self, number: u32) -> Result<(), DataPlaneError> {
        self.forget(|key| u32::from(key.backend) == number)?;
        remove(&mut self.moves, "MOVES", |key: &MoveKey| {
            [key.from, key.to].map(u32::from).contains(&number)
        })?;
        self.forget_rates((0..MAX_FUNCTIONS).map(|function| rate_index(function, number)))?;
        self.reports.forget(number)?;
        self.admissions.set(number, 0, 0).map_err(map_error("ADMISSIONS"))?;
        let counts = self.peer_counts.get(&number, 0).map_err(map_error("PEER_COUNTS"))?;
        let none = vec![PeerCounts::default(); counts.len()];
        let none = PerCpuValues::try_from(none)
            .map_err(|e| DataPlaneError::Map { map: "PEER_COUNTS", cause: e.to_string() })?;
        self.peer_counts.set(number, none, 0).map_err(map_error("PEER_COUNTS"))
    }

    /// A gateway's number gets another meaning.
    pub(super) fn forget_gateway(&mut self, number: u32) -> Result<(), DataPlaneError> {
        self.forget(|key| u32::from(key.backend) == number)
    }

    fn forget(&mut self, gone: impl Fn(&CountKey) -> bool) -> Result<(), DataPlaneError> {
        remove(&mut self.tallies, "TALLIES", &gone)
    }

    fn forget_rates(&mut self, indexes: impl Iterator<Item = u32>) -> Result<(), DataPlaneError> {
        for index in indexes {
            self.peer_rates.set(index, 0, 0).map_err(map_error("PEER_RATES"))?;
        }
        Ok(())
    }
}
