//! What this node is to the federation, from its configuration.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::config::Config;
use crate::dataplane::OWN_GATEWAY;
use crate::federation::{Federation, Settings};
use crate::overlay::Card;

/// The federation as a node of this configuration enters it.
pub(super) fn federation(config: &Config) -> Federation {
    let own = config.dataplane.listen.iter().map(|listen| listen.ip());
    let settings = Settings {
        card: Card {
            name: config.name.clone(),
            region: config.region.clone(),
            data_address: config.dataplane.data_address,
            data_port: config.dataplane.data_port,
            functions: Vec::new(),
        },
        period: config.control.options.period,
        // Only a guess that is mostly higher than before: peers tell if it is not.
        incarnation: SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(1, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
        pins: config.overlay_peers.clone(),
        reserved_names: config
            .static_peers
            .iter()
            .map(|peer| peer.name.clone())
            .chain(config.foreign_gateways.iter().map(|gateway| gateway.name.clone()))
            .chain([config.name.clone(), OWN_GATEWAY.to_owned()])
            .collect(),
        reserved_addresses: config.static_peers.iter().map(|peer| peer.address).chain(own).collect(),
    };
    Federation::new(settings)
}
