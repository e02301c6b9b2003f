//! Opening a backend: the SYN to it, and what it answers.

use dfaas_common::address::{Ends, is_ipv4};
use dfaas_common::choice::TOO_MANY;
use dfaas_common::cookie::NO_SCALE;
use dfaas_common::count::{DropReason, Event, NO_FUNCTION, PeerOutcome, REJECT};
use dfaas_common::event::Way;
use dfaas_common::flow::{Flow, mark, state};
use dfaas_common::steps;
use dfaas_common::translate::flag;

use super::atomic;
use super::boundary;
use super::choose::choose_again;
use super::connect::connect;
use super::count::{drop, event, peer, release};
use super::deliver;
use super::emit::{emit, plain_options, syn_options};
use super::flows;
use super::leg;
use super::log;
use super::maps::CONFIG;
use super::native;
use super::path;
use super::reject;
use super::saved;
use super::scratch::{NO_LEG, Scratch};
use super::skb::{PASS, Skb, hook, jump};

/// SYNs that a backend may leave unanswered before another is tried.
const PATIENCE: u32 = 3;

/// The connection to the backend, as packets to it carry it.
#[inline(always)]
pub fn towards(s: *mut Scratch, flow: *mut Flow) {
    // SAFETY: map values.
    unsafe {
        let o = &mut (*s).outgoing;
        o.ends = leg::ends(flow);
        o.payload = 0;
        o.payload_sum = 0;
    }
}

/// The largest segment that the backend may send: what the client takes, and what fits the way here and on from here.
#[inline(always)]
fn leg_segment_size(s: *mut Scratch, flow: *mut Flow) -> u16 {
    // SAFETY: map values.
    let (client, v6, now) =
        unsafe { ((*flow).segment_size as u32, !is_ipv4(&(*flow).client.remote), (*s).now) };
    let path = path::segment_size(leg::far(flow), now);
    let size = if path != 0 && path < client { path } else { client };
    // What fits every interface fits the client's, which may take less than the client.
    let here = match CONFIG.get(0) {
        Some(config) => config.segment_size - 20 * v6 as u32,
        None => size,
    };
    (if here < size { here } else { size }) as u16
}

/// Bytes of the client that a segment on the leg has room for, beside a TCP header of this length and a line. A longer
/// packet than the way there takes would be lost, and lost again whenever it comes.
#[inline(never)]
pub fn room(s: *mut Scratch, flow: *mut Flow, header: u32, line: u32) -> u32 {
    let taken = header - 20 + line;
    let size = leg_segment_size(s, flow) as u32;
    let size = if size > saved::LARGEST { saved::LARGEST } else { size };
    if size > taken { size - taken } else { 0 }
}

/// Sends the SYN to the backend that the flow is bound to, in the place of the packet at hand.
#[inline(never)]
pub fn open(skb: Skb, s: *mut Scratch, flow: *mut Flow) -> i32 {
    // SAFETY: map values.
    unsafe {
        towards(s, flow);
        (*flow).last_seen = (*s).now;
        if (*flow).syns == 0 {
            (*flow).asked = (*s).now;
        }
        (*flow).syns += 1;
        let o = &mut (*s).outgoing;
        // The client's own sequence numbers go on, so only the other direction needs a difference.
        o.sequence = (*flow).client_isn;
        o.acknowledgment = 0;
        o.flags = flag::SYN as u32;
        o.window = 65_535;
        let times = if (*flow).timestamps != 0 {
            Some(((*flow).client_time.wrapping_add((*flow).client_clock), 0))
        } else {
            None
        };
        let scale = if (*flow).client_scale == NO_SCALE { None } else { Some((*flow).client_scale) };
        syn_options(o, leg_segment_size(s, flow), (*flow).sack, times, scale);
    }
    if !emit(skb, s) {
        return drop(DropReason::Internal);
    }
    deliver::to_backend(skb, s, flow)
}

/// Turns the packet at hand into a reset with these ends and this sequence number.
#[inline(always)]
fn emit_reset(skb: Skb, s: *mut Scratch, ends: Ends, sequence: u32) -> bool {
    // SAFETY: map values.
    unsafe {
        let o = &mut (*s).outgoing;
        o.ends = ends;
        o.payload = 0;
        o.payload_sum = 0;
        o.sequence = sequence;
        o.acknowledgment = 0;
        o.flags = flag::RST as u32;
        o.window = 0;
        plain_options(o, None);
    }
    emit(skb, s)
}

/// Turns the packet at hand into a reset to the backend, with the sequence number that it expects.
#[inline(never)]
fn reset_leg(skb: Skb, s: *mut Scratch, flow: *mut Flow) -> bool {
    // SAFETY: map value.
    emit_reset(skb, s, leg::ends(flow), unsafe { (*s).segment.acknowledgment })
}

/// Sends a reset to the backend whose leg the flow leaves, in the place of the packet at hand, of the client, which stays.
#[inline(never)]
pub fn reset_old(skb: Skb, s: *mut Scratch, flow: *mut Flow) -> bool {
    // SAFETY: map values.
    unsafe {
        let sequence = (*s).segment.sequence.wrapping_add((*s).old.shift);
        emit_reset(skb, s, (*s).old.ends, sequence) && deliver::copy(skb, s, flow, (*s).old.far)
    }
}

