//! Connections that have not sent data: everything about them is in the cookie.

use dfaas_common::config::{Config, setting};
use dfaas_common::cookie::{LIFE, NO_SCALE, Offer, SEGMENT_SIZES, SEGMENT_SIZES_6, epoch, make, verify};
use dfaas_common::count::{DropReason, Event};
use dfaas_common::forwarded::{LINE, LINE_6};
use dfaas_common::translate::{OUR_SCALE, flag};

use super::count::{drop, event};
use super::emit::{emit, plain_options, syn_options};
use super::flows;
use super::maps::{LATE, USERS};
use super::native;
use super::packet::Packet;
use super::scratch::Scratch;
use super::skb::{DROP, PASS, Skb, TCP_LISTEN, TCP_TIME_WAIT, clock};
use aya_ebpf::maps::lpm_trie::Key;

/// By how much an IPv6 header is longer than one of IPv4.
const LONGER: u32 = 20;

/// The segment sizes that a cookie of the connection at hand can carry.
#[inline(always)]
pub fn sizes(s: *mut Scratch) -> &'static [u16; 4] {
    // SAFETY: map value.
    if unsafe { (*s).frame.v6 } != 0 { &SEGMENT_SIZES_6 } else { &SEGMENT_SIZES }
}

/// Segment size that the client at hand is told: with room for the line that names it.
#[inline(always)]
fn segment_size(s: *mut Scratch, config: &Config) -> u32 {
    // SAFETY: map value.
    let v6 = unsafe { (*s).frame.v6 };
    let line = if v6 != 0 { LINE_6 } else { LINE };
    let inserted = if config.settings & setting::FORWARDED_FOR != 0 { line } else { 0 };
    config.segment_size - v6 * LONGER - inserted
}

/// Turns addresses and ports of the segment at hand round for an answer to its sender.
#[inline(always)]
pub fn answer(s: *mut Scratch) {
    // SAFETY: map value.
    unsafe {
        let o = &mut (*s).outgoing;
        o.ends = (*s).segment.tuple.leaving();
        o.payload = 0;
        o.payload_sum = 0;
        o.window = 0;
    }
}

/// The timestamps of an answer: the node's clock, and what the segment at hand carried.
#[inline(always)]
pub fn answer_times(s: *mut Scratch) -> Option<(u32, u32)> {
    // SAFETY: map value.
    unsafe {
        let at = (*s).options.time_at;
        if at == 0 { None } else { Some((clock((*s).now), (*s).received.number(at))) }
    }
}

/// Sends the segment in `outgoing` back the way the packet at hand came.
#[inline(always)]
pub fn send_back(skb: Skb, s: *mut Scratch) -> i32 {
    if !emit(skb, s) {
        return drop(DropReason::Internal);
    }
    skb.turn_hardware();
    skb.transmit(skb.interface())
}

/// Answers the packet at hand with a reset (RFC 9293, 3.10.7.1).
#[inline(never)]
pub fn reset(skb: Skb, s: *mut Scratch) -> i32 {
    // SAFETY: map value.
    unsafe {
        let flags = (*s).segment.flags as u8;
        if flags & flag::RST != 0 {
            return DROP;
        }
        answer(s);
        let o = &mut (*s).outgoing;
        plain_options(o, None);
        if flags & flag::ACK != 0 {
            o.sequence = (*s).segment.acknowledgment;
            o.acknowledgment = 0;
            o.flags = flag::RST as u32;
        } else {
            let control = (flags & flag::SYN != 0) as u32 + (flags & flag::FIN != 0) as u32;
            o.sequence = 0;
            o.acknowledgment = (*s).segment.sequence.wrapping_add((*s).segment.payload).wrapping_add(control);
            o.flags = (flag::RST | flag::ACK) as u32;
        }
    }
    send_back(skb, s)
}

/// Whether the sender of the segment at hand may use the node.
#[inline(always)]
fn is_user(s: *mut Scratch) -> bool {
    // SAFETY: map value.
    let address = unsafe { (*s).segment.tuple.remote };
    USERS.get(Key::new(128, address)).is_some_and(|admitted| *admitted != 0)
}

/// Why the SYN at hand, to a listen address, is not answered but left to the host; `None`: it is answered.
#[inline(always)]
pub fn objection(packet: impl Packet, s: *mut Scratch, config: &Config) -> Option<Event> {
    if config.armed == 0 {
        return Some(Event::SynDisarmed);
    }
    if !is_user(s) {
        return Some(Event::SynNotUser);
    }
    if flows::crowded(config.max_flows) {
        return Some(Event::SynTableFull);
    }
    // SAFETY: map value.
    match packet.socket_state(unsafe { &(*s).segment.ends }) {
        None | Some(TCP_LISTEN | TCP_TIME_WAIT) => None,
        Some(_) => Some(Event::SynNative),
    }
}

