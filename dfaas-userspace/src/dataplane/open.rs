//! Bringing the data plane up, new or in the place of one that is attached.

use std::collections::BTreeMap;
use std::path::Path;

use dfaas_common::ABI_VERSION;
use dfaas_common::config::{Config, setting};
use rand::TryRngCore as _;
use rand::rngs::OsRng;

use super::kernel::{Kernel, map_error};
use super::numbers::Numbers;
use super::object::Object;
use super::waits::Reports;
use super::{DataPlane, DataPlaneError, Settings, backend, bpffs, convert, destroy, loopback, sysctl};

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
        paths: object.take("PATHS")?,
        homes: object.take("HOMES")?,
        names: object.take("NAMES")?,
        plans: object.take("PLANS")?,
        cursors: object.take("CURSORS")?,
        tallies: object.take("TALLIES")?,
        bound: object.take("BOUND")?,
        peer_rates: object.take("PEER_RATES")?,
        admissions: object.take("ADMISSIONS")?,
        peer_bound: object.take("PEER_BOUND")?,
        peer_counts: object.take("PEER_COUNTS")?,
        reports: Reports::take(&mut object)?,
        drops: object.take("DROPS")?,
        happened: object.take("HAPPENED")?,
        pins: object.take("PINS")?,
        moves: object.take("MOVES")?,
        functions: object.take("FUNCTIONS")?,
        table: object.take("TABLE")?,
        ring: object.take("RING")?,
        lost_before: 0,
        function_numbers: Numbers::read("FUNCTION_LABELS", object.take("FUNCTION_LABELS")?)?,
        peer_labels: Numbers::read("PEER_LABELS", object.take("PEER_LABELS")?)?,
        gateway_labels: Numbers::read("GATEWAY_LABELS", object.take("GATEWAY_LABELS")?)?,
        known_peers: BTreeMap::new(),
        peers_written: false,
        known_gateways: BTreeMap::new(),
        gateways_written: false,
        known_functions: BTreeMap::new(),
        data_addresses: Vec::new(),
        segment_size: 0,
        problems: Vec::new(),
        object,
        settings: settings.clone(),
        folder: folder.clone(),
    };
    kernel.initialise()?;
    kernel.survey(&backend::links()?)?;
    kernel.write_places()?;
    kernel.write_users()?;
    sysctl::reserve_ports(&settings.snat_ports);
    if settings.interfaces.iter().any(|name| name == loopback::NAME) {
        loopback::open(&folder);
    } else {
        loopback::close(&folder);
    }
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
    loopback::close(&folder);
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
        // Whoever followed an earlier agent has gone with it.
        config.sample = 0;
        config.snat_first = u32::from(*self.settings.snat_ports.start());
        config.snat_count =
            u32::from(*self.settings.snat_ports.end()) - u32::from(*self.settings.snat_ports.start()) + 1;
        config.gateways = convert::gateways(&self.settings.listen, self.settings.gateway);
        config.settings = if self.settings.forwarded_for { setting::FORWARDED_FOR } else { 0 };
        self.segment_size = config.segment_size;
        self.config.set(0, config, 0).map_err(map_error("CONFIG"))
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
