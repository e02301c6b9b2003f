//! Reading an answer that passes: its head, and the lines between its chunks.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::bpf_loop;
use dfaas_common::count::{DropReason, PinReason};
use dfaas_common::event::End;
use dfaas_common::flow::Flow;
use dfaas_common::http::exchange::Answer;
use dfaas_common::opaque::opaque;

use super::boundary::pin;
use super::count::{answered, drop, release};
use super::established;
use super::flows;
use super::head;
use super::report;
use super::scratch::Scratch;
use super::skb::Skb;

/// Chunk lines that are read in one packet.
const LINES: u32 = 24;

/// Context of a loop over chunk lines.
#[repr(C)]
struct Walk {
    skb: Skb,
    scratch: *mut Scratch,
    flow: *mut Flow,
    sequence: u32,
    /// Offset of the next line in the payload; [`NO_LINE`]: there is none.
    at: u32,
    /// One of [`end`].
    end: u32,
}

/// No chunk line is left.
const NO_LINE: u32 = u32::MAX;

/// What became of the answer.
mod end {
    /// It goes on.
    pub const NONE: u32 = 0;
    /// It is complete.
    pub const DONE: u32 = 1;
    /// Its end cannot be known.
    pub const PIN: u32 = 2;
}

impl Walk {
    /// Takes what is to be done next. Place and end are always both written: an enum's unused half is a register with
    /// anything in it, which the verifier does not let out.
    #[inline(always)]
    fn take(&mut self, answer: Answer) {
        (self.at, self.end) = match answer {
            Answer::Nothing => (NO_LINE, end::NONE),
            Answer::Done => (NO_LINE, end::DONE),
            Answer::Chunk { at } => (at, end::NONE),
            Answer::Pin | Answer::Head => (NO_LINE, end::PIN),
        };
    }
}

/// Reads the next chunk line, if there is one; 1 ends the walk.
extern "C" fn step(_: u64, walk: *mut Walk) -> i64 {
    // SAFETY: the context is the one given to the loop below; map values.
    unsafe {
        let walk = &mut *walk;
        let at = walk.at;
        if at == NO_LINE {
            return 1;
        }
        let s = walk.scratch;
        let payload = (*s).segment.payload;
        let left = payload.wrapping_sub(at);
        let count = if left > 16 { 16 } else { left };
        let mut bytes = [0u64; 2];
        let place = (*s).frame.l4 + (*s).segment.header + at;
        let length = opaque(count) & 31;
        let to = bytes.as_mut_ptr().cast::<u8>();
        if length == 0 || length > 16 || !walk.skb.load(place, to, length) {
            walk.take(Answer::Pin);
            return 1;
        }
        let bytes = [u64::from_le(bytes[0]), u64::from_le(bytes[1])];
        let answer = (*walk.flow).exchange.backend.on_chunk(walk.sequence, payload, bytes, count);
        walk.take(answer);
    }
    0
}

/// A segment of the backend in which an answer begins, or a line between chunks lies.
#[inline(always)]
pub fn run(skb: Skb, s: *mut Scratch) -> i32 {
    // SAFETY: map values.
    unsafe {
        let number = (*s).number;
        let Some(flow) = flows::get(number) else { return drop(DropReason::Internal) };
        let segment = &(*s).segment;
        let sequence = segment.sequence.wrapping_sub((*flow).sequence_delta);
        let asked = (*flow).exchange.client.asked;
        let mut walk = Walk { skb, scratch: s, flow, sequence, at: NO_LINE, end: end::NONE };
        let answer = (*flow).exchange.backend.backend_segment(sequence, segment.payload, asked);
        let read = answer == Answer::Head;
        if read {
            let facts = head::response(skb, s);
            answered(flow, (*flow).backend_number, facts.status as u32);
            (*flow).noted.status = facts.status as u32;
            walk.take((*flow).exchange.backend.on_response(sequence, segment.payload, &facts));
        } else {
            walk.take(answer);
        }
        bpf_loop(LINES, step as *mut c_void, (&raw mut walk).cast(), 0);
        // More lines than are read in one packet are not followed.
        if walk.end == end::PIN || walk.at != NO_LINE {
            pin(flow, if read { PinReason::AnswerHead } else { PinReason::Answer });
        } else if walk.end == end::DONE {
            report::over(flow, End::Answered);
            release(flow);
        }
        established::to_client(skb, s, flow)
    }
}
