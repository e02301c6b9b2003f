//! Connections that the host's own stack opens, because nothing is steered at the moment or the table is full: they are
//! followed, so that they are counted and can move later.

use aya_ebpf::bindings::BPF_ANY;
use dfaas_common::address::Endpoint;
use dfaas_common::config::place;
use dfaas_common::cookie::NO_SCALE;
use dfaas_common::count::{Event, LOCAL};
use dfaas_common::flow::{Greeting, mark, side, state};
use dfaas_common::steps;

use super::count::event;
use super::flows;
use super::leg;
use super::maps::{GREETINGS, PLACES};
use super::scratch::Scratch;
use super::skb::{PASS, Skb, clock, jump};

/// Remembers the SYN at hand, which passes to the stack.
#[inline(never)]
pub fn greet(s: *mut Scratch) {
    // SAFETY: map values.
    unsafe {
        let options = &(*s).options;
        let greeting = Greeting {
            client_isn: (*s).segment.sequence,
            segment_size: options.segment_size as u16,
            client_scale: options.scale as u8,
            ..Greeting::default()
        };
        let _ = GREETINGS.insert(&(*s).segment.tuple, &greeting, BPF_ANY as u64);
    }
}

/// The stack's answer to a SYN, at a listen address.
#[inline(never)]
pub fn greeted(s: *mut Scratch) {
    // SAFETY: map values.
    unsafe {
        let tuple = &(*s).segment.tuple;
        let here = Endpoint { address: tuple.local, port: tuple.local_port, padding: 0 };
        if PLACES.get(&here).copied() != Some(place::LISTEN) {
            return;
        }
        let Some(greeting) = GREETINGS.get_ptr_mut(tuple) else { return };
        let options = &(*s).options;
        if (*s).segment.acknowledgment != (*greeting).client_isn.wrapping_add(1) {
            return;
        }
        (*greeting).server_isn = (*s).segment.sequence;
        (*greeting).server_scale = options.scale as u8;
        (*greeting).sack = options.sack_permitted as u8;
        if options.scale as u8 == NO_SCALE {
            // Only what both offer is in force (RFC 7323, 2.2).
            (*greeting).client_scale = NO_SCALE;
        }
        if options.time_at != 0 {
            (*greeting).timestamps = 1;
            (*greeting).clock = (*s).received.number(options.time_at).wrapping_sub(clock((*s).now));
        }
        (*greeting).answered = 1;
    }
}

/// Whether the segment at hand is the first data of a connection that the stack has opened.
#[inline(never)]
pub fn opened(s: *mut Scratch) -> bool {
    // SAFETY: map values.
    unsafe {
        let segment = &(*s).segment;
        let Some(greeting) = GREETINGS.get_ptr(&segment.tuple) else { return false };
        (*greeting).answered != 0
            && segment.payload != 0
            && segment.sequence == (*greeting).client_isn.wrapping_add(1)
            && segment.acknowledgment == (*greeting).server_isn.wrapping_add(1)
    }
}

/// Gives such a connection a flow.
#[inline(never)]
pub fn follow(skb: Skb, s: *mut Scratch, max_flows: u32) -> i32 {
    // SAFETY: map values; a flow that was claimed belongs to this CPU.
    unsafe {
        flows::sweep_some(max_flows, (*s).now);
        let segment = &(*s).segment;
        let Some(greeting) = GREETINGS.get_ptr(&segment.tuple) else { return PASS };
        let Some((number, flow)) = flows::claim((*s).now) else { return PASS };
        (*flow).client = segment.tuple;
        (*flow).marks = mark::NATIVE;
        (*flow).backend_number = LOCAL;
        (*flow).client_isn = (*greeting).client_isn;
        (*flow).client_next = segment.sequence;
        (*flow).backend_acked = segment.sequence;
        (*flow).segment_size = (*greeting).segment_size;
        (*flow).client_scale = (*greeting).client_scale;
        (*flow).told_scale = (*greeting).server_scale;
        (*flow).backend_scale = (*greeting).server_scale;
        (*flow).sack = (*greeting).sack;
        (*flow).timestamps = (*greeting).timestamps;
        (*flow).visible_clock = (*greeting).clock;
        leg::remember_client(skb, s, flow);
        if !flows::index(&(*flow).client, number, side::CLIENT) {
            // Another CPU has just done it, by the same segment sent twice.
            flows::retire(number, flow, state::CLAIMED);
            return PASS;
        }
        event(Event::Observed);
        (*flow).state = state::ESTABLISHED;
        (*s).number = number;
    }
    jump(steps::REQUEST)
}
