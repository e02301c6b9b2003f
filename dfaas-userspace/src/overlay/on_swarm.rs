//! What the task does about connections and what is learnt of other nodes.

use std::time::Instant;

use libp2p::allow_block_list::{Blocked, NotAllowed};
use libp2p::core::ConnectedPoint;
use libp2p::swarm::{ConnectionDenied, ConnectionId, DialError, ListenError, SwarmEvent};
use libp2p::{Multiaddr, PeerId, identify, kad, mdns, ping};

use super::address::{is_usable, with_id};
use super::api::{Event, Offence};
use super::behaviour::{BehaviourEvent, KAD};
use super::book::MOST_ADDRESSES;
use super::task::Task;

/// Pings in a row after whose failure a connection is closed.
const MOST_FAILED_PINGS: u32 = 2;

impl Task {
    pub(super) fn on_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.established(peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, num_established, cause, .. } => {
                tracing::debug!(peer = %peer_id, ?cause, "connection closed");
                self.gone(peer_id, connection_id, num_established);
            }
            SwarmEvent::IncomingConnectionError { error, send_back_addr, .. } => {
                tracing::debug!(from = %send_back_addr, "connection refused: {error}");
                match error {
                    ListenError::Denied { cause } => self.refuse(reason(cause)),
                    ListenError::Transport(_) | ListenError::WrongPeerId { .. } => self.refuse("handshake"),
                    ListenError::Aborted | ListenError::LocalPeerId { .. } => {}
                }
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => {
                self.failed(peer, &error)
            }
            SwarmEvent::NewListenAddr { address, listener_id } => {
                tracing::info!("the overlay listens at {}", with_id(address.clone(), self.own));
                self.listening.insert(with_id(address, self.own), listener_id);
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.listening.remove(&with_id(address, self.own));
            }
            SwarmEvent::ListenerClosed { addresses, reason, .. } => {
                tracing::warn!(?addresses, ?reason, "the overlay listens no more");
                for address in addresses {
                    self.listening.remove(&with_id(address, self.own));
                }
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!("a listener of the overlay: {error}"),
            _ => {}
        }
    }

    fn established(&mut self, peer: PeerId, connection: ConnectionId, endpoint: &ConnectedPoint) {
        let now = Instant::now();
        let remote = endpoint.get_remote_address().clone();
        tracing::debug!(%peer, %remote, "connected");
        let first = !self.connections.contains_key(&peer);
        self.connections.entry(peer).or_default().insert(connection, (remote.clone(), 0));
        if endpoint.is_listener() && !self.may_open(peer, now) {
            self.swarm.close_connection(connection);
        }
        if endpoint.is_dialer() {
            self.book.reached(&peer, &remote);
        }
        if first {
            self.links.connected(peer, now);
            self.book.connected(&peer);
            if self.seeking.remove(&peer).is_some() {
                self.links.seek(&peer, now);
            }
        }
        self.settle();
    }

    fn gone(&mut self, peer: PeerId, connection: ConnectionId, left: u32) {
        if let Some(connections) = self.connections.get_mut(&peer) {
            connections.remove(&connection);
        }
        if left == 0 {
            let (lost, chance) = (self.links.is_linked(&peer), self.chance());
            self.connections.remove(&peer);
            self.observed.forget(&peer);
            self.links.disconnected(&peer);
            self.close_streams(&peer);
            self.book.disconnected(&peer, lost, Instant::now(), chance);
        }
        self.settle();
    }

    fn failed(&mut self, peer: PeerId, error: &DialError) {
        if matches!(error, DialError::DialPeerConditionFalse(_)) {
            return;
        }
        let reason = call_error(peer, error);
        tracing::debug!(%peer, "not reached: {reason}");
        self.trouble = Some(reason);
        self.seeking.remove(&peer);
        let chance = self.chance();
        self.book.failed(&peer, Instant::now(), chance);
    }

