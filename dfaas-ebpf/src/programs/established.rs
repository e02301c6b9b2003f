//! Packets of connections whose both ends are known: numbers, clocks, windows and, for peers, addresses change.

use aya_ebpf::helpers::generated::bpf_loop;
use core::ffi::c_void;
use dfaas_common::address::Address;
use dfaas_common::count::{DropReason, PeerOutcome};
use dfaas_common::event::End;
use dfaas_common::flow::{Flow, mark, state};
use dfaas_common::http::exchange::after;
use dfaas_common::opaque::opaque;
use dfaas_common::options::Options;
use dfaas_common::steps;
use dfaas_common::translate::{Translation, apply, flag};

use super::atomic;
use super::count::{carried, drop, end, peer};
use super::deliver;
use super::family::readdress;
use super::leg;
use super::maps::CONFIG;
use super::report;
use super::scratch::Scratch;
use super::skb::{PASS, Skb, difference, jump};
use super::too_big;

/// Context of a loop: the working memory.
#[repr(C)]
struct Walk {
    scratch: *mut Scratch,
}

extern "C" fn step(_: u64, walk: *mut Walk) -> i64 {
    // SAFETY: the context is the one given to the loop below.
    unsafe {
        let s = (*walk).scratch;
        !(*s).options.step(&(*s).received) as i64
    }
}

/// Reads the TCP header of the segment at hand into working memory and finds its options.
#[inline(never)]
pub fn read_header(skb: Skb, s: *mut Scratch) -> bool {
    // SAFETY: map values; lengths are masked.
    unsafe {
        let (header, l4) = ((*s).segment.header, (*s).frame.l4);
        (*s).options = Options::new(header);
        let bytes = (&raw mut (*s).received).cast::<u8>();
        let words = bytes.cast::<u64>();
        for i in 0..8 {
            *words.add(i) = 0;
        }
        if header == 20 {
            return skb.load(l4, bytes, 20);
        }
        if header == 32 {
            if !skb.load(l4, bytes, 32) {
                return false;
            }
            // The form that every host sends on established connections (RFC 7323, appendix A).
            if *bytes.cast::<u32>().add(5) == 0x0101_080au32.to_be() {
                (*s).options.time_at = 24;
                return true;
            }
        } else {
            let length = opaque(header) & 63;
            if !(20..=60).contains(&length) || !skb.load(l4, bytes, length) {
                return false;
            }
        }
        let mut walk = Walk { scratch: s };
        bpf_loop(Options::STEPS, step as *mut c_void, (&raw mut walk).cast(), 0);
        true
    }
}

/// Stores the changed TCP header and brings the checksum along.
#[inline(always)]
fn store_header(skb: Skb, s: *mut Scratch) -> bool {
    // SAFETY: map values; lengths are masked.
    unsafe {
        let image = (&raw const (*s).image).cast::<u8>();
        let l4 = (*s).frame.l4;
        let change = difference::<64>((&raw const (*s).received).cast(), image);
        let stored = match (*s).segment.header {
            20 => skb.store_balanced(l4, image, 20),
            32 => skb.store_balanced(l4, image, 32),
            other => {
                let length = opaque(other) & 63;
                length != 0 && skb.store_balanced(l4, image, length)
            }
        };
        skb.update_checksum(l4, change);
        stored
    }
}

/// Applies a translation to the TCP header and gives the packet the ends in `hop`.
#[inline(never)]
fn translate(skb: Skb, s: *mut Scratch, change: &Translation) -> bool {
    // SAFETY: map values.
    unsafe {
        (*s).image = (*s).received;
        let options = (*s).options;
        apply(&mut (*s).image, &options, change);
    }
    finish(skb, s)
}

/// Changes only the ends, to those in `hop`, and what is offered to what fits: for what goes between a peer and the local gateway.
#[inline(never)]
pub fn forward(skb: Skb, s: *mut Scratch) -> bool {
    // SAFETY: map values.
    unsafe {
        (*s).image = (*s).received;
        if (*s).segment.flags as u8 & flag::SYN != 0 {
            clamp(s);
        }
    }
    finish(skb, s)
}

