//! Packets of users.

use dfaas_common::choice::TOO_MANY;
use dfaas_common::config::Config;
use dfaas_common::cookie::Offer;
use dfaas_common::count::{DropReason, Event, REJECT};
use dfaas_common::event::End;
use dfaas_common::flow::{Flow, mark, side, state};
use dfaas_common::steps;
use dfaas_common::translate::{OUR_SCALE, flag};

use super::atomic;
use super::backend;
use super::boundary;
use super::choose::choose;
use super::count::{drop, event};
use super::flows;
use super::handshake::{self, Claim};
use super::head;
use super::leg;
use super::log;
use super::native;
use super::reject;
use super::report;
use super::request;
use super::saved::{self, Saved};
use super::scratch::{NO_LEG, Scratch};
use super::skb::{PASS, Skb, jump};

/// Distance from the last sequence number beyond which a segment cannot belong to a flow: twice the largest window.
const FAR: u32 = 16 << 20;

/// A packet to a listen address that belongs to no flow.
#[inline(never)]
pub fn stranger(skb: Skb, s: *mut Scratch, config: &Config) -> i32 {
    // SAFETY: map value.
    let (flags, payload) = unsafe { ((*s).segment.flags as u8, (*s).segment.payload) };
    if flags & (flag::SYN | flag::ACK | flag::RST | flag::FIN) == flag::SYN {
        return handshake::syn(skb, s, config);
    }
    if flags & (flag::RST | flag::SYN) != 0 || flags & flag::ACK == 0 {
        return PASS;
    }
    match handshake::claim(s, config) {
        Claim::First if payload != 0 => jump(steps::FIRST),
        Claim::None if native::opened(s) => native::follow(skb, s, config.max_flows),
        Claim::None => handshake::unknown(skb, s),
        claim => without_data(skb, s, claim, config),
    }
}

/// A segment without data of a connection whose cookie is valid.
#[inline(always)]
fn without_data(skb: Skb, s: *mut Scratch, claim: Claim, config: &Config) -> i32 {
    if claim == Claim::Probe {
        return handshake::probe(skb, s, config);
    }
    // SAFETY: map value.
    if unsafe { (*s).segment.flags } as u8 & flag::FIN != 0 {
        drop(DropReason::ClosedBeforeData);
        return handshake::reset(skb, s);
    }
    drop(DropReason::HandshakeAck)
}

/// A packet of the client of a flow.
#[inline(always)]
pub fn packet(skb: Skb, s: *mut Scratch, number: u32, flow: *mut Flow, config: &Config) -> i32 {
    // SAFETY: map values.
    unsafe {
        let flags = (*s).segment.flags as u8;
        if flags & (flag::SYN | flag::ACK | flag::RST | flag::FIN) == flag::SYN {
            // A SYN proves nothing: the flow stays until data comes with a valid cookie.
            return handshake::syn(skb, s, config);
        }
        let at = (*flow).state;
        if reused(s, flow) {
            // Not even a bare acknowledgment of a new connection may reach the old backend: its reset would fit.
            match handshake::claim(s, config) {
                Claim::First if (*s).segment.payload != 0 => {
                    if !flows::replace(number, flow, at) {
                        return drop(DropReason::Opening);
                    }
                    event(Event::FlowReplaced);
                    return jump(steps::FIRST);
                }
                Claim::None if native::opened(s) => {
                    if !flows::replace(number, flow, at) {
                        return drop(DropReason::Opening);
                    }
                    event(Event::FlowReplaced);
                    return native::follow(skb, s, config.max_flows);
                }
                Claim::None => {}
                claim => return without_data(skb, s, claim, config),
            }
        }
        match at {
            state::ESTABLISHED => boundary::from_client(skb, s, number, flow),
            state::OPENING => opening(skb, s, number, flow),
            state::REJECTED => reject::after(skb, s, flow),
            _ => drop(DropReason::Opening),
        }
    }
}

