//! Reading heads: the first bytes of the payload are copied to working memory and walked there.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::bpf_loop;
use dfaas_common::checksum::{fold, pseudo_header};
use dfaas_common::count::{Event, NO_FUNCTION};
use dfaas_common::http::STEPS;
use dfaas_common::http::look::LOOK;
use dfaas_common::http::request::RequestHead;
use dfaas_common::http::response::{ResponseFacts, ResponseHead};
use dfaas_common::opaque::opaque;
use dfaas_common::request::Outcome;

use super::count::event;
use super::maps::NAMES;
use super::scratch::Scratch;
use super::skb::{Skb, sum};

/// Context of a loop: the working memory.
#[repr(C)]
struct Walk {
    scratch: *mut Scratch,
}

extern "C" fn request_step(_: u64, walk: *mut Walk) -> i64 {
    // SAFETY: the context is the one given to the loop below.
    unsafe {
        let s = (*walk).scratch;
        !(*s).request.step(&(*s).look) as i64
    }
}

extern "C" fn response_step(_: u64, walk: *mut Walk) -> i64 {
    // SAFETY: the context is the one given to the loop below.
    unsafe {
        let s = (*walk).scratch;
        !(*s).response.step(&(*s).look) as i64
    }
}

/// Copies the start of the payload to working memory; how many bytes, 0 if there are none.
#[inline(never)]
pub fn look(skb: Skb, s: *mut Scratch) -> u32 {
    // SAFETY: map values; the length is masked to less than the buffer has.
    unsafe {
        let payload = (*s).segment.payload;
        let length = opaque(if payload > LOOK { LOOK } else { payload }) & 0x7ff;
        if length == 0 || length > LOOK {
            return 0;
        }
        let bytes = (&raw mut (*s).look).cast::<u8>();
        if !skb.load((*s).frame.l4 + (*s).segment.header, bytes, length) {
            return 0;
        }
        // Readers go over words, and sums are taken over them.
        for i in 0..8 {
            *bytes.add(length as usize + i) = 0;
        }
        length
    }
}

/// Puts three zeros behind the first `end` bytes, at most 1,536, of a buffer: sums are taken over whole words.
#[inline(always)]
pub fn pad(bytes: *mut u8, end: u32) {
    let end = (opaque(end) & 0x7ff) as usize;
    if end <= LOOK as usize {
        // SAFETY: every buffer here has 2,048 bytes or more; the verifier checks it.
        unsafe {
            *bytes.add(end) = 0;
            *bytes.add(end + 1) = 0;
            *bytes.add(end + 2) = 0;
        }
    }
}

/// The one's complement sum of `length` bytes, at most 1,536, of a buffer with zeros behind.
#[inline(never)]
pub fn checksum(bytes: *const u8, length: u32) -> u32 {
    // SAFETY: the offsets are constants and the lengths at most 512; the verifier checks it.
    unsafe {
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

/// Whether the checksum of the segment at hand fits a payload of this sum. The stack would have checked it; we turn the
/// segment into a new one with a checksum of its own, or act on what it says, so nobody could afterwards.
#[inline(never)]
pub fn intact(skb: Skb, s: *mut Scratch, payload_sum: u64) -> bool {
    // SAFETY: map value.
    unsafe {
        if skb.partial((*s).frame.l4) {
            // It never was on a wire.
            return true;
        }
        let segment = &(*s).segment;
        let header = sum((&raw const (*s).received).cast(), 64, 0) as u64;
        let length = segment.header + segment.payload;
        let pseudo = pseudo_header(&segment.ends.source, &segment.ends.destination, length);
        fold(header + pseudo + payload_sum) == 0xffff
    }
}

/// Whether the segment at hand, of whose payload `length` bytes were looked at, was damaged on its way. That is told only
/// of segments that were looked at whole.
#[inline(always)]
pub fn damaged(skb: Skb, s: *mut Scratch, length: u32) -> bool {
    // SAFETY: map value.
    unsafe {
        length == (*s).segment.payload
            && !intact(skb, s, checksum((&raw const (*s).look).cast(), length) as u64)
    }
}

/// Reads the request at the start of the segment at hand into working memory: its function and where it ends; `false` if
/// it was damaged, so that it must not be acted on.
#[inline(never)]
pub fn request(skb: Skb, s: *mut Scratch) -> bool {
    let length = look(skb, s);
    if damaged(skb, s, length) {
        return false;
    }
    // SAFETY: map values; the callback gets the context given here.
    unsafe {
        (*s).request = RequestHead::new(length);
        let mut walk = Walk { scratch: s };
        bpf_loop(STEPS, request_step as *mut c_void, (&raw mut walk).cast(), 0);
        (*s).facts = (*s).request.facts();
        (*s).function = NO_FUNCTION;
        if (*s).request.outcome() != Outcome::Invocation {
            event(Event::NotUnderstood);
        } else if let Some(&number) = NAMES.get(&(*s).request.name) {
            (*s).function = number;
        } else {
            event(Event::UnknownFunction);
        }
    }
    true
}

/// Reads the answer at the start of the segment at hand. Its checksum is not tested: a damaged one is dropped by the
/// client, and an end that is not one is never acknowledged.
#[inline(never)]
pub fn response(skb: Skb, s: *mut Scratch) -> ResponseFacts {
    let length = look(skb, s);
    // SAFETY: map values; the callback gets the context given here.
    unsafe {
        (*s).response = ResponseHead::new(length);
        let mut walk = Walk { scratch: s };
        bpf_loop(STEPS, response_step as *mut c_void, (&raw mut walk).cast(), 0);
        (*s).response.facts()
    }
}
