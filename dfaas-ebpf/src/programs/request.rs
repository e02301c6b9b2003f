//! A request on a connection that has a backend already: it is bound like the first of a connection, and goes on with
//! the same backend or another one. Nothing is under way at that moment, see [`dfaas_common::http::exchange`].

use dfaas_common::choice::TOO_MANY;
use dfaas_common::config::{Config, setting};
use dfaas_common::count::{DropReason, Event, LOCAL, NO_FUNCTION, PeerOutcome, PinReason, REJECT};
use dfaas_common::event::Way;
use dfaas_common::flow::{Flow, mark, state};
use dfaas_common::http::exchange::{Verdict, after};
use dfaas_common::http::flag;

use super::atomic;
use super::backend;
use super::boundary::pin;
use super::choose;
use super::count::{self, asked, drop, event, release};
use super::established;
use super::flows;
use super::forwarded;
use super::head;
use super::leg;
use super::log;
use super::reject;
use super::report;
use super::saved;
use super::scratch::Scratch;
use super::skb::{Skb, clock};

/// Notes what the client's clock says now, for a leg that is about to be opened.
#[inline(always)]
pub fn note_clock(s: *mut Scratch, flow: *mut Flow) {
    // SAFETY: map values.
    unsafe {
        if (*flow).timestamps != 0 && (*s).options.time_at != 0 {
            (*flow).client_time = (*s).received.number((*s).options.time_at);
            (*flow).node_clock = clock((*s).now).wrapping_sub((*flow).client_time);
        }
    }
}

/// Brings the clock that the client sees up to what it has seen, which it echoes: the clock of the backend before may have
/// been ahead of the node's, and a client drops what is older than what it has (RFC 7323, 5.3).
#[inline(always)]
fn catch_up(s: *mut Scratch, flow: *mut Flow) {
    // SAFETY: map values.
    unsafe {
        if (*flow).timestamps != 0 && (*s).options.time_at != 0 {
            let echo = (*s).received.number((*s).options.time_at + 4);
            if after(echo, clock((*s).now).wrapping_add((*flow).visible_clock)) {
                (*flow).visible_clock = echo.wrapping_sub(clock((*s).now));
            }
        }
    }
}

/// Notes where the request in working memory, which the segment at hand begins, ends; and where a line may be inserted.
#[inline(never)]
pub fn note_request(s: *mut Scratch, flow: *mut Flow, config: &Config) {
    // SAFETY: map values.
    unsafe {
        let (segment, facts) = (&(*s).segment, &(*s).facts);
        let (sequence, acknowledgment) = (segment.sequence, segment.acknowledgment);
        let verdict = (*flow).exchange.client.on_request(sequence, acknowledgment, segment.payload, facts);
        if verdict == Verdict::Pin {
            pin(flow, PinReason::Request);
        }
        let wanted = config.settings & setting::FORWARDED_FOR != 0 && (*flow).peer == 0;
        let named = facts.head == 0 || facts.flags & flag::FORWARDED_FOR != 0;
        let fits = facts.headers_at <= forwarded::LATEST_HEADERS;
        (*flow).headers_at = if wanted && !named && fits { facts.headers_at } else { 0 };
    }
}

/// Whether the request in working memory may go on with the backend of the one before, by the plan of its function.
#[inline(always)]
fn may_stay(s: *mut Scratch, flow: *mut Flow) -> bool {
    // SAFETY: map values.
    unsafe {
        if (*flow).peer != 0 || (*s).function == NO_FUNCTION {
            return (*flow).backend_number == LOCAL;
        }
        choose::may_have((*flow).backend_number)
    }
}

/// A request in a segment that is too large to be saved, and too large for its checksum to be tested: it goes on with the
/// same backend, or comes again in segments that can be.
#[inline(never)]
fn stay_or_wait(skb: Skb, s: *mut Scratch, number: u32, flow: *mut Flow, config: &Config) -> i32 {
    if !may_stay(s, flow) {
        return drop(DropReason::TooLargeToMove);
    }
    // SAFETY: map values.
    unsafe {
        release(flow);
        (*flow).function = (*s).function;
        choose::stay(flow, (*flow).backend_number);
        note_request(s, flow, config);
        report::begin(flow, config, (*s).now);
        report::placed(flow, Way::Stayed);
        asked(flow, (*s).now, false);
    }
    event(Event::Stayed);
    established::to_backend(skb, s, number, flow)
}

