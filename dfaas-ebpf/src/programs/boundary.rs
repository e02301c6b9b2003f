//! Where requests and answers begin and end on a connection that has a backend; see [`dfaas_common::http::exchange`].

use dfaas_common::count::{DropReason, Event, PinReason};
use dfaas_common::event::End;
use dfaas_common::flow::{Flow, mark};
use dfaas_common::http::exchange::{Answer, Data, Verdict, after, place};
use dfaas_common::steps;
use dfaas_common::translate::flag;

use super::atomic;
use super::count::{answer, carried, drop, event, pinned, release};
use super::established;
use super::report;
use super::scratch::Scratch;
use super::skb::{Skb, jump};

/// After either of these nothing new begins.
const OVER: u64 = mark::CLIENT_FIN | mark::BACKEND_FIN | mark::RESET;

/// The connection keeps its backend for good.
#[inline(always)]
pub fn pin(flow: *mut Flow, reason: PinReason) {
    // SAFETY: map value.
    let before = atomic::fetch_or(unsafe { &raw mut (*flow).marks }, mark::PINNED);
    if before & mark::PINNED == 0 {
        event(Event::Pinned);
        pinned(reason);
    }
}

/// What the data at hand, of the client, are of.
#[inline(always)]
fn data(s: *mut Scratch, flow: *mut Flow) -> Data {
    // SAFETY: map values.
    unsafe {
        let segment = &(*s).segment;
        let exchange = &(*flow).exchange;
        if exchange.client.asked.exchange() == 0 {
            return place(segment.sequence, (*flow).client_next, true);
        }
        let (acked, answered) = ((*flow).backend_acked, exchange.backend.answered);
        exchange.client.data(segment.sequence, segment.acknowledgment, acked, answered)
    }
}

/// A segment of the client of a flow that has a backend.
#[inline(always)]
pub fn from_client(skb: Skb, s: *mut Scratch, number: u32, flow: *mut Flow) -> i32 {
    // SAFETY: map values.
    unsafe {
        let segment = &(*s).segment;
        if segment.payload != 0 && (*flow).marks & mark::PINNED == 0 {
            // What closes the connection with its request stays where it is.
            let ends = segment.flags as u8 & (flag::FIN | flag::RST) != 0 || (*flow).marks & OVER != 0;
            match data(s, flow) {
                Data::Request if !ends => {
                    (*s).number = number;
                    return jump(steps::REQUEST);
                }
                // Were they passed on, the request could not move any more: they come again, behind its head.
                Data::Ahead => return drop(DropReason::FirstSegmentMissing),
                _ => {}
            }
            let (client, answered) = (&(*flow).exchange.client, (*flow).exchange.backend.answered);
            let end =
                client.end_of_answered(segment.sequence, segment.payload, segment.acknowledgment, answered);
            if end != 0 && !ends {
                (*s).number = number;
                return jump(steps::CUT);
            }
            if client.client_segment(segment.sequence, segment.payload) == Verdict::Pin {
                pin(flow, PinReason::BeyondRequest);
            }
        }
    }
    established::to_backend(skb, s, number, flow)
}

/// A segment of the backend of a flow.
#[inline(always)]
pub fn from_backend(skb: Skb, s: *mut Scratch, number: u32, flow: *mut Flow) -> i32 {
    // SAFETY: map values.
    unsafe {
        let segment = &(*s).segment;
        // Before the end of an answer is noticed, with which its bytes are counted.
        carried(flow, 1, segment.payload);
        answer(s, flow);
        let acked = segment.acknowledgment.wrapping_sub((*flow).shift);
        if after(acked, (*flow).backend_acked) && segment.flags as u8 & flag::ACK != 0 {
            (*flow).backend_acked = acked;
        }
        let asked = (*flow).exchange.client.asked;
        if segment.payload != 0 && (*flow).marks & mark::PINNED == 0 && asked.exchange() != 0 {
            let sequence = segment.sequence.wrapping_sub((*flow).sequence_delta);
            match (*flow).exchange.backend.backend_segment(sequence, segment.payload, asked) {
                Answer::Nothing => {}
                Answer::Done => {
                    report::over(flow, End::Answered);
                    release(flow);
                }
                Answer::Pin => pin(flow, PinReason::Answer),
                Answer::Head | Answer::Chunk { .. } => {
                    (*s).number = number;
                    return jump(steps::RESPONSE);
                }
            }
        }
    }
    established::to_client(skb, s, flow)
}
