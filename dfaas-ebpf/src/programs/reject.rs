//! Answers that the node gives itself: a complete response and FIN in one segment, and a tombstone that stands for the
//! connection afterwards.

use dfaas_common::cookie::NO_SCALE;
use dfaas_common::count::{DropReason, Event, REJECT};
use dfaas_common::event::End;
use dfaas_common::flow::{Flow, mark, state};
use dfaas_common::reject::{DISCARD_LIMIT, TOO_MANY, UNAVAILABLE, sum};
use dfaas_common::translate::flag;

use super::atomic;
use super::count::{answered, drop, event, invocation};
use super::deliver;
use super::emit::{emit, plain_options};
use super::flows;
use super::report;
use super::scratch::Scratch;
use super::skb::{Skb, clock};

/// Window that we offer for the rest of a body, bytes.
const WINDOW: u32 = 16_384;

/// Sums of the texts, taken when the program is built.
const SUMS: [u64; 2] = [sum(TOO_MANY), sum(UNAVAILABLE)];

/// Length of the text of a status.
#[inline(always)]
const fn length(status: u32) -> u32 {
    if status == 429 { TOO_MANY.len() as u32 } else { UNAVAILABLE.len() as u32 }
}

/// Prepares a segment to the client, after `behind` bytes that we have sent it.
#[inline(always)]
fn prepare(s: *mut Scratch, flow: *mut Flow, behind: u32, flags: u8) {
    // SAFETY: map values.
    unsafe {
        let o = &mut (*s).outgoing;
        o.ends = (*flow).client.leaving();
        o.sequence = (*flow).cookie.wrapping_add(1).wrapping_add(behind);
        o.acknowledgment = (*flow).client_next;
        o.flags = flags as u32;
        o.window =
            if (*flow).client_scale == NO_SCALE { WINDOW } else { WINDOW >> ((*flow).told_scale & 15) };
        o.payload = 0;
        o.payload_sum = 0;
        let times = if (*flow).timestamps != 0 {
            Some((clock((*s).now).wrapping_add((*flow).visible_clock), (*flow).client_time))
        } else {
            None
        };
        plain_options(o, times);
    }
}

/// Sends the answer of a tombstone in the place of the packet at hand.
#[inline(never)]
fn send(skb: Skb, s: *mut Scratch, flow: *mut Flow) -> i32 {
    prepare(s, flow, 0, flag::ACK | flag::PSH | flag::FIN);
    // SAFETY: map values.
    unsafe {
        let status = (*flow).status;
        let o = &mut (*s).outgoing;
        o.payload = length(status);
        let text_sum = if status == 429 { SUMS[0] } else { SUMS[1] };
        o.payload_sum = dfaas_common::checksum::fold(text_sum) as u32;
        let header = o.header;
        if !emit(skb, s) {
            return drop(DropReason::Internal);
        }
        let at = (*s).frame.l4 + header;
        let stored = if status == 429 {
            skb.store(at, TOO_MANY.as_ptr(), TOO_MANY.len() as u32)
        } else {
            skb.store(at, UNAVAILABLE.as_ptr(), UNAVAILABLE.len() as u32)
        };
        if !stored {
            return drop(DropReason::Internal);
        }
    }
    deliver::to_client(skb, s, flow)
}

/// Answers a flow, claimed by this CPU, with 429 or 503.
#[inline(never)]
pub fn answer(skb: Skb, s: *mut Scratch, flow: *mut Flow, status: u32) -> i32 {
    // SAFETY: map value.
    unsafe {
        (*flow).status = status;
        (*flow).backend_number = REJECT;
        (*flow).last_seen = (*s).now;
        invocation(flow, REJECT, false);
        answered(flow, REJECT, status);
        event(if status == 429 { Event::Rejected429 } else { Event::Rejected503 });
        (*flow).noted.status = status;
        report::over(flow, End::Rejected);
        (*flow).state = state::REJECTED;
    }
    send(skb, s, flow)
}

/// Tells the client that the gateway refused, as the gateway would have done; the flow, claimed by this CPU, ends.
#[inline(never)]
pub fn pass_reset(skb: Skb, s: *mut Scratch, number: u32, flow: *mut Flow) -> i32 {
    report::over(flow, End::Refused);
    prepare(s, flow, 0, flag::RST | flag::ACK);
    // SAFETY: map value.
    unsafe { (*s).outgoing.header = 20 };
    let sent = emit(skb, s);
    let verdict = if sent { deliver::to_client(skb, s, flow) } else { drop(DropReason::Internal) };
    flows::retire(number, flow, state::CLAIMED);
    verdict
}

/// A packet of the client after it was answered.
#[inline(never)]
pub fn after(skb: Skb, s: *mut Scratch, flow: *mut Flow) -> i32 {
    // SAFETY: map values.
    unsafe {
        let segment = &(*s).segment;
        let flags = segment.flags as u8;
        if flags & flag::RST != 0 {
            atomic::fetch_or(&raw mut (*flow).marks, mark::CLIENT_FIN | mark::RESET);
            return drop(DropReason::Rejected);
        }
        let fin = flags & flag::FIN != 0;
        if segment.payload == 0 && !fin {
            return drop(DropReason::Rejected);
        }
        if (*s).options.time_at != 0 {
            (*flow).client_time = (*s).received.number((*s).options.time_at);
        }
        let first = segment.sequence == (*flow).client_isn.wrapping_add(1);
        let next = segment.sequence.wrapping_add(segment.payload);
        let ahead = next.wrapping_sub((*flow).client_next);
        if (ahead as i32) > 0 && segment.sequence == (*flow).client_next {
            (*flow).client_next = next;
            (*flow).discarded += ahead;
        }
        if fin && next == (*flow).client_next {
            (*flow).client_next = next.wrapping_add(1);
            (*flow).last_seen = (*s).now;
            atomic::fetch_or(&raw mut (*flow).marks, mark::CLIENT_FIN);
        }
        if first {
            return send(skb, s, flow);
        }
        let over = (*flow).discarded > DISCARD_LIMIT;
        let behind = length((*flow).status) + 1;
        if over {
            prepare(s, flow, behind, flag::RST | flag::ACK);
            atomic::fetch_or(&raw mut (*flow).marks, mark::CLIENT_FIN | mark::RESET);
        } else {
            prepare(s, flow, behind, flag::ACK);
        }
        if !emit(skb, s) {
            return drop(DropReason::Internal);
        }
    }
    deliver::to_client(skb, s, flow)
}
