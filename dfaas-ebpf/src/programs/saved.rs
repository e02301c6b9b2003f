//! First segments, kept while a backend is opened.
//!
//! Slots are used in turn and belong to nobody for good: a reader makes sure after copying that the slot was still its
//! own. What is lost is sent again by the client.

use dfaas_common::checksum::{fold, pseudo_header};
use dfaas_common::config::cursor;
use dfaas_common::flow::{Flow, SLOT_BYTES, SLOTS as SLOT_COUNT, Slot};
use dfaas_common::opaque::opaque;

use super::atomic;
use super::maps::{CURSORS, SLOTS};
use super::scratch::Scratch;
use super::skb::{Skb, sum};

/// Largest first segment, appended data included.
pub const LARGEST: u32 = 1460;

/// Puts three zeros behind what is saved: sums are taken over whole words.
#[inline(always)]
fn pad(slot: *mut Slot, end: u32) {
    let end = (opaque(end) & 0xfff) as usize;
    if end < SLOT_BYTES - 3 {
        // SAFETY: checked just now.
        unsafe {
            let bytes = (&raw mut (*slot).bytes).cast::<u8>();
            *bytes.add(end) = 0;
            *bytes.add(end + 1) = 0;
            *bytes.add(end + 2) = 0;
        }
    }
}

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
        pad(slot, offset + length);
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

/// Whether the checksum of the segment at hand fits a payload of this sum. The stack would have checked it; we turn
/// the segment into a new one with a checksum of its own, so nobody could afterwards.
#[inline(never)]
fn intact(skb: Skb, s: *mut Scratch, payload_sum: u64) -> bool {
    // SAFETY: map value.
    if skb.partial(unsafe { (*s).frame.l4 }) {
        // It never was on a wire.
        return true;
    }
    // SAFETY: map value.
    unsafe {
        let segment = &(*s).segment;
        let header = sum((&raw const (*s).received).cast(), 64, 0) as u64;
        let pseudo =
            pseudo_header(&segment.ends.source, &segment.ends.destination, segment.header + segment.payload);
        fold(header + pseudo + payload_sum) == 0xffff
    }
}

/// Saves the payload of the segment at hand for a flow.
#[inline(never)]
pub fn save(skb: Skb, s: *mut Scratch, flow: *mut Flow) -> Saved {
    // SAFETY: map values.
    unsafe {
        (*flow).saved = 0;
        let length = (*s).segment.payload;
        let Some(next) = CURSORS.get_ptr_mut(cursor::SLOT) else { return Saved::No };
        let serial = atomic::fetch_add(next, 1);
        let number = serial as u32 & (SLOT_COUNT - 1);
        let Some(slot) = SLOTS.get_ptr_mut(number) else { return Saved::No };
        // 0 is nobody's serial: readers that come meanwhile see that the slot is not theirs.
        (*slot).serial = 0;
        if length > LARGEST || !fill(skb, s, slot, 0, length) {
            return Saved::No;
        }
        if !intact(skb, s, checksum(slot, length) as u64) {
            return Saved::Corrupt;
        }
        (*slot).serial = serial as u32 | 1 << 31;
        (*flow).slot = number;
        (*flow).slot_serial = serial as u32 | 1 << 31;
        (*flow).saved = length;
    }
    Saved::Yes
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
            pad(slot, offset);
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

/// The one's complement sum of the first `length` bytes of a slot.
#[inline(never)]
pub fn checksum(slot: *mut Slot, length: u32) -> u32 {
    // SAFETY: the offsets are constants and the lengths at most 512; the verifier checks it.
    unsafe {
        let bytes = (&raw const (*slot).bytes).cast::<u8>();
        let mut left = (length + 3) & 0x7fc;
        let mut total = 0;
        for part in 0..3usize {
            let now = opaque(if left > 512 { 512 } else { left }) & 0x3fc;
            if now > 512 {
                return 0;
            }
            total = sum(bytes.add(part * 512), now, total);
            left -= now;
        }
        total
    }
}

/// Stores the saved bytes behind a header of `header` bytes; `false` if they were not the flow's any more.
#[inline(always)]
pub fn put(skb: Skb, s: *mut Scratch, flow: *mut Flow, slot: *mut Slot, header: u32, length: u32) -> bool {
    let length = opaque(length) & 0x7ff;
    if length == 0 {
        return false;
    }
    // SAFETY: length is below 2048; the verifier checks it.
    unsafe {
        let stored = skb.store((*s).frame.l4 + header, (&raw const (*slot).bytes).cast(), length);
        stored && core::ptr::read_volatile(&raw const (*slot).serial) == (*flow).slot_serial
    }
}
