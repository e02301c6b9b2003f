//! What comes in.

use dfaas_common::address::Endpoint;
use dfaas_common::config::place;
use dfaas_common::count::DropReason;
use dfaas_common::flow::side;
use dfaas_common::icmp::{ICMP, ICMP_6};
use dfaas_common::steps;

use super::backend;
use super::client;
use super::count::drop;
use super::data_port;
use super::established::read_header;
use super::flows;
use super::maps::{CONFIG, PLACES, SCRATCH};
use super::read::read;
use super::skb::{PASS, Skb, hook, jump};

/// The ingress program.
#[inline(always)]
pub fn run(skb: Skb) -> i32 {
    if skb.marked() {
        skb.set_mark(0);
        return PASS;
    }
    let Some(s) = SCRATCH.get_ptr_mut(0) else { return PASS };
    let Some(config) = CONFIG.get(0) else { return PASS };
    if !read(skb, s, hook::INGRESS) {
        // SAFETY: map value.
        let protocol = unsafe { (*s).frame.protocol };
        return if protocol == ICMP || protocol == ICMP_6 { jump(steps::ICMP) } else { PASS };
    }
    // SAFETY: map values.
    unsafe {
        let tuple = &(*s).segment.tuple;
        if let Some(found) = flows::find(tuple) {
            let Some(flow) = flows::get(found.index) else { return PASS };
            if !read_header(skb, s) {
                return drop(DropReason::Malformed);
            }
            if found.side == side::BACKEND {
                return backend::packet(skb, s, found.index, flow);
            }
            if (*flow).peer == 0 {
                return client::packet(skb, s, found.index, flow, config);
            }
            if !data_port::begins_anew(s, found.index, flow) {
                return data_port::from_peer(skb, s, found.index, flow);
            }
        }
        let here = Endpoint { address: tuple.local, port: tuple.local_port, padding: 0 };
        let Some(role) = PLACES.get_ptr(&here) else { return PASS };
        if !read_header(skb, s) {
            return PASS;
        }
        match *role {
            place::LISTEN => client::stranger(skb, s, config),
            place::DATA => jump(steps::PEER),
            _ => PASS,
        }
    }
}
