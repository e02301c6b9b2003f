//! Invocations from peers: they arrive at the data port and are never steered, only delivered to the local gateway.

use dfaas_common::config::Config;
use dfaas_common::count::{DropReason, Event, LOCAL, NO_FUNCTION, PeerOutcome, origin};
use dfaas_common::flow::{Flow, mark, side, state};
use dfaas_common::translate::flag;

use super::atomic;
use super::client;
use super::count::{self, answer, bind, drop, event, invocation, release};
use super::established::{forward, note};
use super::flows;
use super::handshake;
use super::limits;
use super::maps::PEER_NUMBERS;
use super::scratch::Scratch;
use super::skb::{PASS, Skb};

/// Whether the segment at hand opens a connection.
#[inline(always)]
fn opens(s: *mut Scratch) -> bool {
    // SAFETY: map value.
    let flags = unsafe { (*s).segment.flags } as u8;
    flags & (flag::SYN | flag::ACK | flag::RST | flag::FIN) == flag::SYN
}

/// Answers a packet that is not let in.
#[inline(never)]
fn refuse(skb: Skb, s: *mut Scratch, reason: DropReason) -> i32 {
    drop(reason);
    handshake::reset(skb, s)
}

/// A packet to the data port that belongs to no flow.
#[inline(never)]
pub fn stranger(skb: Skb, s: *mut Scratch, config: &Config) -> i32 {
    // SAFETY: map values; a flow that was claimed belongs to this CPU.
    unsafe {
        let segment = &(*s).segment;
        let Some(&peer) = PEER_NUMBERS.get(&segment.tuple.remote) else {
            return refuse(skb, s, DropReason::Stranger);
        };
        if !opens(s) {
            return refuse(skb, s, DropReason::UnknownFromPeer);
        }
        flows::sweep_some(config.max_flows, (*s).now);
        if !limits::admit(peer, (*s).now, false) {
            // No payload has left the peer yet: it tries another backend, and its user does not notice.
            count::peer(peer, PeerOutcome::Denied);
            return refuse(skb, s, DropReason::Denied);
        }
        let Some((number, flow)) = flows::claim((*s).now) else {
            limits::leave(peer);
            return refuse(skb, s, DropReason::FlowTableFull);
        };
        (*flow).peer = peer;
        atomic::fetch_or(&raw mut (*flow).marks, mark::ADMITTED);
        (*flow).client = segment.tuple;
        let gateway = &mut (*flow).backend;
        let own = &config.gateways[((*s).frame.v6 & 1) as usize];
        gateway.remote = segment.tuple.remote;
        gateway.local = if own.address == [0; 4] { segment.tuple.local } else { own.address };
        gateway.remote_port = segment.tuple.remote_port;
        gateway.local_port = own.port;
        (*flow).backend_number = LOCAL;
        (*flow).client_isn = segment.sequence;
        if !flows::index(&(*flow).client, number, side::CLIENT)
            || !flows::index(&(*flow).backend, number, side::BACKEND)
        {
            // The peer's address and port are also those of a user's connection: the peer tries another backend.
            flows::retire(number, flow, state::CLAIMED);
            return refuse(skb, s, DropReason::UnknownFromPeer);
        }
        accept(flow);
        from_peer(skb, s, flow)
    }
}

/// Counts the connection that a flow, claimed by this CPU, stands for, and lets it through.
#[inline(always)]
fn accept(flow: *mut Flow) {
    bind(flow, NO_FUNCTION, LOCAL, 0);
    // SAFETY: map value.
    unsafe {
        count::peer((*flow).peer, PeerOutcome::Accepted);
        (*flow).state = state::FORWARDED;
    }
    event(Event::PeerAccepted);
}

/// What becomes of a SYN that uses the port of an earlier connection again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    /// The same entry serves the new connection.
    Accepted,
    /// It is above what is taken from the peer; the earlier connection stays.
    Denied,
    /// Its sender is no peer any more.
    Stranger,
    /// Another CPU is at it.
    Busy,
}

