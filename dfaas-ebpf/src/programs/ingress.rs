//! What comes in.

use dfaas_common::address::{Endpoint, mapped};
use dfaas_common::config::place;
use dfaas_common::count::DropReason;
use dfaas_common::flow::side;

use super::backend;
use super::client;
use super::count::drop;
use super::data_port;
use super::established::read_header;
use super::flows;
use super::maps::{CONFIG, PLACES, SCRATCH};
use super::scratch::Scratch;
use super::skb::{L3, PASS, Skb, hook, now};

/// `ETH_P_IP`, as it stands in the packet.
const IPV4: u32 = 0x0800u16.to_be() as u32;

/// Reads IPv4 and TCP header of the packet at hand; `false` if it is nothing that can be steered: another protocol, a
/// fragment, IPv4 options, a VLAN tag.
#[inline(always)]
pub fn read(skb: Skb, s: *mut Scratch, at: u32) -> bool {
    if skb.protocol() != IPV4 || skb.tagged() {
        return false;
    }
    // SAFETY: map value.
    unsafe {
        let f = &mut (*s).frame;
        if !skb.load(L3, f.as_mut_ptr().cast(), 40) {
            return false;
        }
        let (first, fragment, protocol) =
            (u32::from_be(f[0]), u32::from_be(f[1]), u32::from_be(f[2]) >> 16 & 0xff);
        if first >> 24 != 0x45 || protocol != 6 || fragment & 0x3fff != 0 {
            return false;
        }
        let control = u32::from_be(f[8]);
        let header = control >> 28 << 2;
        // Length 0 stands in packets that are larger than 64 KB (BIG TCP).
        let total = if first & 0xffff == 0 { skb.length() - L3 } else { first & 0xffff };
        if header < 20 || total < 20 + header || skb.length() < L3 + total {
            return false;
        }
        let segment = &mut (*s).segment;
        segment.source = f[3];
        segment.destination = f[4];
        segment.sequence = u32::from_be(f[6]);
        segment.acknowledgment = u32::from_be(f[7]);
        segment.header = header;
        segment.payload = total - 20 - header;
        segment.flags = control >> 16 & 0xff;
        segment.window = control & 0xffff;
        let tuple = &mut segment.tuple;
        let ports = (f[5] as u16, (f[5] >> 16) as u16);
        if at == hook::INGRESS {
            (tuple.remote, tuple.local) = (mapped(f[3]), mapped(f[4]));
            (tuple.remote_port, tuple.local_port) = ports;
        } else {
            (tuple.local, tuple.remote) = (mapped(f[3]), mapped(f[4]));
            (tuple.local_port, tuple.remote_port) = ports;
        }
        (*s).hook = at;
        (*s).now = now();
    }
    true
}

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
        return PASS;
    }
    // SAFETY: map values.
    unsafe {
        let tuple = &(*s).segment.tuple;
        if let Some(found) = flows::find(tuple) {
            let Some(flow) = flows::get(found.index) else { return PASS };
            if !read_header(skb, s) {
                return drop(DropReason::Malformed);
            }
            if (*flow).peer != 0 {
                return data_port::from_peer(skb, s, flow);
            }
            if found.side == side::CLIENT {
                return client::packet(skb, s, found.index, flow, config);
            }
            return backend::packet(skb, s, found.index, flow, config);
        }
        let here = Endpoint { address: tuple.local, port: tuple.local_port, padding: 0 };
        let Some(role) = PLACES.get_ptr(&here) else { return PASS };
        if !read_header(skb, s) {
            return PASS;
        }
        match *role {
            place::LISTEN => client::stranger(skb, s, config),
            place::DATA => data_port::stranger(skb, s, config),
            _ => PASS,
        }
    }
}
