//! Switches a network interface's offloads, as `ethtool -K` does.

use anyhow::{Context as _, Result};

use crate::driver;

/// What a network interface does for the stack: how packets look to the programs under test depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Offloads {
    /// As the kernel makes a veth: segmentation and checksums offloaded, no GRO.
    AsMade,
    /// As made, and received segments are merged (GRO), as network cards have it.
    #[default]
    WithGro,
    /// None: every packet is a full Ethernet frame with its checksum filled in.
    None,
}

// From linux/ethtool.h.
const ETHTOOL_SRXCSUM: u32 = 0x15;
const ETHTOOL_STXCSUM: u32 = 0x17;
const ETHTOOL_SSG: u32 = 0x19;
const ETHTOOL_STSO: u32 = 0x1f;
const ETHTOOL_SGSO: u32 = 0x24;
const ETHTOOL_SGRO: u32 = 0x2c;

/// What to tell the kernel, in order: without checksums or scatter-gather there is no segmentation, so that goes first.
fn commands(offloads: Offloads) -> &'static [(u32, u32)] {
    match offloads {
        Offloads::AsMade => &[],
        Offloads::WithGro => &[(ETHTOOL_SGRO, 1)],
        Offloads::None => &[
            (ETHTOOL_SGRO, 0),
            (ETHTOOL_STSO, 0),
            (ETHTOOL_SGSO, 0),
            (ETHTOOL_SSG, 0),
            (ETHTOOL_STXCSUM, 0),
            (ETHTOOL_SRXCSUM, 0),
        ],
    }
}

/// Sets the offloads of an interface in the network namespace of the calling thread.
pub(crate) fn set(interface: &str, offloads: Offloads) -> Result<()> {
    commands(offloads).iter().try_for_each(|&(command, data)| {
        driver::tell(interface, &mut [command, data])
            .with_context(|| format!("cannot set offload {command:#x} of {interface} to {data}"))
    })
}
