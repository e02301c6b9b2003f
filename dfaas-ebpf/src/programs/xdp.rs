//! Before the kernel makes a packet of a frame: handshakes are answered here where the driver allows it. What is not
//! answered passes unchanged and uncounted, and the ingress program judges it as if this one were not there.

use core::ffi::c_void;

use aya_ebpf::bindings::{xdp_action, xdp_md};
use aya_ebpf::helpers::generated as helper;
use dfaas_common::address::Endpoint;
use dfaas_common::config::{Config, place};
use dfaas_common::count::{DropReason, Event};
use dfaas_common::flow::side;
use dfaas_common::translate::flag;

use super::count::{drop, event};
use super::emit::build;
use super::established::read_header;
use super::flows;
use super::handshake::{self, Claim};
use super::maps::{CONFIG, PLACES, SCRATCH};
use super::packet::Packet;
use super::read::read;
use super::scratch::Scratch;
use super::skb::hook;

/// The shortest frame on a wire, without its check sequence: not every driver fills one up that is sent from here.
const SHORTEST: u32 = 60;

/// A frame in the memory of its driver. Its checksums are filled in, whoever has sent it: what leaves has full ones.
#[derive(Clone, Copy)]
pub struct Raw(pub *mut xdp_md);

impl Packet for Raw {
    #[inline(always)]
    fn context(self) -> *mut c_void {
        self.0.cast()
    }

    #[inline(always)]
    fn length(self) -> u32 {
        // SAFETY: the context pointer is valid for the whole run.
        unsafe { helper::bpf_xdp_get_buff_len(self.0) as u32 }
    }

    /// A driver that takes tags off does not show them here: user space attaches nothing where that matters.
    #[inline(always)]
    fn tag(self) -> Option<(u16, u16)> {
        None
    }

    #[inline(always)]
    fn load(self, offset: u32, to: *mut u8, length: u32) -> bool {
        // SAFETY: the verifier checks that `to` has room for `length` bytes.
        unsafe { helper::bpf_xdp_load_bytes(self.0, offset, to.cast(), length) == 0 }
    }

    #[inline(always)]
    fn store(self, offset: u32, from: *const u8, length: u32) -> bool {
        // SAFETY: the verifier checks that `from` has `length` bytes; the helper only reads them.
        unsafe { helper::bpf_xdp_store_bytes(self.0, offset, from.cast_mut().cast(), length) == 0 }
    }

    #[inline(always)]
    fn store_balanced(self, offset: u32, from: *const u8, length: u32) -> bool {
        self.store(offset, from, length)
    }

    #[inline(always)]
    fn resize(self, length: u32) -> bool {
        let length = if length < SHORTEST { SHORTEST } else { length };
        let by = length.wrapping_sub(self.length()) as i32;
        // SAFETY: the context pointer is valid; the helper checks the length.
        by == 0 || unsafe { helper::bpf_xdp_adjust_tail(self.0, by) == 0 }
    }
}

/// What becomes of a frame.
enum Verdict {
    /// It goes on.
    Pass,
    /// Nobody needs it.
    Drop,
    /// An answer stands in its place.
    Answer,
}

/// The program; `send` gives the verdict that sends a frame back the way it came.
#[inline(always)]
pub fn run(frame: Raw, send: impl FnOnce(Raw) -> u32) -> u32 {
    match judge(frame) {
        Verdict::Pass => xdp_action::XDP_PASS,
        Verdict::Drop => xdp_action::XDP_DROP,
        Verdict::Answer => send(frame),
    }
}

/// Sends a frame back by its own queue.
#[inline(always)]
pub fn transmit(_: Raw) -> u32 {
    xdp_action::XDP_TX
}

/// Sends a frame back as if it were redirected: of two virtual ends the other one is woken by that, whereas `XDP_TX` wakes
/// it only if it has a program of its own.
#[inline(always)]
pub fn redirect(frame: Raw) -> u32 {
    // SAFETY: the context pointer is valid, and no memory is passed.
    unsafe { helper::bpf_redirect((*frame.0).ingress_ifindex, 0) as u32 }
}

#[inline(always)]
fn judge(frame: Raw) -> Verdict {
    let (Some(s), Some(config)) = (SCRATCH.get_ptr_mut(0), CONFIG.get(0)) else { return Verdict::Pass };
    if config.armed == 0 || !read(frame, s, hook::INGRESS) {
        return Verdict::Pass;
    }
    // SAFETY: map values.
    unsafe {
        let segment = &(*s).segment;
        let control = segment.flags as u8 & (flag::SYN | flag::ACK | flag::RST | flag::FIN);
        let opening = control == flag::SYN;
        if !opening && (control != flag::ACK || segment.payload > 1) {
            return Verdict::Pass;
        }
        let tuple = &segment.tuple;
        let here = Endpoint { address: tuple.local, port: tuple.local_port, padding: 0 };
        if PLACES.get(&here).copied() != Some(place::LISTEN) {
            return Verdict::Pass;
        }
        if let Some(found) = flows::find(tuple) {
            // A SYN proves nothing, so that a client's is answered whatever its flow is at; the rest needs the flow.
            let Some(flow) = flows::get(found.index) else { return Verdict::Pass };
            if !opening || found.side == side::BACKEND || (*flow).peer != 0 {
                return Verdict::Pass;
            }
        }
        if !read_header(frame, s) {
            return Verdict::Pass;
        }
        if opening {
            return syn(frame, s, config);
        }
        match handshake::claim(s, config) {
            Claim::First if (*s).segment.payload == 0 => {
                drop(DropReason::HandshakeAck);
                Verdict::Drop
            }
            Claim::Probe => {
                handshake::prepare_probe_answer(s, config);
                answer(frame, s, Event::ProbeAnswered)
            }
            _ => Verdict::Pass,
        }
    }
}

/// A SYN of a client.
#[inline(never)]
fn syn(frame: Raw, s: *mut Scratch, config: &Config) -> Verdict {
    if handshake::objection(frame, s, config).is_some() {
        return Verdict::Pass;
    }
    handshake::prepare_syn_ack(s, config);
    answer(frame, s, Event::SynAnswered)
}

/// Writes the segment in `outgoing` over the frame, and counts what that was.
#[inline(always)]
fn answer(frame: Raw, s: *mut Scratch, what: Event) -> Verdict {
    // SAFETY: map value.
    let length = unsafe { (*s).frame.l4 + (*s).outgoing.header };
    if !frame.resize(length) {
        // There was no room behind it, and it is as it came: the ingress program can move packets to where there is.
        return Verdict::Pass;
    }
    if !build(frame, s, false) || !frame.turn_hardware() {
        drop(DropReason::Internal);
        return Verdict::Drop;
    }
    event(what);
    Verdict::Answer
}