/// The leg is left: its backend gets a reset at the number that it expects, and nothing leads here from it any more.
#[inline(never)]
fn leave(skb: Skb, s: *mut Scratch, number: u32) -> bool {
    // SAFETY: map values.
    unsafe {
        let Some(flow) = flows::get(number) else { return false };
        if (*s).old.tuple.remote_port != 0 {
            flows::unindex(&(*s).old.tuple, number);
        }
        backend::reset_old(skb, s, flow)
    }
}

/// Remembers the leg that a flow has.
#[inline(never)]
fn keep_leg(s: *mut Scratch, flow: *mut Flow) -> u32 {
    // SAFETY: map values.
    unsafe {
        let old = &mut (*s).old;
        old.ends = leg::ends(flow);
        old.tuple = (*flow).backend;
        old.far = leg::far(flow);
        old.backend = (*flow).backend_number;
        old.shift = (*flow).shift;
        old.far
    }
}

/// Chooses for the request in working memory.
#[inline(always)]
fn choose_for(flow: *mut Flow, config: &Config) -> u32 {
    // SAFETY: map value.
    unsafe {
        if (*flow).peer != 0 {
            return choose::for_peer();
        }
        if (*flow).marks & mark::NATIVE != 0 && config.armed == 0 {
            // Nothing is steered at the moment, or the gateway would not have taken the connection itself.
            return choose::stay_home(flow);
        }
        choose::choose()
    }
}

/// A segment of the client with which a request begins.
#[inline(always)]
pub fn run(skb: Skb, s: *mut Scratch, config: &Config) -> i32 {
    // SAFETY: map values; the winner of the swap alone changes the flow.
    unsafe {
        let number = (*s).number;
        let Some(flow) = flows::get(number) else { return drop(DropReason::Internal) };
        if !head::request(skb, s) {
            return drop(DropReason::BadChecksum);
        }
        let large = (*s).segment.payload > saved::LARGEST;
        if large && !skb.partial((*s).frame.l4) {
            return stay_or_wait(skb, s, number, flow, config);
        }
        let before = (*flow).state;
        let open = before == state::ESTABLISHED || before == state::FORWARDED;
        if !open || !atomic::swap(&raw mut (*flow).state, before, state::CLAIMED) {
            return drop(DropReason::Opening);
        }
        release(flow);
        keep_leg(s, flow);
        (*flow).function = (*s).function;
        (*flow).tried = 0;
        note_clock(s, flow);
        catch_up(s, flow);
        report::begin(flow, config, (*s).now);
        let choice = choose_for(flow, config);
        log::decision(skb, flow, choice);
        note_request(s, flow, config);
        if choice < REJECT && leg::far(flow) == (*s).old.far {
            report::placed(flow, Way::Stayed);
            asked(flow, (*s).now, false);
            event(Event::Stayed);
            (*flow).state = before;
            return established::to_backend(skb, s, number, flow);
        }
        if large {
            // The rest is lost with this packet, and comes again behind what is saved.
            (*s).segment.payload = saved::LARGEST;
        }
        let segment = &(*s).segment;
        (*flow).client_isn = segment.sequence.wrapping_sub(1);
        (*flow).cookie = segment.acknowledgment.wrapping_sub(1);
        (*flow).client_next = segment.sequence.wrapping_add(segment.payload);
        (*flow).client_window = segment.window as u16;
        (*flow).syns = 0;
        (*flow).discarded = 0;
        (*flow).last_seen = (*s).now;
        atomic::fetch_and(&raw mut (*flow).marks, !mark::NATIVE);
        // Lost or not: the client sends it again.
        saved::save(skb, s, flow);
        if !leave(skb, s, number) {
            drop(DropReason::Internal);
        }
        if choice >= REJECT {
            if (*flow).peer != 0 {
                count::peer((*flow).peer, PeerOutcome::Denied);
            }
            return reject::answer(skb, s, flow, if choice == TOO_MANY { 429 } else { 503 });
        }
        report::placed(flow, Way::Moved);
        event(if choice == LOCAL { Event::MovedLocal } else { Event::MovedPeer });
        count::moved((*s).old.backend, choice);
        (*flow).state = state::OPENING;
        backend::open(skb, s, flow)
    }
}
