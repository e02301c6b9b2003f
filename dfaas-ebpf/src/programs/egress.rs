//! What goes out: of interest is only what the own gateway sends on connections that we know.

use dfaas_common::count::DropReason;
use dfaas_common::flow::{side, state};
use dfaas_common::translate::flag;

use super::backend;
use super::count::drop;
use super::data_port;
use super::established::read_header;
use super::flows;
use super::leg;
use super::maps::SCRATCH;
use super::native;
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
        let Some(found) = flows::find(&(*s).segment.tuple) else {
            let answers = flag::SYN | flag::ACK;
            if (*s).segment.flags as u8 & answers == answers && read_header(skb, s) {
                native::greeted(s);
            }
            return PASS;
        };
        let Some(flow) = flows::get(found.index) else { return PASS };
        // Users' connections with the own gateway have one tuple, those of peers two.
        let side = if (*flow).peer != 0 { side::BACKEND } else { side::CLIENT };
        if found.side != side {
            return if found.side == side::BACKEND { PASS } else { drop(DropReason::StaleBackend) };
        }
        if leg::far(flow) != 0 {
            // The gateway has nothing to say on a connection that is not its own.
            return drop(DropReason::StaleBackend);
        }
        if !read_header(skb, s) {
            return drop(DropReason::Malformed);
        }
        if (*flow).state == state::FORWARDED {
            return data_port::from_gateway(skb, s, found.index, flow);
        }
        backend::packet(skb, s, found.index, flow)
    }
}
