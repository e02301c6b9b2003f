//! What goes out: of interest is only what the local gateway sends on connections that we know.

use dfaas_common::count::DropReason;
use dfaas_common::flow::side;

use super::backend;
use super::count::drop;
use super::data_port;
use super::established::read_header;
use super::flows;
use super::leg;
use super::maps::SCRATCH;
use super::read::read;
use super::skb::{PASS, Skb, hook};

/// The egress program.
#[inline(always)]
pub fn run(skb: Skb) -> i32 {
    if skb.marked() {
        return PASS;
    }
    let Some(s) = SCRATCH.get_ptr_mut(0) else { return PASS };
    if !read(skb, s, hook::EGRESS) {
        return PASS;
    }
    // SAFETY: map values.
    unsafe {
        let Some(found) = flows::find(&(*s).segment.tuple) else { return PASS };
        let Some(flow) = flows::get(found.index) else { return PASS };
        // Of a connection that a peer sent, nothing else goes out.
        let from_peer = (*flow).peer != 0;
        if found.side == side::BACKEND {
            if !from_peer {
                return PASS;
            }
            if !read_header(skb, s) {
                return drop(DropReason::Malformed);
            }
            return data_port::from_gateway(skb, s, flow);
        }
        if leg::far(flow) != 0 || from_peer {
            // The gateway has nothing to say on a connection that is not its own.
            return drop(DropReason::StaleBackend);
        }
        if !read_header(skb, s) {
            return drop(DropReason::Malformed);
        }
        backend::packet(skb, s, found.index, flow)
    }
}
