//! ICMP errors of steered connections. What they quote was sent by the node in somebody's name, so that they come to the
//! node: they are told to whoever has sent it, in its own numbers, addresses and family.
//!
//! Their source is always an address of the node which the receiver talks to: a router between nodes may have an address
//! that means nothing to it, or none of its family (RFC 5508, REQ-5).

use dfaas_common::address::{Ends, Tuple};
use dfaas_common::count::{DropReason, Event};
use dfaas_common::flow::{Flow, mark, side, state};
use dfaas_common::icmp::{self, Kind, Meaning, in_flight, ip_header};
use dfaas_common::steps;
use dfaas_common::translate::flag;

use super::count::{drop, event};
use super::deliver;
use super::flows;
use super::icmp_error::{self, CHECKSUM, Ordered};
use super::leg;
use super::path;
use super::scratch::Scratch;
use super::skb::{PASS, Skb, jump, now};

/// The ends of the packet that answers one with these.
#[inline(always)]
const fn turned(ends: &Ends) -> Ends {
    Ends {
        source: ends.destination,
        destination: ends.source,
        source_port: ends.destination_port,
        destination_port: ends.source_port,
    }
}

/// An ICMP message that comes in. What does not concern a steered connection passes untouched.
#[inline(always)]
pub fn run(skb: Skb, s: *mut Scratch) -> i32 {
    // SAFETY: map values.
    unsafe {
        if !icmp_error::read(skb, s) {
            return PASS;
        }
        let r = &(*s).report;
        let message = Kind { kind: r.kind, code: r.code };
        let Some(meaning) = icmp::meaning((*s).frame.v6 != 0, message) else { return PASS };
        // The node has sent what is quoted.
        let q = r.quoted;
        let tuple = &mut (*s).segment.tuple;
        *tuple = Tuple {
            remote: q.destination,
            local: q.source,
            remote_port: q.destination_port,
            local_port: q.source_port,
        };
        let Some(found) = flows::find(tuple) else { return PASS };
        let Some(flow) = flows::get(found.index) else { return PASS };
        let partial = skb.partial_at((*s).frame.l4 + CHECKSUM);
        if !icmp_error::intact(s, partial) {
            return PASS;
        }
        (*s).now = now();
        (*s).number = found.index;
        if meaning != Meaning::TooBig {
            (*s).report.mtu = 0;
        }
        if found.side == side::CLIENT {
            return to_backend(skb, s, flow, partial);
        }
        match (*flow).state {
            state::ESTABLISHED if leg::far(flow) != 0 => to_client(skb, s, flow, meaning, partial),
            state::OPENING if meaning == Meaning::Unreachable && !partial => refused(s, flow),
            _ => PASS,
        }
    }
}

/// Makes the message at hand this one, which quotes a packet with these ends, for the end of a connection at the other
/// side of the packet; `line` bytes were inserted into what is quoted.
#[inline(always)]
fn retell(skb: Skb, s: *mut Scratch, quoted: &Ends, sequence: u32, line: u32, partial: bool) -> bool {
    use dfaas_common::address::is_ipv4;
    // SAFETY: map values.
    unsafe {
        let (v6, to_v6) = ((*s).frame.v6 != 0, !is_ipv4(&quoted.source));
        let r = &mut (*s).report;
        let message = Kind { kind: r.kind, code: r.code };
        let Some(told) = icmp::told(v6, message, to_v6) else { return false };
        if icmp::meaning(v6, message) == Some(Meaning::TooBig) {
            r.mtu = icmp::mtu(r.mtu, v6, to_v6, line);
        }
        (r.kind, r.code) = (told.kind, told.code);
        r.length = r.length.saturating_sub(line);
        r.quoted = *quoted;
        r.sequence = sequence;
        (*s).hop = turned(quoted);
    }
    icmp_error::emit(skb, s, if partial { Ordered::Icmp } else { Ordered::Nothing })
}

/// An error about a segment of the client, on a leg with an address of its own: the client is told.
#[inline(always)]
fn to_client(skb: Skb, s: *mut Scratch, flow: *mut Flow, meaning: Meaning, partial: bool) -> i32 {
    // SAFETY: map values.
    unsafe {
        let r = &(*s).report;
        // The line was inserted into the first segment, which begins where it did; what is behind it is higher by it.
        let first = r.sequence == (*flow).client_isn.wrapping_add(1);
        let sequence = if first { r.sequence } else { r.sequence.wrapping_sub((*flow).shift) };
        if !in_flight(sequence, (*flow).backend_acked, (*flow).client_next) {
            return drop(DropReason::IcmpIgnored);
        }
        let v6 = (*s).frame.v6 != 0;
        if meaning == Meaning::TooBig {
            let size = icmp::segment_size(r.mtu, v6, r.length + ip_header(v6));
            if size != 0 {
                path::found(leg::far(flow), (*s).now, size);
            }
        }
        let line = if first { (*flow).shift } else { 0 };
        let quoted = (*flow).client.arriving();
        if !retell(skb, s, &quoted, sequence, line, partial) {
            return drop(DropReason::IcmpIgnored);
        }
        event(Event::IcmpTranslated);
    }
    deliver::to_client(skb, s, flow)
}

/// An error about a segment that was sent to the client, or to the peer that stands for it: the backend is told, whose own
/// stack sees whether it is in flight.
#[inline(always)]
fn to_backend(skb: Skb, s: *mut Scratch, flow: *mut Flow, partial: bool) -> i32 {
    // SAFETY: map values.
    unsafe {
        let at = (*flow).state;
        if (at != state::ESTABLISHED && at != state::FORWARDED) || (*flow).marks & mark::NATIVE != 0 {
            return PASS;
        }
        let sequence = (*s).report.sequence.wrapping_add((*flow).sequence_delta);
        let quoted = turned(&leg::ends(flow));
        if !retell(skb, s, &quoted, sequence, 0, partial) {
            return drop(DropReason::IcmpIgnored);
        }
        event(Event::IcmpTranslated);
    }
    // The own gateway's stack takes it wherever it comes in.
    if leg::far(flow) == 0 { PASS } else { deliver::to_backend(skb, s, flow) }
}

/// A router, or the backend's host, says that the SYN cannot arrive: that is a refusal, and the next backend is tried.
/// Hosts take it so, whatever the code (RFC 5461, 4.1). It is believed only with the sequence number of the SYN
/// (RFC 5927, 4.1), and ends one attempt of a connection, of which there are few.
#[inline(always)]
fn refused(s: *mut Scratch, flow: *mut Flow) -> i32 {
    // SAFETY: map values.
    unsafe {
        if (*s).report.sequence != (*flow).client_isn {
            return drop(DropReason::IcmpIgnored);
        }
        event(Event::IcmpRefused);
        (*s).segment.flags = flag::RST as u32;
    }
    jump(steps::NEXT)
}
