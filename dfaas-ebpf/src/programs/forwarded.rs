//! The `X-Forwarded-For` line in packets; see [`dfaas_common::forwarded`].

use dfaas_common::address::Address;
use dfaas_common::checksum::fold;
use dfaas_common::forwarded::{LINE, LINE_6};
use dfaas_common::http::look::LOOK;
use dfaas_common::opaque::opaque;

use super::scratch::Scratch;
use super::skb::{Skb, sum};

/// The largest offset of the first header line at which a line is inserted; a mask too.
pub const LATEST_HEADERS: u32 = 511;
const _: () = assert!(LATEST_HEADERS + LOOK <= 2048);

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
fn put_line(skb: Skb, s: *mut Scratch, at: u32, length: u32) -> bool {
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

/// Stores bytes `from` to `to` of a buffer at this offset of the frame.
#[inline(never)]
fn put_part(skb: Skb, bytes: *const u8, at: u32, from: u32, to: u32) -> bool {
    let from = opaque(from) & LATEST_HEADERS;
    let length = opaque(to.wrapping_sub(from)) & 0x7ff;
    if length == 0 {
        return true;
    }
    if length > LOOK {
        return false;
    }
    // SAFETY: every buffer here has 2,048 bytes or more; the verifier checks it.
    unsafe { skb.store(at, bytes.add(from as usize), length) }
}

/// Stores a payload behind the header in `outgoing`, which tells its length: bytes of a buffer, with `line` bytes of the
/// line in working memory inserted at offset `headers`.
#[inline(never)]
pub fn put(skb: Skb, s: *mut Scratch, bytes: *const u8, headers: u32, line: u32) -> bool {
    // SAFETY: map values.
    let (at, length) =
        unsafe { ((*s).frame.l4 + (*s).outgoing.header, (*s).outgoing.payload.wrapping_sub(line)) };
    put_part(skb, bytes, at, 0, headers)
        && put_line(skb, s, at + headers, line)
        && put_part(skb, bytes, at + headers + line, headers, length)
}