/// A packet of the backend that a flow is bound to.
#[inline(always)]
pub fn packet(skb: Skb, s: *mut Scratch, number: u32, flow: *mut Flow) -> i32 {
    // SAFETY: map values.
    let (at, syn) = unsafe { ((*flow).state, (*s).segment.flags as u8 & flag::SYN != 0) };
    match at {
        state::ESTABLISHED if !syn => boundary::from_backend(skb, s, number, flow),
        state::ESTABLISHED | state::OPENING => answered(skb, s, number, flow),
        _ => drop(DropReason::StaleBackend),
    }
}

/// A packet of the backend while it is being opened, or its SYN-ACK once more.
#[inline(never)]
fn answered(skb: Skb, s: *mut Scratch, number: u32, flow: *mut Flow) -> i32 {
    // SAFETY: map values.
    unsafe {
        let flags = (*s).segment.flags as u8;
        let ours = (*s).segment.acknowledgment == (*flow).client_isn.wrapping_add(1);
        if flags & flag::RST != 0 {
            // Only a reset that acknowledges the SYN is an answer to it (RFC 9293, 3.10.7.3).
            if flags & flag::ACK != 0 && ours {
                (*s).number = number;
                return jump(steps::NEXT);
            }
            return drop(DropReason::StaleBackend);
        }
        if flags & flag::ACK == 0 {
            return drop(DropReason::StaleBackend);
        }
        if flags & flag::SYN == 0 || !ours {
            if flags & flag::SYN != 0 && (*s).hook == hook::EGRESS {
                // The stack answers a SYN that passed, on the tuple of an old connection.
                native::greeted(s);
                return PASS;
            }
            if (*flow).state != state::OPENING {
                return drop(DropReason::StaleBackend);
            }
            return make_room(skb, s, flow);
        }
        if (*flow).marks & mark::RESET != 0 {
            // The client has given up meanwhile.
            if !reset_leg(skb, s, flow) {
                return drop(DropReason::Internal);
            }
            let verdict = deliver::to_backend(skb, s, flow);
            flows::retire(number, flow, state::OPENING);
            return verdict;
        }
    }
    connect(skb, s, flow)
}

/// The backend still has an old connection of this tuple: a reset removes it there, and the SYN follows at once.
#[inline(never)]
fn make_room(skb: Skb, s: *mut Scratch, flow: *mut Flow) -> i32 {
    // SAFETY: map value.
    if unsafe { (*flow).syns } >= PATIENCE {
        return drop(DropReason::StaleBackend);
    }
    event(Event::TimeWaitReset);
    if leg::far(flow) != 0 {
        leg::remember(skb, flow);
    }
    if !reset_leg(skb, s, flow) {
        return drop(DropReason::Internal);
    }
    if !deliver::copy(skb, s, flow, leg::far(flow)) {
        return drop(DropReason::Internal);
    }
    open(skb, s, flow)
}

/// The backend refused or kept silent: the flow goes to another, from the saved segment; the client does not notice.
#[inline(always)]
pub fn next(skb: Skb, s: *mut Scratch) -> i32 {
    // SAFETY: map value.
    let number = unsafe { (*s).number };
    let Some(flow) = flows::get(number) else { return drop(DropReason::Internal) };
    // SAFETY: map values; the winner of the swap owns the flow.
    unsafe {
        if !atomic::swap(&raw mut (*flow).state, state::OPENING, state::CLAIMED) {
            return drop(DropReason::StaleBackend);
        }
        release(flow);
        // The packet at hand is the backend's reset, an ICMP error taken for one, or the client's first segment once more.
        let reset = (*s).segment.flags as u8 & flag::RST != 0;
        peer((*flow).backend_number, if reset { PeerOutcome::Refused } else { PeerOutcome::Silent });
        if (*flow).backend.remote_port != 0 {
            flows::unindex(&(*flow).backend, number);
            (*flow).backend.remote_port = 0;
        }
        (*s).old.far = NO_LEG;
        (*flow).syns = 0;
        (*flow).noted.way = Way::Retried as u32;
        if (*flow).function == NO_FUNCTION {
            // Not an invocation: what the gateway says is what the client gets.
            return reject::pass_reset(skb, s, number, flow);
        }
        let choice = choose_again();
        log::decision(skb, flow, choice);
        if choice >= REJECT {
            let status = if choice == TOO_MANY { 429 } else { 503 };
            return reject::answer(skb, s, flow, status);
        }
        event(Event::Retried);
        (*flow).state = state::OPENING;
    }
    open(skb, s, flow)
}

/// The client sends its first segment again: so is the SYN, until the backend has been silent for too long.
#[inline(always)]
pub fn reopen(skb: Skb, s: *mut Scratch, number: u32, flow: *mut Flow) -> i32 {
    // SAFETY: map values.
    unsafe {
        if (*flow).syns >= PATIENCE {
            event(Event::Silent);
            (*s).number = number;
            return jump(steps::NEXT);
        }
    }
    event(Event::SynResent);
    open(skb, s, flow)
}