/// Gives a flow to the connection that the SYN at hand opens, if it is admitted. Nothing but counts depends on which
/// of the two it is, so even a forged SYN does no harm.
#[inline(never)]
fn again(s: *mut Scratch, flow: *mut Flow) -> Again {
    // SAFETY: map values; the winner of the swap alone changes the flow.
    unsafe {
        let Some(&peer) = PEER_NUMBERS.get(&(*s).segment.tuple.remote) else { return Again::Stranger };
        if !atomic::swap(&raw mut (*flow).state, state::FORWARDED, state::CLAIMED) {
            return Again::Busy;
        }
        let sequence = (*s).segment.sequence;
        if (*flow).client_isn == sequence {
            // Another CPU has just done it, by the same SYN sent twice.
            (*flow).state = state::FORWARDED;
            return Again::Accepted;
        }
        // A connection that was not closed leaves its place to its successor. The mark is taken meanwhile, so that
        // no end of the earlier one gives the place up.
        let place = atomic::fetch_and(&raw mut (*flow).marks, !mark::ADMITTED) & mark::ADMITTED;
        let same = place != 0 && (*flow).peer == peer;
        if !limits::admit(peer, (*s).now, same) {
            atomic::fetch_or(&raw mut (*flow).marks, place);
            (*flow).state = state::FORWARDED;
            count::peer(peer, PeerOutcome::Denied);
            return Again::Denied;
        }
        if place != 0 && !same {
            limits::leave((*flow).peer);
        }
        count::forget(flow);
        (*flow).peer = peer;
        (*flow).client_isn = sequence;
        (*flow).function = NO_FUNCTION;
        (*flow).asked = 0;
        atomic::fetch_or(&raw mut (*flow).marks, mark::ADMITTED);
        accept(flow);
    }
    Again::Accepted
}

/// A packet of a peer for a known connection.
#[inline(never)]
pub fn from_peer(skb: Skb, s: *mut Scratch, flow: *mut Flow) -> i32 {
    // SAFETY: map values.
    unsafe {
        let segment = &(*s).segment;
        if (*flow).state != state::FORWARDED {
            // Being filled, given to a new connection or freed by another CPU; it comes again.
            return drop(DropReason::Opening);
        }
        if segment.sequence != (*flow).client_isn && opens(s) {
            match again(s, flow) {
                Again::Accepted => {}
                Again::Denied => return refuse(skb, s, DropReason::Denied),
                Again::Stranger => return refuse(skb, s, DropReason::Stranger),
                Again::Busy => return drop(DropReason::Opening),
            }
        }
        let (marks, payload) = ((*flow).marks, segment.payload);
        if payload != 0
            && marks & mark::SEEN_REQUEST == 0
            && atomic::fetch_or(&raw mut (*flow).marks, mark::SEEN_REQUEST) & mark::SEEN_REQUEST == 0
        {
            let function = client::function(skb, s);
            release(flow);
            (*flow).function = function;
            (*flow).asked = (*s).now;
            bind(flow, function, LOCAL, 0);
            invocation(function, LOCAL, origin::PEER);
        }
        note(s, flow, mark::CLIENT_FIN);
        // The gateway sees the peer itself.
        (*s).hop = (*flow).backend.arriving();
        if !forward(skb, s) {
            return drop(DropReason::Malformed);
        }
    }
    PASS
}

/// A packet of the local gateway to a peer.
#[inline(never)]
pub fn from_gateway(skb: Skb, s: *mut Scratch, flow: *mut Flow) -> i32 {
    answer(s, flow);
    note(s, flow, mark::BACKEND_FIN);
    // SAFETY: map values.
    unsafe { (*s).hop = (*flow).client.leaving() };
    if !forward(skb, s) {
        return drop(DropReason::Malformed);
    }
    PASS
}
