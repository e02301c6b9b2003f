//! The end of a request and the start of the next in one segment: only the end passes, and the client, which gets no
//! acknowledgment of more, sends the next request again, at a boundary.

use dfaas_common::address::is_ipv4;
use dfaas_common::checksum::fold;
use dfaas_common::count::{DropReason, PinReason};

use super::boundary::pin;
use super::count::drop;
use super::established::{self, read_header};
use super::flows;
use super::head;
use super::scratch::Scratch;
use super::skb::{Skb, difference};

/// Cuts the payload of the segment at hand to its first `length` bytes; `false` if it is too long for its checksum to be
/// brought along, and then it is as it was.
#[inline(always)]
fn cut(skb: Skb, s: *mut Scratch, length: u32) -> bool {
    // SAFETY: map values.
    unsafe {
        let (l3, l4) = ((*s).frame.l3, (*s).frame.l4);
        let (header, payload) = ((*s).segment.header, (*s).segment.payload);
        let partial = skb.partial(l4);
        let mut removed = 0;
        if !partial {
            let looked = head::look(skb, s);
            if looked != payload || head::damaged(skb, s, looked) {
                return false;
            }
            let bytes = (&raw mut (*s).look).cast::<u8>();
            let all = head::checksum(bytes, payload);
            // Only whole words are summed: what lies behind the cut counts as nothing.
            head::pad(bytes, length);
            removed = fold(all as u64 + !fold(head::checksum(bytes, length) as u64) as u64) as u64;
        }
        if !skb.resize(l4 + header + length) {
            return false;
        }
        let (before, after) = (header + payload, header + length);
        if is_ipv4(&(*s).segment.ends.source) {
            let old = [(20 + before).to_be()];
            let new = [(20 + after).to_be()];
            let total = ((20 + after) as u16).to_be();
            skb.store_balanced(l3 + 2, (&raw const total).cast(), 2);
            skb.update_ipv4_checksum(l3, difference::<4>(old.as_ptr().cast(), new.as_ptr().cast()));
        } else {
            let total = (after as u16).to_be();
            skb.store(l3 + 4, (&raw const total).cast(), 2);
        }
        let (old, new) = ([before.to_be()], [after.to_be()]);
        skb.update_pseudo_header(l4, difference::<4>(old.as_ptr().cast(), new.as_ptr().cast()));
        // A checksum that covers the payload loses what is removed; one that is left to the device does not change.
        skb.update_checksum(l4, !fold(removed) as u64);
        // The removed bytes left the sum of a NIC already, and the change of the checksum balances them.
        skb.add_to_sum(removed as u32);
        (*s).segment.payload = length;
        read_header(skb, s)
    }
}

/// A segment whose first bytes are the end of a request that is answered.
#[inline(always)]
pub fn run(skb: Skb, s: *mut Scratch) -> i32 {
    // SAFETY: map values.
    unsafe {
        let number = (*s).number;
        let Some(flow) = flows::get(number) else { return drop(DropReason::Internal) };
        let segment = &(*s).segment;
        let (client, answered) = (&(*flow).exchange.client, (*flow).exchange.backend.answered);
        let end = client.end_of_answered(segment.sequence, segment.payload, segment.acknowledgment, answered);
        if end == 0 {
            // Another CPU has just read more: what is dropped comes again.
            return drop(DropReason::FirstSegmentMissing);
        }
        // On a connection of the stack's own nothing is changed, nor is what cannot be.
        if !cut(skb, s, end) {
            pin(flow, PinReason::BeyondRequest);
        }
        established::to_backend(skb, s, number, flow)
    }
}
