//! Bringing the data plane up, new or in the place of one that is attached.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use dfaas_common::ABI_VERSION;
use dfaas_common::address::Endpoint;
use dfaas_common::config::{Config, place};
use nix::ifaddrs::getifaddrs;
use rand::TryRngCore as _;
use rand::rngs::OsRng;

use super::kernel::{Kernel, map_error};
use super::numbers::Numbers;
use super::object::Object;
use super::{DataPlane, DataPlaneError, Settings, bpffs, convert, destroy, sysctl};

/// Loads and attaches the programs, or takes over the pinned ones of an agent that is gone: bound connections go on,
/// counters too, and what was armed stays armed. A new one passes everything natively until
/// [`DataPlane::set_armed`]. Blocking; needs root.
pub fn open(settings: &Settings) -> Result<Box<dyn DataPlane>, DataPlaneError> {
    Ok(Box::new(open_kernel(settings)?))
}

/// As [`open`], for callers that look into the kernel's state themselves.
pub fn open_kernel(settings: &Settings) -> Result<Kernel, DataPlaneError> {
    let folder = bpffs::prepare(&settings.pin)?;
    let mut object = Object::load(Some(&folder), settings.max_flows, settings.packet_log)?;
    let mut kernel = Kernel {
        config: object.take("CONFIG")?,
        places: object.take("PLACES")?,
        users: object.take("USERS")?,
        free: object.take("FREE")?,
        peers: object.take("PEERS")?,
        peer_numbers: object.take("PEER_NUMBERS")?,
        names: object.take("NAMES")?,
        plans: object.take("PLANS")?,
        cursors: object.take("CURSORS")?,
        tallies: object.take("TALLIES")?,
        bound: object.take("BOUND")?,
        peer_rates: object.take("PEER_RATES")?,
        admissions: object.take("ADMISSIONS")?,
        peer_bound: object.take("PEER_BOUND")?,
        peer_counts: object.take("PEER_COUNTS")?,
        drops: object.take("DROPS")?,
        happened: object.take("HAPPENED")?,
        function_numbers: Numbers::read("FUNCTION_LABELS", object.take("FUNCTION_LABELS")?)?,
        peer_labels: Numbers::read("PEER_LABELS", object.take("PEER_LABELS")?)?,
        known_peers: BTreeMap::new(),
        peers_written: false,
        known_functions: BTreeMap::new(),
        object,
        settings: settings.clone(),
        folder: folder.clone(),
    };
    kernel.initialise()?;
    kernel.write_places()?;
    kernel.write_users()?;
    sysctl::reserve_ports(&settings.snat_ports);
    for interface in &settings.interfaces {
        kernel.object.attach(&folder, interface)?;
    }
    kernel.object.unpin_other_steps(&folder);
    Object::detach_others(&folder, &settings.interfaces);
    Ok(kernel)
}

/// Detaches whatever is pinned at `pin` and removes the pins; `false` if there was nothing. Connections that are
/// bound end.
pub fn unload(pin: &Path) -> Result<bool, DataPlaneError> {
    if pin.exists()
        && let Ok(map) = aya::maps::MapData::from_pin(bpffs::versioned(pin).join("CONFIG"))
        && let Ok(config) = aya::maps::Array::<_, Config>::try_from(aya::maps::Map::Array(map))
        && let Ok(config) = config.get(&0, 0)
        && let (Ok(first), Ok(count)) = (u16::try_from(config.snat_first), u16::try_from(config.snat_count))
        && count > 0
    {
        sysctl::release_ports(&(first..=first.saturating_add(count - 1)));
    }
    let folder = bpffs::versioned(pin);
    if folder.exists()
        && let Err(e) = destroy::reset_local(&folder)
    {
        tracing::warn!("connections to the gateway cannot be reset: {e}; their ends wait for a time-out");
    }
    bpffs::remove(pin)
}

impl Kernel {
    /// Writes the settings; what earlier programs left behind (key, flows, counters) stays.
    fn initialise(&mut self) -> Result<(), DataPlaneError> {
        let old = self.config.get(&0, 0).map_err(map_error("CONFIG"))?;
        let fresh = old.version == 0;
        let mut config = old;
        if fresh {
            while self.free.pop(0).is_ok() {}
            for index in 0..self.settings.max_flows {
                self.free.push(index, 0).map_err(map_error("FREE"))?;
            }
            config.max_flows = self.settings.max_flows;
            for word in &mut config.cookie_key {
                *word = OsRng.try_next_u64().map_err(|e| DataPlaneError::Setup {
                    what: "drawing the key of the SYN cookies".to_owned(),
                    cause: e.to_string(),
                    hint: "the system has no source of random numbers",
                })?;
            }
            // Whoever calls knows when peers, functions and plans are written.
            config.armed = 0;
        } else {
            tracing::info!("taking over the data plane pinned at {}", self.folder.display());
            if old.max_flows != self.settings.max_flows {
                tracing::warn!(
                    "dataplane.max_flows stays {} until `dfaas unload`: the table exists already",
                    old.max_flows
                );
            }
        }
        config.version = ABI_VERSION;
        config.snat_first = u32::from(*self.settings.snat_ports.start());
        config.snat_count =
            u32::from(*self.settings.snat_ports.end()) - u32::from(*self.settings.snat_ports.start()) + 1;
        config.gateways = convert::gateways(&self.settings.listen);
        config.segment_size = 1460;
        self.config.set(0, config, 0).map_err(map_error("CONFIG"))
    }

    /// Addresses at which peers may reach the data port.
    fn data_addresses(&self) -> Result<Vec<IpAddr>, DataPlaneError> {
        if let Some(address) = self.settings.data_address {
            return Ok(vec![address]);
        }
        let all = getifaddrs().map_err(|e| DataPlaneError::Setup {
            what: "reading the addresses of the interfaces".to_owned(),
            cause: e.to_string(),
            hint: "set overlay.data_address",
        })?;
        Ok(all
            .filter(|a| self.settings.interfaces.contains(&a.interface_name))
            .filter_map(|a| a.address.and_then(|s| s.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()))))
            .collect())
    }

    fn write_places(&mut self) -> Result<(), DataPlaneError> {
        let mut wanted: BTreeMap<Endpoint, u32> =
            self.settings.listen.iter().map(|at| (convert::endpoint(*at), place::LISTEN)).collect();
        for address in self.data_addresses()? {
            wanted.insert(convert::endpoint(SocketAddr::new(address, self.settings.data_port)), place::DATA);
        }
        let present: BTreeSet<Endpoint> =
            self.places.keys().collect::<Result<_, _>>().map_err(map_error("PLACES"))?;
        for gone in present.iter().filter(|e| !wanted.contains_key(e)) {
            self.places.remove(gone).map_err(map_error("PLACES"))?;
        }
        for (at, role) in wanted {
            self.places.insert(at, role, 0).map_err(map_error("PLACES"))?;
        }
        Ok(())
    }

    fn write_users(&mut self) -> Result<(), DataPlaneError> {
        let wanted = convert::users(&self.settings.users);
        let present: Vec<_> = self.users.keys().collect::<Result<_, _>>().map_err(map_error("USERS"))?;
        for (prefix, admitted) in &wanted {
            self.users.insert(&convert::prefix_key(*prefix), admitted, 0).map_err(map_error("USERS"))?;
        }
        for gone in present.iter().filter(|key| !wanted.contains_key(&(key.prefix_len(), key.data()))) {
            self.users.remove(gone).map_err(map_error("USERS"))?;
        }
        Ok(())
    }
}
