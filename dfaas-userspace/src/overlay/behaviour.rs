//! What the swarm does on each connection.

use std::collections::BTreeSet;
use std::io;
use std::num::NonZeroUsize;
use std::time::Duration;

use libp2p::allow_block_list::{self, AllowedPeers, BlockedPeers};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::identity::Keypair;
use libp2p::kad::store::{MemoryStore, MemoryStoreConfig};
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{PeerId, StreamProtocol, identify, kad, mdns, ping};

use super::record::MAX_RECORD;
use super::streams;

/// The protocol of the federation's DHT. All who speak it are members: it is no part of any other.
pub const KAD: StreamProtocol = StreamProtocol::new("/dfaas/kad/1");
/// Connections being opened: of others, and by this node.
const MOST_PENDING: (u32, u32) = (256, 24);
/// Connections of others, of this node, and with one peer.
const MOST_ESTABLISHED: (u32, u32, u32) = (192, 128, 4);
/// Records of members that a node keeps for the DHT.
pub(super) const MOST_RECORDS: usize = 256;
/// Nodes that keep each record, and that a look-up ends with. Every look-up connects to about so many, however large the
/// federation is.
const REPLICATION: NonZeroUsize = NonZeroUsize::new(8).expect("more than none");
/// Longest look-up.
pub(super) const LOOKUP: Duration = Duration::from_secs(20);

/// The parts. Those that refuse connections come first.
#[derive(NetworkBehaviour)]
#[behaviour(prelude = "libp2p::swarm::derive_prelude")]
pub(super) struct Behaviour {
    limits: connection_limits::Behaviour,
    pub(super) shut_out: allow_block_list::Behaviour<BlockedPeers>,
    allow: Toggle<allow_block_list::Behaviour<AllowedPeers>>,
    pub(super) streams: streams::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    pub(super) kad: kad::Behaviour<MemoryStore>,
    mdns: Toggle<mdns::tokio::Behaviour>,
}

impl Behaviour {
    /// The behaviour of the node with this key. `allow` names who may connect; empty: whoever comes.
    ///
    /// # Errors
    /// If multicast is wanted and not to be had.
    pub(super) fn new(
        key: &Keypair,
        allow: &BTreeSet<PeerId>,
        with_mdns: bool,
        ping: Duration,
    ) -> io::Result<Self> {
        let own = key.public().to_peer_id();
        let limits = ConnectionLimits::default()
            .with_max_pending_incoming(Some(MOST_PENDING.0))
            .with_max_pending_outgoing(Some(MOST_PENDING.1))
            .with_max_established_incoming(Some(MOST_ESTABLISHED.0))
            .with_max_established_outgoing(Some(MOST_ESTABLISHED.1))
            .with_max_established_per_peer(Some(MOST_ESTABLISHED.2));
        let allowed = (!allow.is_empty()).then(|| {
            let mut list = allow_block_list::Behaviour::<AllowedPeers>::default();
            for peer in allow {
                list.allow_peer(*peer);
            }
            list
        });
        let identify = identify::Config::new(KAD.to_string(), key.public())
            .with_agent_version(format!("dfaas/{}", env!("CARGO_PKG_VERSION")))
            .with_push_listen_addr_updates(true)
            .with_cache_size(0);
        let ping = ping::Config::new().with_interval(ping).with_timeout(ping.max(Duration::from_secs(5)));
        let mdns = match with_mdns {
            true => Some(mdns::tokio::Behaviour::new(mdns::Config::default(), own)?),
            false => None,
        };
        Ok(Self {
            limits: connection_limits::Behaviour::new(limits),
            shut_out: allow_block_list::Behaviour::default(),
            allow: allowed.into(),
            streams: streams::Behaviour::default(),
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::new(ping),
            kad: kademlia(own),
            mdns: mdns.into(),
        })
    }

    /// Asks the DHT for members: those around a random point.
    pub(super) fn look_up(&mut self) -> kad::QueryId {
        self.kad.get_closest_peers(PeerId::random())
    }
}

fn kademlia(own: PeerId) -> kad::Behaviour<MemoryStore> {
    let mut config = kad::Config::new(KAD);
    config
        // Records wait for a word of ours: see `membership.rs`.
        .set_record_filtering(kad::StoreInserts::FilterBoth)
        // Only what a node says of itself is handed on.
        .set_kbucket_inserts(kad::BucketInserts::Manual)
        .set_caching(kad::Caching::Disabled)
        .set_record_ttl(None)
        .set_replication_interval(None)
        .set_publication_interval(None)
        .set_replication_factor(REPLICATION)
        .set_provider_publication_interval(None)
        .set_periodic_bootstrap_interval(None)
        .set_query_timeout(LOOKUP)
        .set_max_packet_size(16 * 1024);
    let store = MemoryStoreConfig {
        // One more is this node's own.
        max_records: MOST_RECORDS + 1,
        max_value_bytes: MAX_RECORD + 1,
        max_provided_keys: 0,
        max_providers_per_key: 0,
    };
    let mut kad = kad::Behaviour::with_config(own, MemoryStore::with_config(own, store), config);
    // Every member is a full one, reachable or not.
    kad.set_mode(Some(kad::Mode::Server));
    kad
}
