//! Reporting single invocations to whoever follows them: see [`dfaas_common::event`]. While nobody does, an invocation
//! costs one look at the settings and one at the marks of its flow.

use aya_ebpf::helpers::generated::bpf_get_prandom_u32;
use dfaas_common::config::Config;
use dfaas_common::count::Event;
use dfaas_common::event::{End, InvocationEvent, Noted, Way};
use dfaas_common::flow::{Flow, mark};

use super::atomic;
use super::count::event;
use super::maps::RING;
use super::skb::now;

/// A request has come, for which a backend is or is about to be chosen: whether it is reported is decided here. The flow
/// is held by this CPU.
#[inline(always)]
pub fn begin(flow: *mut Flow, config: &Config, asked: u64) {
    if config.sample != 0 {
        draw(flow, config.sample, asked);
    }
}

/// Draws one in `sample`, at random: what is counted out could fall in step with the callers.
#[inline(never)]
fn draw(flow: *mut Flow, sample: u32, asked: u64) {
    // SAFETY: map value.
    unsafe {
        if (bpf_get_prandom_u32() as u64 * sample as u64) >> 32 == 0 {
            (*flow).noted = Noted { asked, way: Way::First as u32, ..Noted::default() };
            atomic::fetch_or(&raw mut (*flow).marks, mark::SAMPLED);
        }
    }
}

/// A request on a connection that has a backend already has its own now, as `way` says.
#[inline(never)]
pub fn placed(flow: *mut Flow, way: Way) {
    // SAFETY: map value.
    unsafe {
        let marks = (*flow).marks;
        if marks & mark::SAMPLED == 0 {
            return;
        }
        let first = (*flow).exchange.client.asked.exchange() <= 1;
        if (*flow).noted.way != Way::First as u32 {
            // That it exceeded what this node takes says more.
            return;
        }
        (*flow).noted.way = match way {
            Way::Stayed if marks & mark::NATIVE != 0 => Way::Native,
            // The first of a peer's connection, which had a gateway before anything was asked for.
            _ if first && (*flow).peer != 0 => Way::First,
            way => way,
        } as u32;
    }
}

/// The invocation that a flow carries is over; to be called before it leaves the gauges, which takes its bytes. Nothing,
/// if there is none or it is not reported.
#[inline(always)]
pub fn over(flow: *mut Flow, end: End) {
    // SAFETY: map value.
    if unsafe { (*flow).marks } & mark::SAMPLED != 0 {
        report(flow, end as u32);
    }
}

/// Reports it, once.
#[inline(never)]
fn report(flow: *mut Flow, end: u32) {
    // SAFETY: a map value; the event is the part of it that begins at `noted`.
    unsafe {
        let before = atomic::fetch_and(&raw mut (*flow).marks, !mark::SAMPLED);
        if before & mark::SAMPLED == 0 {
            return;
        }
        (*flow).noted.over = now();
        (*flow).noted.end = end;
        (*flow).noted.marks = before as u32;
        let report = &*(&raw const (*flow).noted).cast::<InvocationEvent>();
        if RING.output::<InvocationEvent>(report, 0).is_err() {
            event(Event::SampleLost);
        }
    }
}
