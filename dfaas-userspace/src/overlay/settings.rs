use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use libp2p::pnet::PreSharedKey;
use libp2p::{Multiaddr, PeerId};

use super::memory;
use crate::config::Config;

/// How this node takes part in the overlay. No secret is printed by `Debug`: the swarm key shows as a fingerprint.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen.
    pub listen: Vec<Multiaddr>,
    /// Nodes to begin with; this node is left out.
    pub seeds: Vec<(PeerId, Multiaddr)>,
    /// Nodes that may connect; empty: whoever comes.
    pub allow: BTreeSet<PeerId>,
    /// Key of the private swarm.
    pub psk: Option<PreSharedKey>,
    /// Whether to look for nodes by multicast.
    pub mdns: bool,
    /// Links that this node seeks by itself.
    pub neighbours: usize,
    /// Nodes to which there is always to be a link.
    pub pinned: BTreeSet<PeerId>,
    /// Nodes to which there is never to be one.
    pub banned: BTreeSet<PeerId>,
    /// File of the members met last; `None`: nothing is remembered.
    pub memory: Option<PathBuf>,
    /// Where probes come in, by UDP; `None`: nowhere.
    pub probe: Option<SocketAddr>,
    /// Times that a test makes shorter.
    pub timing: Timing,
}

/// How often things are done.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// First and longest wait between calls of a node that does not answer.
    pub calls: (Duration, Duration),
    /// First and longest time between look-ups in the DHT while most links are missing; else they become ten times as rare.
    pub look_ups: (Duration, Duration),
    /// Time between words to a neighbour about this node's links and about other nodes, give or take a quarter.
    pub exchange: Duration,
    /// Time between measurements of round-trip times.
    pub ping: Duration,
    /// Least time between writes of the memory.
    pub memory: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            calls: (Duration::from_secs(1), Duration::from_secs(60)),
            look_ups: (Duration::from_secs(2), Duration::from_secs(60)),
            exchange: Duration::from_secs(20),
            ping: Duration::from_secs(5),
            memory: Duration::from_secs(10),
        }
    }
}

impl Settings {
    /// The settings that a configuration means; `None` if it wants no overlay.
    pub fn of(config: &Config) -> Option<Self> {
        let overlay = config.overlay.as_ref()?;
        // For both families.
        let anywhere = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        let probe = config.dataplane.data_address.unwrap_or(anywhere);
        let pinned = overlay.topology.pinned.iter();
        let located = pinned.clone().filter_map(|(peer, address)| Some((*peer, address.clone()?)));
        Some(Self {
            listen: overlay.listen.clone(),
            seeds: overlay.bootstrap.iter().cloned().chain(located).collect(),
            allow: overlay.allow.clone(),
            psk: overlay.psk,
            mdns: overlay.mdns,
            neighbours: overlay.neighbours,
            pinned: pinned.map(|(peer, _)| *peer).collect(),
            banned: overlay.topology.banned.clone(),
            memory: Some(memory::of(&overlay.identity)),
            probe: Some(SocketAddr::new(probe, config.dataplane.data_port)),
            timing: Timing::default(),
        })
    }

    /// Whether QUIC may be used: the swarm key does not guard it.
    pub(super) fn allows_quic(&self) -> bool {
        self.psk.is_none() || !self.allow.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use super::*;

    fn settings(overlay: &str) -> Option<Settings> {
        let dataplane =
            "[dataplane]\ninterfaces = [\"eth0\"]\nlisten = [\"192.0.2.10:8080\"]\ndata_port = 31601\n";
        let none = |_: &Path| Err(io::ErrorKind::NotFound.into());
        let parsed = crate::config::parse(&format!("{dataplane}{overlay}"), Path::new("a"), "a", &none);
        Settings::of(&parsed.unwrap())
    }

    #[test]
    fn a_configuration_without_an_overlay_means_none() {
        assert!(settings("").is_none());
        assert!(settings("[overlay]\nlisten = []\n").is_none());
    }

    #[test]
    fn the_configuration_says_where_and_with_whom() {
        let open = "[overlay]\ninsecure_open = true\nidentity = \"/var/lib/dfaas/id.pem\"\n";
        let open = settings(&format!("{open}[control]\nneighbours = 4\n")).unwrap();
        assert_eq!((open.listen.len(), open.neighbours, open.mdns), (2, 4, false));
        assert_eq!(open.memory.as_deref(), Some(Path::new("/var/lib/dfaas/id.pem.members")));
        assert_eq!(open.probe, Some("[::]:31601".parse().unwrap()));
        let placed = settings("[overlay]\ninsecure_open = true\ndata_address = \"192.0.2.10\"\n").unwrap();
        assert_eq!(placed.probe, Some("192.0.2.10:31601".parse().unwrap()));
    }

    #[test]
    fn a_swarm_key_alone_does_not_guard_quic() {
        let mut settings = settings("[overlay]\ninsecure_open = true\n").unwrap();
        assert!(settings.allows_quic());
        settings.psk = Some(PreSharedKey::new([1; 32]));
        assert!(!settings.allows_quic());
        settings.allow.insert(PeerId::random());
        assert!(settings.allows_quic());
    }
}
