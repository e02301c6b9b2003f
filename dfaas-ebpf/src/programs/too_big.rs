//! Segments of clients that are larger than the way to their backend takes. Clients are told a size that fits all ways, but
//! a way may become narrower while they are connected, or a connection may move to a peer that was not known then.
//! Whatever is sent on from here is not divided and not answered by the kernel, as a router's packets would be: it would be
//! lost, and lost again.

use dfaas_common::address::is_ipv4;
use dfaas_common::count::{DropReason, Event};
use dfaas_common::flow::Flow;
use dfaas_common::icmp::{ip_header, mtu, too_big};

use super::count::{drop, event};
use super::family::HOPS;
use super::flows;
use super::icmp_error::{Ordered, emit};
use super::leg;
use super::path;
use super::scratch::Scratch;
use super::skb::Skb;

/// What every way takes: no segment up to this is asked about.
const SMALL: u32 = 536;

/// Whether the segment at hand, of the client of a flow, is too large for the way to its backend.
#[inline(always)]
pub fn is(skb: Skb, s: *mut Scratch, flow: *mut Flow) -> bool {
    // SAFETY: map values.
    unsafe {
        let segment = &(*s).segment;
        let backend = leg::far(flow);
        if segment.payload <= SMALL - 40 || backend == 0 {
            return false;
        }
        let piece = skb.piece();
        let piece = if piece != 0 && piece < segment.payload { piece } else { segment.payload };
        let size = path::segment_size(backend, (*s).now);
        size != 0 && piece + segment.header - 20 > size
    }
}

/// Tells the client.
#[inline(always)]
pub fn run(skb: Skb, s: *mut Scratch) -> i32 {
    // SAFETY: map values.
    unsafe {
        let Some(flow) = flows::get((*s).number) else { return drop(DropReason::Internal) };
        let segment = &(*s).segment;
        let to_v6 = !is_ipv4(&segment.ends.source);
        let far_v6 = !is_ipv4(&(*flow).backend.remote);
        // A segment size counts the header of TCP without options.
        let link = path::segment_size(leg::far(flow), (*s).now) + 20 + ip_header(far_v6);
        let message = too_big(to_v6);
        let r = &mut (*s).report;
        (r.kind, r.code) = (message.kind, message.code);
        r.mtu = mtu(link, far_v6, to_v6, 0);
        r.quoted = segment.ends;
        r.sequence = segment.sequence;
        r.length = segment.header + segment.payload;
        r.hops = HOPS;
        (*s).hop = segment.tuple.leaving();
        let ordered = if skb.partial((*s).frame.l4) { Ordered::Tcp } else { Ordered::Nothing };
        if !emit(skb, s, ordered) {
            return drop(DropReason::Internal);
        }
    }
    event(Event::TooBigAnswered);
    skb.turn_hardware();
    skb.transmit(skb.interface())
}
