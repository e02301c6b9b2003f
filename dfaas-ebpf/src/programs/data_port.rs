//! Invocations from peers: they arrive at the data port and are never steered, only delivered to the local gateway.

use dfaas_common::address::is_ipv4;
use dfaas_common::config::Config;
use dfaas_common::cookie::NO_SCALE;
use dfaas_common::count::{DropReason, Event, LOCAL, NO_FUNCTION, PeerOutcome};
use dfaas_common::event::End;
use dfaas_common::flow::{Flow, mark, side, state};
use dfaas_common::http::exchange::Exchange;
use dfaas_common::translate::flag;

use super::atomic;
use super::boundary;
use super::client;
use super::count::{self, bind, drop, event};
use super::flows;
use super::handshake;
use super::leg;
use super::limits;
use super::maps::PEER_NUMBERS;
use super::reject;
use super::report;
use super::scratch::Scratch;
use super::skb::{Skb, clock};

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
#[inline(always)]
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
        (*flow).backend_number = LOCAL;
        leg::remember_client(skb, s, flow);
        if !flows::index(&(*flow).client, number, side::CLIENT) || !own_leg(number, flow, config) {
            // The peer's address and port are also those of a user's connection: the peer tries another backend.
            flows::retire(number, flow, state::CLAIMED);
            return refuse(skb, s, DropReason::UnknownFromPeer);
        }
        accept(s, flow);
        boundary::from_client(skb, s, number, flow)
    }
}

/// Gives a flow the leg to the own gateway, which sees the peer itself: over IPv6 at the address that the peer used, if
/// no other is known. `false` if the tuple is that of another connection.
#[inline(never)]
pub fn own_leg(number: u32, flow: *mut Flow, config: &Config) -> bool {
    // SAFETY: map values; the flow belongs to this CPU.
    unsafe {
        let peer = &(*flow).client;
        let own = if is_ipv4(&peer.remote) { &config.gateways[0] } else { &config.gateways[1] };
        let gateway = &mut (*flow).backend;
        gateway.remote = peer.remote;
        gateway.local = if own.address == [0; 4] { peer.local } else { own.address };
        gateway.remote_port = peer.remote_port;
        gateway.local_port = own.port;
        flows::index(&(*flow).backend, number, side::BACKEND)
    }
}

/// Counts the connection that a flow, claimed by this CPU, stands for, and lets it through.
#[inline(always)]
fn accept(s: *mut Scratch, flow: *mut Flow) {
    bind(flow, NO_FUNCTION, LOCAL, 0, 0);
    // SAFETY: map values.
    unsafe {
        let (segment, options) = (&(*s).segment, &(*s).options);
        (*flow).client_isn = segment.sequence;
        (*flow).client_next = segment.sequence.wrapping_add(1);
        (*flow).backend_acked = (*flow).client_next;
        (*flow).segment_size = options.segment_size as u16;
        (*flow).client_scale = options.scale as u8;
        (*flow).timestamps = (options.time_at != 0) as u8;
        (*flow).exchange = Exchange::default();
        count::peer((*flow).peer, PeerOutcome::Accepted);
        (*flow).state = state::FORWARDED;
    }
    event(Event::PeerAccepted);
}

/// Notes what the gateway's SYN-ACK at hand tells the peer, should the connection move.
#[inline(always)]
fn greeted(s: *mut Scratch, flow: *mut Flow) {
    // SAFETY: map values.
    unsafe {
        let options = &(*s).options;
        (*flow).told_scale = options.scale as u8;
        if options.scale as u8 == NO_SCALE {
            (*flow).client_scale = NO_SCALE;
        }
        (*flow).sack = options.sack_permitted as u8;
        if options.time_at == 0 {
            (*flow).timestamps = 0;
        } else {
            (*flow).visible_clock = (*s).received.number(options.time_at).wrapping_sub(clock((*s).now));
        }
    }
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
        report::over(flow, End::Forgotten);
        count::forget(flow);
        (*flow).peer = peer;
        (*flow).function = NO_FUNCTION;
        (*flow).asked = 0;
        atomic::fetch_or(&raw mut (*flow).marks, mark::ADMITTED);
        accept(s, flow);
    }
    Again::Accepted
}

/// Whether the segment at hand opens a connection on the tuple of one that moved to another gateway, or was answered
/// here: its flow is gone then, and the new connection begins as the first one did.
#[inline(always)]
pub fn begins_anew(s: *mut Scratch, number: u32, flow: *mut Flow) -> bool {
    // SAFETY: map value.
    let at = unsafe { (*flow).state };
    opens(s) && (at == state::ESTABLISHED || at == state::REJECTED) && flows::replace(number, flow, at)
}

/// A packet of a peer for a known connection.
#[inline(always)]
pub fn from_peer(skb: Skb, s: *mut Scratch, number: u32, flow: *mut Flow) -> i32 {
    // SAFETY: map values.
    unsafe {
        let at = (*flow).state;
        match at {
            state::FORWARDED => {}
            state::ESTABLISHED => return boundary::from_client(skb, s, number, flow),
            state::OPENING => return client::opening(skb, s, number, flow),
            state::REJECTED => return reject::after(skb, s, flow),
            // Being filled, given to a new connection or freed by another CPU; it comes again.
            _ => return drop(DropReason::Opening),
        }
        if (*s).segment.sequence != (*flow).client_isn && opens(s) {
            match again(s, flow) {
                Again::Accepted => {}
                Again::Denied => return refuse(skb, s, DropReason::Denied),
                Again::Stranger => return refuse(skb, s, DropReason::Stranger),
                Again::Busy => return drop(DropReason::Opening),
            }
        }
    }
    boundary::from_client(skb, s, number, flow)
}

/// A packet of the own gateway to a peer, on a connection that was never moved.
#[inline(always)]
pub fn from_gateway(skb: Skb, s: *mut Scratch, number: u32, flow: *mut Flow) -> i32 {
    // SAFETY: map value.
    if unsafe { (*s).segment.flags } as u8 & flag::SYN != 0 {
        greeted(s, flow);
    }
    boundary::from_backend(skb, s, number, flow)
}