    fn on_behaviour(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Streams(event) => self.on_stream(event),
            BehaviourEvent::Ping(ping::Event { peer, connection, result }) => {
                self.pinged(peer, connection, result);
            }
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                self.introduced(peer_id, info);
            }
            BehaviourEvent::Kad(event) => self.on_kad(event),
            BehaviourEvent::Mdns(mdns::Event::Discovered(found)) => {
                found.into_iter().for_each(|(peer, address)| self.heard(peer, vec![address]));
            }
            _ => {}
        }
    }

    fn pinged(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        result: Result<std::time::Duration, ping::Failure>,
    ) {
        let Some(connections) = self.connections.get_mut(&peer) else { return };
        let Some((_, failed)) = connections.get_mut(&connection) else { return };
        match result {
            Ok(rtt) => {
                *failed = 0;
                self.links.measured(&peer, rtt);
                self.book.measured(&peer, rtt);
                if self.outbox.has_told(&peer) {
                    self.outbox.offer(Event::Rtt { peer, rtt });
                }
            }
            Err(ping::Failure::Unsupported) => {}
            Err(_) => {
                *failed += 1;
                if *failed >= MOST_FAILED_PINGS {
                    tracing::debug!(%peer, "connection given up: no answer to pings");
                    self.swarm.close_connection(connection);
                }
            }
        }
    }

    /// A node says what it speaks and where it listens. Only members speak our DHT's protocol.
    fn introduced(&mut self, peer: PeerId, info: identify::Info) {
        let Some(source) = self.remote(&peer) else { return };
        if !info.protocols.contains(&KAD) {
            return;
        }
        self.observed(peer, &info.observed_addr);
        let usable = info.listen_addrs.into_iter().filter(|address| is_usable(address, &source));
        let addresses: Vec<Multiaddr> = usable.take(MOST_ADDRESSES).collect();
        for address in &addresses {
            self.swarm.behaviour_mut().kad.add_address(&peer, address.clone());
        }
        self.book.introduced(peer, addresses, Instant::now());
        self.book.connected(&peer);
        if let Some(rtt) = self.links.rtt(&peer) {
            self.book.measured(&peer, rtt);
        }
    }

    /// Where a connected node is, as one of the connections to it has it.
    pub(super) fn remote(&self, peer: &PeerId) -> Option<Multiaddr> {
        self.connections.get(peer)?.values().next().map(|(remote, _)| remote.clone())
    }

    /// Somebody, or the local network, says that this is a node.
    pub(super) fn heard(&mut self, peer: PeerId, addresses: Vec<Multiaddr>) {
        if self.is_welcome(&peer) {
            // Nodes on this machine only are of use to one that listens here only.
            let here = self.settings.listen.first();
            let usable =
                addresses.into_iter().filter(|address| here.is_some_and(|here| is_usable(address, here)));
            let addresses: Vec<Multiaddr> = usable.take(MOST_ADDRESSES).collect();
            if !addresses.is_empty() {
                self.book.heard(peer, addresses, Instant::now());
                if self.connections.contains_key(&peer) {
                    self.book.connected(&peer);
                }
            }
        }
    }

    /// Whether a node may connect.
    pub(super) fn is_welcome(&self, peer: &PeerId) -> bool {
        let allowed = self.settings.allow.is_empty() || self.settings.allow.contains(peer);
        allowed && !self.ledger.is_out(peer)
    }

    fn on_kad(&mut self, event: kad::Event) {
        match event {
            kad::Event::InboundRequest {
                request: kad::InboundRequest::PutRecord { source, record: Some(record), .. },
            } => self.put(source, record),
            // Nobody of ours provides any key.
            kad::Event::InboundRequest {
                request: kad::InboundRequest::AddProvider { record: Some(record) },
            } => self.offend(record.provider, Offence::Forged),
            kad::Event::OutboundQueryProgressed { id, result, step, .. } => {
                if step.last {
                    self.look_ups.ended(id);
                }
                self.found(result);
            }
            _ => {}
        }
    }

    fn found(&mut self, result: kad::QueryResult) {
        match result {
            kad::QueryResult::GetRecord(Ok(kad::GetRecordOk::FoundRecord(found))) => {
                if let Some(from) = found.peer {
                    self.take_record(from, &found.record.value.into());
                }
            }
            kad::QueryResult::GetClosestPeers(
                Ok(kad::GetClosestPeersOk { peers, .. })
                | Err(kad::GetClosestPeersError::Timeout { peers, .. }),
            ) => peers.into_iter().for_each(|found| self.heard(found.peer_id, found.addrs)),
            _ => {}
        }
    }
}

/// The word for why a connection was denied.
fn reason(cause: ConnectionDenied) -> &'static str {
    let cause = match cause.downcast::<NotAllowed>() {
        Ok(_) => return "not_allowed",
        Err(cause) => cause,
    };
    match cause.downcast::<Blocked>() {
        Ok(_) => "shut_out",
        // Only the limits are left that deny connections.
        Err(_) => "limit",
    }
}

/// One line about a call that failed.
pub(super) fn call_error(peer: PeerId, error: &DialError) -> String {
    match error {
        DialError::Transport(tried) => match tried.first() {
            Some((address, cause)) => {
                let mut inner: &dyn std::error::Error = cause;
                while let Some(next) = inner.source() {
                    inner = next;
                }
                format!("{}: {inner}", with_id(address.clone(), peer))
            }
            None => format!("{peer}: no address"),
        },
        DialError::WrongPeerId { obtained, address } => {
            format!("{}: another node is there, {obtained}", with_id(address.clone(), peer))
        }
        DialError::Denied { cause } => format!("{peer}: {cause}"),
        error => format!("{peer}: {error}"),
    }
}
