//! Building a segment from nothing in the place of the packet at hand.

use dfaas_common::checksum::{fold, pseudo_header};

use super::family::renew;
use super::read::TCP;
use super::scratch::{Outgoing, Scratch};
use super::skb::{Skb, sum};

const NOPS: u32 = 0x0101_0101;

/// The options of a SYN or SYN-ACK: 20 bytes, always MSS, SACK permitted, timestamps, window scale in this order, with
/// no-operations in the place of what is absent.
#[inline(always)]
pub fn syn_options(
    o: &mut Outgoing,
    segment_size: u16,
    sack: u8,
    times: Option<(u32, u32)>,
    scale: Option<u8>,
) {
    o.header = 40;
    o.options[0] = (0x0204_0000 | segment_size as u32).to_be();
    let first = if sack != 0 { 0x0402_0000u32 } else { 0x0101_0000 };
    match times {
        Some((value, echo)) => {
            o.options[1] = (first | 0x080a).to_be();
            o.options[2] = value.to_be();
            o.options[3] = echo.to_be();
        }
        None => {
            o.options[1] = (first | 0x0101).to_be();
            o.options[2] = NOPS;
            o.options[3] = NOPS;
        }
    }
    o.options[4] = match scale {
        Some(scale) => (0x0103_0300 | scale as u32).to_be(),
        None => NOPS,
    };
}

/// The options of any other segment: timestamps or nothing.
#[inline(always)]
pub fn plain_options(o: &mut Outgoing, times: Option<(u32, u32)>) {
    match times {
        Some((value, echo)) => {
            o.header = 32;
            o.options[0] = 0x0101_080au32.to_be();
            o.options[1] = value.to_be();
            o.options[2] = echo.to_be();
        }
        None => o.header = 20,
    }
}

/// Makes the packet at hand the segment described by `outgoing`: length, IP and TCP header with checksums. The payload's
/// place is there afterwards; its bytes are the caller's. Hardware addresses stay.
#[inline(never)]
pub fn emit(skb: Skb, s: *mut Scratch) -> bool {
    // SAFETY: map values.
    unsafe {
        // The form of the checksum is that of the packet whose place we take.
        let partial = skb.partial((*s).frame.l4);
        let o = &(*s).outgoing;
        let (header, flags, window) = (o.header, o.flags, o.window);
        let tcp_length = header + o.payload;
        (*s).hop = o.ends;
        if !renew(skb, s, TCP, tcp_length) {
            return false;
        }
        let f = &mut (*s).headers;
        f[0] = o.ends.source_port as u32 | (o.ends.destination_port as u32) << 16;
        f[1] = o.sequence.to_be();
        f[2] = o.acknowledgment.to_be();
        f[3] = ((header / 4) << 28 | (flags & 0xff) << 16 | (window & 0xffff)).to_be();
        f[4] = 0;
        f[5] = o.options[0];
        f[6] = o.options[1];
        f[7] = o.options[2];
        f[8] = o.options[3];
        f[9] = o.options[4];
        let pseudo = pseudo_header(&o.ends.source, &o.ends.destination, tcp_length);
        let tcp = f.as_ptr().cast::<u8>();
        let check = if partial {
            fold(pseudo)
        } else {
            let header_sum = match header {
                20 => sum(tcp, 20, 0),
                32 => sum(tcp, 32, 0),
                _ => sum(tcp, 40, 0),
            };
            !fold(pseudo + header_sum as u64 + o.payload_sum as u64)
        };
        f[4] = check as u32;
        let l4 = (*s).frame.l4;
        match header {
            20 => skb.store(l4, tcp, 20),
            32 => skb.store(l4, tcp, 32),
            _ => skb.store(l4, tcp, 40),
        }
    }
}
