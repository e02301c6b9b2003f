//! First segments, kept while a backend is opened.
//!
//! Slots are used in turn and belong to nobody for good: a reader makes sure after copying that the slot was still its
//! own. What is lost is sent again by the client.

use dfaas_common::checksum::fold;
use dfaas_common::config::cursor;
use dfaas_common::flow::{Flow, SLOTS as SLOT_COUNT, Slot};
use dfaas_common::opaque::opaque;

use super::atomic;
use super::forwarded;
use super::head::{self, intact};
use super::maps::{CURSORS, SLOTS};
use super::scratch::Scratch;
use super::skb::Skb;

/// Largest first segment, appended data included.
pub const LARGEST: u32 = 1460;

/// Copies `length` payload bytes to `offset` of a slot, and three zeros behind them.
#[inline(always)]
fn fill(skb: Skb, s: *mut Scratch, slot: *mut Slot, offset: u32, length: u32) -> bool {
    let offset = opaque(offset) & 0x7ff;
    let length = opaque(length) & 0x7ff;
    if length == 0 {
        return false;
    }
    // SAFETY: offset and length are below 2048 each and the slot has 4096 bytes; the verifier checks it.
    unsafe {
        let bytes = (&raw mut (*slot).bytes).cast::<u8>();
        let at = (*s).frame.l4 + (*s).segment.header;
        if !skb.load(at, bytes.add(offset as usize), length) {
            return false;
        }
        head::pad(bytes, offset + length);
    }
    true
}

/// What became of a segment that was to be saved.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// It is in the slot.
    Yes,
    /// There was no place; the client sends it again.
    No,
    /// Its checksum is wrong: it must not be acted on.
    Corrupt,
}

/// Saves the payload of the segment at hand, whose checksum has been tested, for a flow.
#[inline(never)]
pub fn save(skb: Skb, s: *mut Scratch, flow: *mut Flow) -> bool {
    // SAFETY: map values.
    unsafe {
        (*flow).saved = 0;
        let length = (*s).segment.payload;
        let Some(next) = CURSORS.get_ptr_mut(cursor::SLOT) else { return false };
        let serial = atomic::fetch_add(next, 1);
        let number = serial as u32 & (SLOT_COUNT - 1);
        let Some(slot) = SLOTS.get_ptr_mut(number) else { return false };
        // 0 is nobody's serial: readers that come meanwhile see that the slot is not theirs.
        (*slot).serial = 0;
        if length > LARGEST || !fill(skb, s, slot, 0, length) {
            return false;
        }
        (*slot).serial = serial as u32 | 1 << 31;
        (*flow).slot = number;
        (*flow).slot_serial = serial as u32 | 1 << 31;
        (*flow).saved = length;
    }
    true
}

/// Tests the checksum of the segment at hand and saves it; for a first segment that comes again.
#[inline(never)]
pub fn save_again(skb: Skb, s: *mut Scratch, flow: *mut Flow) -> Saved {
    let length = head::look(skb, s);
    // SAFETY: map value.
    if length != unsafe { (*s).segment.payload } {
        return Saved::No;
    }
    if head::damaged(skb, s, length) {
        return Saved::Corrupt;
    }
    if save(skb, s, flow) { Saved::Yes } else { Saved::No }
}

/// Appends the payload of the segment at hand, which follows what is saved.
#[inline(never)]
pub fn append(skb: Skb, s: *mut Scratch, flow: *mut Flow) -> Saved {
    // SAFETY: map values.
    unsafe {
        let (length, offset) = ((*s).segment.payload, (*flow).saved);
        let Some(slot) = SLOTS.get_ptr_mut((*flow).slot) else { return Saved::No };
        if (*slot).serial != (*flow).slot_serial || offset > LARGEST || length > LARGEST - offset {
            return Saved::No;
        }
        let before = fold(checksum(slot, offset) as u64);
        if !fill(skb, s, slot, offset, length) {
            return Saved::No;
        }
        // The sum of the new part alone; at an odd place its bytes count the other way round.
        let added = fold(checksum(slot, offset + length) as u64 + !before as u64);
        let added = if offset & 1 == 1 { added.swap_bytes() } else { added };
        if !intact(skb, s, added as u64) {
            head::pad((&raw mut (*slot).bytes).cast(), offset);
            return Saved::Corrupt;
        }
        (*flow).saved = offset + length;
    }
    Saved::Yes
}

/// The slot of a flow and the bytes in it; `None` if it was overwritten.
#[inline(always)]
pub fn find(flow: *mut Flow) -> Option<(*mut Slot, u32)> {
    // SAFETY: map values.
    unsafe {
        let slot = SLOTS.get_ptr_mut((*flow).slot)?;
        let length = (*flow).saved;
        if (*slot).serial != (*flow).slot_serial || length == 0 || length > LARGEST {
            None
        } else {
            Some((slot, length))
        }
    }
}

/// Keeps only the first `length` bytes of what is saved; how many.
#[inline(always)]
pub fn cut(flow: *mut Flow, slot: *mut Slot, length: u32) -> u32 {
    // SAFETY: map values.
    unsafe {
        head::pad((&raw mut (*slot).bytes).cast(), length);
        (*flow).saved = length;
    }
    length
}

/// The one's complement sum of the first `length` bytes of a slot.
#[inline(always)]
pub fn checksum(slot: *mut Slot, length: u32) -> u32 {
    // SAFETY: map value; only its address is taken.
    head::checksum(unsafe { (&raw const (*slot).bytes).cast() }, length)
}

/// Stores the saved bytes behind the header in `outgoing`, with `line` bytes of the line in working memory inserted where
/// the headers begin; `false` if they were not the flow's any more.
#[inline(always)]
pub fn put(skb: Skb, s: *mut Scratch, flow: *mut Flow, slot: *mut Slot, line: u32) -> bool {
    // SAFETY: map values.
    unsafe {
        let headers = if line == 0 { 0 } else { (*flow).headers_at };
        forwarded::put(skb, s, (&raw const (*slot).bytes).cast(), headers, line)
            && core::ptr::read_volatile(&raw const (*slot).serial) == (*flow).slot_serial
    }
}