/// Puts the SYN-ACK for the SYN at hand into `outgoing`.
#[inline(always)]
pub fn prepare_syn_ack(s: *mut Scratch, config: &Config) {
    // SAFETY: map value.
    unsafe {
        let segment = &(*s).segment;
        let options = (*s).options;
        let offer =
            Offer::new(sizes(s), options.segment_size, options.scale as u8, options.sack_permitted as u8);
        let times = answer_times(s);
        answer(s);
        let o = &mut (*s).outgoing;
        o.sequence = make(config.cookie_key, &segment.tuple, segment.sequence, epoch((*s).now), offer);
        o.acknowledgment = segment.sequence.wrapping_add(1);
        o.flags = (flag::SYN | flag::ACK) as u32;
        // One segment may come before a backend is known: that is what a slot holds.
        let size = segment_size(s, config);
        o.window = size - if times.is_some() { 12 } else { 0 };
        let scale = if offer.scale == NO_SCALE { None } else { Some(OUR_SCALE) };
        syn_options(o, size as u16, offer.sack, times, scale);
    }
}

/// A SYN to a listen address.
#[inline(never)]
pub fn syn(skb: Skb, s: *mut Scratch, config: &Config) -> i32 {
    if let Some(why) = objection(skb, s, config) {
        event(why);
        if why == Event::SynDisarmed && is_user(s) {
            native::greet(s);
        }
        return PASS;
    }
    prepare_syn_ack(s, config);
    event(Event::SynAnswered);
    send_back(skb, s)
}

/// What a segment without a flow is, judged by its numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It follows our SYN-ACK: its acknowledgment is a valid cookie.
    First,
    /// A keep-alive probe of a connection that has not sent data.
    Probe,
    /// It proves nothing.
    None,
}

/// Checks the cookie of the segment at hand.
#[inline(never)]
pub fn claim(s: *mut Scratch, config: &Config) -> Claim {
    // SAFETY: map value.
    unsafe {
        let segment = &(*s).segment;
        let cookie = segment.acknowledgment.wrapping_sub(1);
        if verify(config.cookie_key, &segment.tuple, segment.sequence.wrapping_sub(1), (*s).now, cookie) {
            return Claim::First;
        }
        if segment.payload <= 1
            && verify(config.cookie_key, &segment.tuple, segment.sequence, (*s).now, cookie)
        {
            return Claim::Probe;
        }
    }
    Claim::None
}

/// A segment that neither a flow nor a cookie explains. It may belong to a connection of the host, or follow a first
/// segment that was lost; the rest passes, so that the stack answers as it would without us.
#[inline(never)]
pub fn unknown(skb: Skb, s: *mut Scratch) -> i32 {
    // SAFETY: map value.
    unsafe {
        let segment = &(*s).segment;
        if let Some(state) = skb.socket_state(&segment.ends)
            && state != TCP_LISTEN
        {
            return PASS;
        }
        let at = (*s).options.time_at;
        if at != 0 {
            let age = clock((*s).now).wrapping_sub((*s).received.number(at + 4));
            if age < LIFE {
                return drop(DropReason::FirstSegmentMissing);
            }
        } else if segment.payload != 0 && missing_first(s) {
            return drop(DropReason::FirstSegmentMissing);
        }
    }
    event(Event::PassedUnknown);
    PASS
}

/// Without timestamps nothing tells the age of a connection: the first two such segments are dropped, as the client
/// will send the lost first one again within that time.
#[inline(always)]
fn missing_first(s: *mut Scratch) -> bool {
    // SAFETY: map value.
    let tuple = unsafe { (*s).segment.tuple };
    let tag =
        tuple.remote[3] ^ tuple.remote[2] ^ ((tuple.remote_port as u32) << 16 | tuple.local_port as u32);
    let tag = tag.wrapping_mul(0x9e37_79b1);
    let Some(entry) = LATE.get_ptr_mut(tag >> 22) else { return false };
    // SAFETY: a lossy table; a race costs one more or one fewer dropped segment.
    unsafe {
        let seen = if (*entry >> 32) as u32 == tag { *entry as u32 } else { 0 };
        *entry = (tag as u64) << 32 | (seen + 1) as u64;
        seen < 2
    }
}

/// Puts the answer to the keep-alive probe at hand into `outgoing`.
#[inline(always)]
pub fn prepare_probe_answer(s: *mut Scratch, config: &Config) {
    // SAFETY: map value.
    unsafe {
        let times = answer_times(s);
        answer(s);
        let o = &mut (*s).outgoing;
        plain_options(o, times);
        o.sequence = (*s).segment.acknowledgment;
        o.acknowledgment = (*s).segment.sequence.wrapping_add(1);
        o.flags = flag::ACK as u32;
        let offer = Offer::decode((*s).segment.acknowledgment.wrapping_sub(1) as u8);
        let size = segment_size(s, config);
        o.window = if offer.scale == NO_SCALE { size } else { size >> OUR_SCALE };
    }
}

/// Answers a keep-alive probe.
#[inline(never)]
pub fn probe(skb: Skb, s: *mut Scratch, config: &Config) -> i32 {
    event(Event::ProbeAnswered);
    prepare_probe_answer(s, config);
    send_back(skb, s)
}
