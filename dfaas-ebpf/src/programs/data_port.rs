//! Invocations from peers: they arrive at the data port and are never steered, only delivered to the local gateway.

use dfaas_common::config::Config;
use dfaas_common::count::{DropReason, Event, LOCAL, NO_FUNCTION, origin};
use dfaas_common::flow::{Flow, mark, side, state};
use dfaas_common::translate::flag;

use super::atomic;
use super::client;
use super::count::{bind, drop, event, invocation, release};
use super::established::{Hop, forward, note};
use super::flows;
use super::handshake;
use super::maps::PEER_NUMBERS;
use super::scratch::Scratch;
use super::skb::{PASS, Skb};

/// A packet to the data port that belongs to no flow.
#[inline(never)]
pub fn stranger(skb: Skb, s: *mut Scratch, config: &Config) -> i32 {
    // SAFETY: map values; a flow that was claimed belongs to this CPU.
    unsafe {
        let segment = &(*s).segment;
        if PEER_NUMBERS.get(&segment.tuple.remote).is_none() {
            drop(DropReason::Stranger);
            return handshake::reset(skb, s);
        }
        let flags = segment.flags as u8;
        if flags & (flag::SYN | flag::ACK | flag::RST | flag::FIN) != flag::SYN {
            drop(DropReason::UnknownFromPeer);
            return handshake::reset(skb, s);
        }
        flows::sweep_some(config.max_flows, (*s).now);
        let Some((number, flow)) = flows::claim((*s).now) else {
            drop(DropReason::FlowTableFull);
            return handshake::reset(skb, s);
        };
        (*flow).client = segment.tuple;
        let gateway = &mut (*flow).backend;
        gateway.remote = segment.tuple.remote;
        gateway.local = config.gateway.address;
        gateway.remote_port = segment.tuple.remote_port;
        gateway.local_port = config.gateway.port;
        (*flow).backend_number = LOCAL;
        (*flow).client_isn = segment.sequence;
        if !flows::index(&(*flow).client, number, side::CLIENT)
            || !flows::index(&(*flow).backend, number, side::BACKEND)
        {
            // The peer's address and port are also those of a user's connection: the peer tries another backend.
            flows::retire(number, flow, state::CLAIMED);
            drop(DropReason::UnknownFromPeer);
            return handshake::reset(skb, s);
        }
        bind(flow, NO_FUNCTION, LOCAL, 0);
        (*flow).state = state::FORWARDED;
        event(Event::PeerAccepted);
        from_peer(skb, s, flow)
    }
}

/// A packet of a peer for a known connection.
#[inline(never)]
pub fn from_peer(skb: Skb, s: *mut Scratch, flow: *mut Flow) -> i32 {
    // SAFETY: map values.
    unsafe {
        let segment = &(*s).segment;
        let flags = segment.flags as u8;
        if flags & flag::SYN != 0 && segment.sequence != (*flow).client_isn {
            // The peer uses the port again: the same entry serves the new connection. Nothing but counts depends on
            // which of the two it is, so even a forged SYN does no harm.
            release(flow);
            (*flow).client_isn = segment.sequence;
            atomic::fetch_and(&raw mut (*flow).marks, 0);
            (*flow).function = NO_FUNCTION;
            bind(flow, NO_FUNCTION, LOCAL, 0);
            event(Event::PeerAccepted);
        }
        let (marks, payload) = ((*flow).marks, segment.payload);
        if payload != 0
            && marks & mark::SEEN_REQUEST == 0
            && atomic::fetch_or(&raw mut (*flow).marks, mark::SEEN_REQUEST) & mark::SEEN_REQUEST == 0
        {
            let function = client::function(skb, s);
            release(flow);
            (*flow).function = function;
            bind(flow, function, LOCAL, 0);
            invocation(function, LOCAL, origin::PEER);
        }
        note(s, flow, mark::CLIENT_FIN);
        let (peer, gateway) = (&(*flow).client, &(*flow).backend);
        let hop = Hop {
            source: peer.remote[3],
            destination: gateway.local[3],
            source_port: peer.remote_port,
            destination_port: gateway.local_port,
        };
        if !forward(skb, s, &hop) {
            return drop(DropReason::Malformed);
        }
    }
    PASS
}

/// A packet of the local gateway to a peer.
#[inline(never)]
pub fn from_gateway(skb: Skb, s: *mut Scratch, flow: *mut Flow) -> i32 {
    note(s, flow, mark::BACKEND_FIN);
    // SAFETY: map values.
    let peer = unsafe { &(*flow).client };
    if !forward(skb, s, &Hop::along(peer)) {
        return drop(DropReason::Malformed);
    }
    PASS
}