/// Whether the segment at hand may be of a new connection on the tuple of this flow.
#[inline(always)]
fn reused(s: *mut Scratch, flow: *mut Flow) -> bool {
    // SAFETY: map values.
    unsafe {
        let distance = (*s).segment.sequence.wrapping_sub((*flow).client_next).wrapping_add(FAR);
        let over = (*flow).marks & (mark::CLIENT_FIN | mark::RESET) != 0;
        (over || distance > 2 * FAR) && (*s).segment.sequence.wrapping_sub(1) != (*flow).client_isn
    }
}

/// A packet of the client while its backend is being opened.
#[inline(never)]
pub fn opening(skb: Skb, s: *mut Scratch, number: u32, flow: *mut Flow) -> i32 {
    // SAFETY: map values.
    unsafe {
        let segment = &(*s).segment;
        if segment.flags as u8 & flag::RST != 0 {
            atomic::fetch_or(&raw mut (*flow).marks, mark::RESET);
            report::over(flow, End::ClientReset);
            return drop(DropReason::Opening);
        }
        if segment.payload == 0 {
            return drop(DropReason::Opening);
        }
        let offset = segment.sequence.wrapping_sub((*flow).client_isn.wrapping_add(1));
        if offset == 0 {
            if saved::find(flow).is_none() && saved::save_again(skb, s, flow) == Saved::Corrupt {
                return drop(DropReason::BadChecksum);
            }
            return backend::reopen(skb, s, number, flow);
        }
        if offset == (*flow).saved {
            match saved::append(skb, s, flow) {
                Saved::Yes => {
                    (*flow).client_next = segment.sequence.wrapping_add(segment.payload);
                    event(Event::Appended);
                }
                Saved::Corrupt => return drop(DropReason::BadChecksum),
                Saved::No => {}
            }
        }
        // Kept or not, nothing is sent now; what was not kept comes again.
        drop(DropReason::Opening)
    }
}

/// The first data of a connection: the choice.
#[inline(always)]
pub fn first(skb: Skb, s: *mut Scratch, config: &Config) -> i32 {
    // SAFETY: map values; a flow that was claimed belongs to this CPU.
    unsafe {
        if (*s).segment.payload > saved::LARGEST {
            return drop(DropReason::FirstSegmentTooLarge);
        }
        if !head::request(skb, s) {
            return drop(DropReason::BadChecksum);
        }
        let now = (*s).now;
        flows::sweep_some(config.max_flows, now);
        let Some((number, flow)) = flows::claim(now) else { return drop(DropReason::FlowTableFull) };
        let segment = &(*s).segment;
        let cookie = segment.acknowledgment.wrapping_sub(1);
        let offer = Offer::decode(cookie as u8);
        (*flow).client = segment.tuple;
        (*flow).client_isn = segment.sequence.wrapping_sub(1);
        (*flow).cookie = cookie;
        (*flow).client_next = segment.sequence.wrapping_add(segment.payload);
        (*flow).client_window = segment.window as u16;
        (*flow).client_scale = offer.scale;
        (*flow).sack = offer.sack;
        (*flow).segment_size = offer.segment_size(handshake::sizes(s));
        (*flow).told_scale = OUR_SCALE;
        leg::remember_client(skb, s, flow);
        (*flow).timestamps = ((*s).options.time_at != 0) as u8;
        request::note_clock(s, flow);
        if !flows::index(&(*flow).client, number, side::CLIENT) {
            // Another CPU has just bound this connection, by the same segment sent twice.
            flows::retire(number, flow, state::CLAIMED);
            return drop(DropReason::Opening);
        }
        (*flow).function = (*s).function;
        (*s).old.far = NO_LEG;
        request::note_request(s, flow, config);
        saved::save(skb, s, flow);
        report::begin(flow, config, now);
        (*s).number = number;
        let choice = choose();
        log::decision(skb, flow, choice);
        if choice >= REJECT {
            return reject::answer(skb, s, flow, if choice == TOO_MANY { 429 } else { 503 });
        }
        (*flow).state = state::OPENING;
        backend::open(skb, s, flow)
    }
}
