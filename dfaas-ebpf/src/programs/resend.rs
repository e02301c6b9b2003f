//! The first segment of a leg, once more.

use dfaas_common::checksum::fold;
use dfaas_common::count::DropReason;
use dfaas_common::translate::{Translation, window};

use super::backend::room;
use super::count::drop;
use super::deliver;
use super::emit::{emit, plain_options};
use super::flows;
use super::forwarded;
use super::head;
use super::leg;
use super::scratch::Scratch;
use super::skb::Skb;

/// The first segment of a leg comes again after a line was inserted into it: the line must be in this one too.
#[inline(always)]
pub fn run(skb: Skb, s: *mut Scratch) -> i32 {
    // SAFETY: map values.
    unsafe {
        let Some(flow) = flows::get((*s).number) else { return drop(DropReason::Internal) };
        let segment = &(*s).segment;
        let line = forwarded::write(s, &(*flow).client.remote);
        // More than fits one packet with the line is cut; the rest comes again too.
        let header = if (*s).options.time_at != 0 { 32 } else { 20 };
        let room = room(s, flow, header, line);
        let length = if segment.payload > room { room } else { segment.payload };
        if length < (*flow).headers_at || head::look(skb, s) < length {
            return drop(DropReason::Malformed);
        }
        let change = Translation::to_backend(&*flow);
        let o = &mut (*s).outgoing;
        o.ends = leg::ends(flow);
        let times = if (*s).options.time_at != 0 {
            let at = (*s).options.time_at;
            let echo = (*s).received.number(at + 4);
            Some(((*s).received.number(at).wrapping_add(change.time), change.echo_of(echo)))
        } else {
            None
        };
        plain_options(o, times);
        o.sequence = segment.sequence;
        o.acknowledgment = segment.acknowledgment.wrapping_add(change.acknowledgment);
        o.flags = segment.flags;
        o.window = window(segment.window as u16, change.window_left, change.window_right) as u32;
        o.payload = length + line;
        let bytes = (&raw mut (*s).look).cast::<u8>();
        // Only whole words are summed: what lies behind the cut counts as nothing.
        head::pad(bytes, length);
        let sum = head::checksum(bytes, length) as u64 + forwarded::sum_at(s, line, (*flow).headers_at);
        o.payload_sum = fold(sum) as u32;
        if !emit(skb, s) || !forwarded::put(skb, s, bytes, (*flow).headers_at, line) {
            return drop(DropReason::Internal);
        }
        deliver::to_backend(skb, s, flow)
    }
}
