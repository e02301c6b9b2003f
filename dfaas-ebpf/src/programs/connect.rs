//! A backend that accepts.

use dfaas_common::checksum::fold;
use dfaas_common::count::Event;
use dfaas_common::flow::{Flow, Slot, state};
use dfaas_common::translate::flag;

use super::atomic;
use super::backend::{room, towards};
use super::choose::retried;
use super::count::{asked, carried, event};
use super::deliver;
use super::emit::{emit, plain_options};
use super::forwarded;
use super::leg;
use super::saved;
use super::scratch::Scratch;
use super::skb::{DROP, Skb, clock};

/// The backend accepts: its SYN-ACK becomes the acknowledgment together with the saved segment.
#[inline(never)]
pub fn connect(skb: Skb, s: *mut Scratch, flow: *mut Flow) -> i32 {
    // SAFETY: map values.
    unsafe {
        let options = (*s).options;
        let their_time = if options.time_at != 0 { (*s).received.number(options.time_at) } else { 0 };
        let their_sequence = (*s).segment.sequence;
        (*flow).sequence_delta = their_sequence.wrapping_sub((*flow).cookie);
        (*flow).backend_clock = clock((*s).now).wrapping_add((*flow).visible_clock).wrapping_sub(their_time);
        (*flow).backend_time = their_time;
        (*flow).backend_scale = options.scale as u8;
        (*flow).last_seen = (*s).now;
        if leg::far(flow) != 0 {
            leg::remember(skb, flow);
        }
        (*flow).backend_acked = (*flow).client_isn.wrapping_add(1);
        // Nothing of the client passes until it is known whether a line was inserted.
        let first = atomic::swap(&raw mut (*flow).state, state::OPENING, state::CLAIMED);
        if first {
            asked(flow, (*flow).asked, retried(flow));
        }
        towards(s, flow);
        let o = &mut (*s).outgoing;
        plain_options(o, opened_times(flow, options.time_at != 0));
        o.sequence = (*flow).client_isn.wrapping_add(1);
        o.acknowledgment = their_sequence.wrapping_add(1);
        o.flags = flag::ACK as u32;
        o.window = (*flow).client_window as u32;
        let slot = if first { saved::find(flow) } else { None };
        let sent = match slot {
            Some((slot, length)) => send_saved(skb, s, flow, slot, length),
            None => emit(skb, s),
        };
        if first {
            (*flow).state = state::ESTABLISHED;
        }
        if !sent {
            event(Event::SavedLost);
            return DROP;
        }
    }
    deliver::to_backend(skb, s, flow)
}

/// The timestamps of a segment to a backend that has just answered, if both use them.
#[inline(always)]
fn opened_times(flow: *mut Flow, theirs: bool) -> Option<(u32, u32)> {
    // SAFETY: map value.
    unsafe {
        if (*flow).timestamps == 0 || !theirs {
            return None;
        }
        Some(((*flow).client_time.wrapping_add((*flow).client_clock), (*flow).backend_time))
    }
}

/// Makes the packet at hand the segment in `outgoing` with what is saved, and the line that names the client in it if it
/// leaves the node; `false` if what was saved is lost, and no line was inserted.
#[inline(never)]
fn send_saved(skb: Skb, s: *mut Scratch, flow: *mut Flow, slot: *mut Slot, length: u32) -> bool {
    // SAFETY: map values.
    unsafe {
        let line = if (*flow).headers_at != 0 && leg::far(flow) != 0 {
            forwarded::write(s, &(*flow).client.remote)
        } else {
            0
        };
        let o = &mut (*s).outgoing;
        let room = room(s, flow, o.header, line);
        // Where not even the start fits, the client stays unnamed; otherwise the rest comes again, behind the line.
        let line = if room > (*flow).headers_at { line } else { 0 };
        let length = if line != 0 && length > room { saved::cut(flow, slot, room) } else { length };
        o.flags |= flag::PSH as u32;
        o.payload = length + line;
        o.payload_sum = saved::checksum(slot, length);
        if line != 0 {
            let sum = forwarded::sum_at(s, line, (*flow).headers_at);
            o.payload_sum = fold(o.payload_sum as u64 + sum) as u32;
        }
        let sent = emit(skb, s) && saved::put(skb, s, flow, slot, line);
        (*flow).shift = if sent { line } else { 0 };
        if sent {
            carried(flow, 0, length);
        }
        sent
    }
}
