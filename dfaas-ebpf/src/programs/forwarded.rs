//! The `X-Forwarded-For` line in packets; see [`dfaas_common::forwarded`].

use dfaas_common::address::Address;
use dfaas_common::checksum::fold;
use dfaas_common::forwarded::{LINE, LINE_6};

use super::scratch::Scratch;
use super::skb::{Skb, sum};

/// Writes the line for a client into working memory: its length.
#[inline(never)]
pub fn write(s: *mut Scratch, client: &Address) -> u32 {
    // SAFETY: map value.
    unsafe { dfaas_common::forwarded::write(&mut (*s).line, client) }
}

/// The one's complement sum that the line adds to a payload when it stands at this offset.
#[inline(always)]
pub fn sum_at(s: *mut Scratch, length: u32, at: u32) -> u64 {
    // SAFETY: map value of 64 bytes, zeros behind the line.
    let line = unsafe { (&raw const (*s).line).cast() };
    let sum = fold(if length == LINE { sum(line, 36, 0) } else { sum(line, 60, 0) } as u64);
    // At an odd place its bytes count the other way round.
    (if at & 1 == 1 { sum.swap_bytes() } else { sum }) as u64
}

/// Stores the line at this offset of the frame; 0 bytes: there is none.
#[inline(always)]
pub fn put(skb: Skb, s: *mut Scratch, at: u32, length: u32) -> bool {
    // SAFETY: map value of 64 bytes.
    unsafe {
        let line = (&raw const (*s).line).cast();
        match length {
            LINE => skb.store(at, line, LINE),
            LINE_6 => skb.store(at, line, LINE_6),
            _ => true,
        }
    }
}
