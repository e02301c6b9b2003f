//! The gateways at addresses of their own, and which gateway serves each function here.

use std::collections::{BTreeMap, BTreeSet};

use dfaas_common::MAX_PEERS;
use dfaas_common::config::Peer as KernelPeer;
use dfaas_common::count::{LOCAL, NO_FUNCTION};

use super::backend::{links, located};
use super::kernel::{Kernel, map_error};
use super::link::Links;
use super::{DataPlaneError, Gateway, OWN_GATEWAY};

/// The entry of a gateway with its health: invocations are sent to one that works and has a route.
fn judged(gateway: &Gateway, place: KernelPeer) -> KernelPeer {
    KernelPeer { usable: u16::from(gateway.healthy && place.interface != 0), ..place }
}

impl Kernel {
    /// Makes these the gateways. Cheap where nothing changes.
    ///
    /// Entries are written before a function may point to them, and cleared after none does any more.
    pub(super) fn put_gateways(&mut self, gateways: &[Gateway]) -> Result<(), DataPlaneError> {
        let mut wanted = BTreeMap::new();
        for gateway in gateways {
            let in_use = |name: &str| gateways.iter().any(|g| g.name == name);
            let (index, lost) = self.gateway_labels.assign(&gateway.name, in_use)?;
            let number = MAX_PEERS + index;
            if lost.is_some() {
                self.forget_gateway(number)?;
            }
            wanted.insert(number, gateway.clone());
        }
        if self.gateways_written && wanted == self.known_gateways {
            return Ok(());
        }
        // Should anything fail, the next call starts from nothing.
        let known = std::mem::take(&mut self.known_gateways);
        let known = if std::mem::take(&mut self.gateways_written) { known } else { BTreeMap::new() };
        let links = links()?;
        for (number, gateway) in &wanted {
            let stays = known.get(number).is_some_and(|old| old.address == gateway.address);
            let place =
                if stays { self.entry(*number)? } else { located(&gateway.name, gateway.address, &links) };
            self.write_entry(*number, judged(gateway, place))?;
        }
        self.known_gateways = wanted;
        self.point_homes()?;
        for number in MAX_PEERS + 1..self.peers.len() {
            if !self.known_gateways.contains_key(&number) {
                self.write_entry(number, KernelPeer::default())?;
            }
        }
        self.gateways_written = true;
        self.survey(&links)
    }

    /// Brings the gateways' entries in line with the routes of the moment.
    pub(super) fn follow_gateways(&mut self, links: &Links) -> Result<(), DataPlaneError> {
        let entries: Vec<(u32, KernelPeer)> = self
            .known_gateways
            .iter()
            .map(|(number, gateway)| {
                (*number, judged(gateway, located(&gateway.name, gateway.address, links)))
            })
            .collect();
        entries.into_iter().try_for_each(|(number, entry)| self.write_entry(number, entry))
    }

    /// Backend number of the gateway of this name; of the default one for `None`.
    pub(super) fn gateway_number(&self, name: Option<&str>) -> Result<u32, DataPlaneError> {
        let wanted = name.unwrap_or(OWN_GATEWAY);
        let found = self.known_gateways.iter().find(|(_, gateway)| gateway.name == wanted);
        match (found, name) {
            (Some((number, _)), _) => Ok(*number),
            (None, None) => Ok(LOCAL),
            (None, Some(name)) => {
                Err(DataPlaneError::Map { map: "HOMES", cause: format!("{name} is not a gateway") })
            }
        }
    }

    pub(super) fn write_home(&mut self, function: u32, gateway: u32) -> Result<(), DataPlaneError> {
        if self.homes.get(&function, 0).map_err(map_error("HOMES"))? == gateway {
            return Ok(());
        }
        self.homes.set(function, gateway, 0).map_err(map_error("HOMES"))
    }

    /// Points every function number to a gateway that is there: those of known functions to theirs, what no function
    /// has to the default one, and those of an earlier agent too, if their gateway is gone.
    fn point_homes(&mut self) -> Result<(), DataPlaneError> {
        let default = self.gateway_number(None)?;
        let numbers: BTreeSet<u32> = self.known_gateways.keys().copied().chain([default]).collect();
        let by_number: BTreeMap<u32, Option<String>> =
            self.known_functions.values().map(|known| (known.number, known.gateway.clone())).collect();
        for function in 0..self.homes.len() {
            let before = self.homes.get(&function, 0).map_err(map_error("HOMES"))?;
            let home = match by_number.get(&function) {
                _ if function == NO_FUNCTION => default,
                Some(gateway) => self.gateway_number(gateway.as_deref()).unwrap_or(default),
                None if numbers.contains(&before) => before,
                None => default,
            };
            self.write_home(function, home)?;
        }
        Ok(())
    }
}
