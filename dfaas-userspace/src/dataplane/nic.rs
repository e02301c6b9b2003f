//! What an interface is like, as far as native XDP depends on it.

use std::path::Path;

use super::link::{Kind, Links};
use super::{attach, ethtool, netdev};

/// Features by which a card merges segments before anybody sees them.
const MERGES: [&str; 2] = ["rx-lro", "rx-gro-hw"];
/// Features by which a card takes VLAN tags off frames.
const STRIPS: [&str; 2] = ["rx-vlan-hw-parse", "rx-vlan-stag-hw-parse"];

/// An interface and its driver.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Nic {
    /// Name of the interface.
    pub name: String,
    /// Name of its driver; empty if that does not tell.
    pub driver: String,
    /// What it is.
    pub kind: Kind,
    /// Whether the driver runs XDP programs.
    pub native: bool,
    /// Number of the XDP program that somebody else has attached.
    pub other_program: Option<u32>,
    /// The features by which it merges segments, of those that are on.
    pub merges: Vec<String>,
    /// Whether it takes VLAN tags off frames before XDP sees them.
    pub strips_tags: bool,
    /// Who may need these tags: VLAN devices on it, the bridge whose port it is.
    pub tagged: Vec<String>,
}

impl Nic {
    /// Asks kernel and driver about an interface; `folder` is where our own links are pinned. `None`: it is not there.
    /// What a driver does not tell, it does not do.
    pub fn read(name: &str, links: &Links, folder: &Path) -> Option<Self> {
        let link = links.named(name)?;
        let features = ethtool::features(name).unwrap_or_default();
        let on = |wanted: &[&str]| -> Vec<String> {
            wanted.iter().filter(|w| features.contains(**w)).map(|w| (*w).to_owned()).collect()
        };
        let own = attach::own_xdp(folder, name);
        let devices = links.on(link.index).filter(|(_, upper)| upper.kind == Kind::Vlan);
        let bridge = link.controller.and_then(|index| links.at(index));
        let bridge = bridge.filter(|(_, controller)| controller.kind == Kind::Bridge);
        Some(Self {
            name: name.to_owned(),
            driver: ethtool::driver(name).unwrap_or_default(),
            kind: link.kind,
            native: netdev::runs_xdp(link.index).unwrap_or(false),
            other_program: link.xdp.filter(|program| Some(*program) != own),
            merges: on(&MERGES),
            strips_tags: !on(&STRIPS).is_empty(),
            tagged: devices.chain(bridge).map(|(name, _)| name.to_owned()).collect(),
        })
    }
}