/// Lowers the segment size that a SYN or SYN-ACK offers to what fits every path from here, as the connection may move to
/// a gateway elsewhere. Every host puts that option first.
#[inline(always)]
fn clamp(s: *mut Scratch) {
    let Some(config) = CONFIG.get(0) else { return };
    // SAFETY: map values; the offsets are constants.
    unsafe {
        let image = &mut (*s).image;
        if (*s).segment.header < 24 || image.byte(20) != 2 || image.byte(21) != 4 {
            return;
        }
        let limit = config.segment_size.wrapping_sub(20 * (*s).frame.v6);
        if (*s).options.segment_size > limit {
            image.0[22] = (limit >> 8) as u8;
            image.0[23] = limit as u8;
        }
    }
}

/// Puts the header in `image` into the packet, with the ends in `hop`.
#[inline(always)]
fn finish(skb: Skb, s: *mut Scratch) -> bool {
    // SAFETY: map values.
    unsafe {
        let ports = (&raw mut (*s).image).cast::<u16>();
        *ports = (*s).hop.source_port;
        *ports.add(1) = (*s).hop.destination_port;
        if !store_header(skb, s) {
            return false;
        }
        let same = same(&(*s).hop.source, &(*s).segment.ends.source)
            & same(&(*s).hop.destination, &(*s).segment.ends.destination);
        same || readdress(skb, s)
    }
}

/// Whether two addresses are the same; without branches.
#[inline(always)]
fn same(a: &Address, b: &Address) -> bool {
    (a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) == 0
}

/// Notes what the segment at hand says of the connection's end. `fin` is the mark of its sender; whether it resets a
/// connection that it had not closed and nobody reset before.
#[inline(always)]
pub fn note(s: *mut Scratch, flow: *mut Flow, fin: u64) -> bool {
    // SAFETY: map values.
    unsafe {
        (*flow).last_seen = (*s).now;
        let flags = (*s).segment.flags as u8;
        if flags & (flag::FIN | flag::RST) != 0 {
            let reset = flags & flag::RST != 0;
            let before = atomic::fetch_or(&raw mut (*flow).marks, if reset { mark::RESET } else { fin });
            // A client that has closed its side may still be answered.
            if reset {
                let client = fin == mark::CLIENT_FIN;
                report::over(flow, if client { End::ClientReset } else { End::BackendReset });
            } else if fin == mark::BACKEND_FIN {
                report::over(flow, End::Closed);
            }
            end(flow);
            return reset && before & (mark::RESET | fin) == 0;
        }
    }
    false
}

/// Passes the segment at hand on to the backend that its client is bound to.
#[inline(never)]
pub fn to_backend(skb: Skb, s: *mut Scratch, number: u32, flow: *mut Flow) -> i32 {
    // SAFETY: map values.
    unsafe {
        let segment = &(*s).segment;
        let next = segment.sequence.wrapping_add(segment.payload);
        if after(next, (*flow).client_next) {
            (*flow).client_next = next;
        }
        let again = segment.sequence == (*flow).client_isn.wrapping_add(1);
        let inserted = (*flow).shift != 0 && again && segment.payload != 0;
        if !inserted && too_big::is(skb, s, flow) {
            (*s).number = number;
            return jump(steps::TOO_BIG);
        }
        carried(flow, 0, segment.payload);
        note(s, flow, mark::CLIENT_FIN);
        if (*flow).marks & mark::NATIVE != 0 {
            return PASS;
        }
        (*s).hop = leg::ends(flow);
        if (*flow).state == state::FORWARDED {
            return if forward(skb, s) { PASS } else { drop(DropReason::Malformed) };
        }
        if inserted {
            (*s).number = number;
            return jump(steps::RESEND);
        }
        let change = Translation::to_backend(&*flow);
        if !translate(skb, s, &change) {
            return drop(DropReason::Malformed);
        }
    }
    deliver::to_backend(skb, s, flow)
}

/// Passes the segment at hand, of the backend, on to the client.
#[inline(never)]
pub fn to_client(skb: Skb, s: *mut Scratch, flow: *mut Flow) -> i32 {
    // SAFETY: map values.
    unsafe {
        if note(s, flow, mark::BACKEND_FIN) {
            peer((*flow).backend_number, PeerOutcome::Reset);
        }
        if (*flow).marks & mark::NATIVE != 0 {
            return PASS;
        }
        (*s).hop = (*flow).client.leaving();
        if (*flow).state == state::FORWARDED {
            return if forward(skb, s) { PASS } else { drop(DropReason::Malformed) };
        }
        let change = Translation::to_client(&*flow);
        if !translate(skb, s, &change) {
            return drop(DropReason::Malformed);
        }
    }
    deliver::to_client(skb, s, flow)
}
