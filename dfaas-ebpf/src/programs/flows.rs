//! Taking, indexing and freeing flows.

use aya_ebpf::bindings::BPF_NOEXIST;
use dfaas_common::address::Tuple;
use dfaas_common::config::cursor;
use dfaas_common::count::Event;
use dfaas_common::event::End;
use dfaas_common::flow::{Flow, FlowRef, PATIENCE_WHEN_CROWDED, finished, patience, state};

use super::atomic;
use super::count;
use super::maps::{CONFIG, CURSORS, FLOWS, FREE, TABLE};
use super::report;

/// Looks a connection up.
#[inline(always)]
pub fn find(tuple: &Tuple) -> Option<FlowRef> {
    // SAFETY: a removed entry may be reused under our hands; then we act on another live flow's index, and the tuple
    // check of whoever needs certainty (`is_client`) fails.
    FLOWS.get_ptr(tuple).map(|p| unsafe { *p })
}

/// The flow with this index.
#[inline(always)]
pub fn get(index: u32) -> Option<*mut Flow> {
    TABLE.get_ptr_mut(index)
}

/// Takes a free flow; its state is [`state::CLAIMED`] and everything else zero.
#[inline(always)]
pub fn claim(now: u64) -> Option<(u32, *mut Flow)> {
    let Ok(Some(index)) = FREE.pop() else { return None };
    let flow = get(index)?;
    // SAFETY: an index from the queue belongs to nobody else.
    unsafe {
        core::ptr::write_bytes(flow, 0, 1);
        (*flow).last_seen = now;
        (*flow).born = now;
        (*flow).state = state::CLAIMED;
    }
    if let Some(live) = CURSORS.get_ptr_mut(cursor::LIVE) {
        atomic::fetch_add(live, 1);
    }
    Some((index, flow))
}

/// Makes a flow findable by a tuple; `false` if another flow has it.
#[inline(always)]
pub fn index(tuple: &Tuple, index: u32, side: u32) -> bool {
    FLOWS.insert(tuple, FlowRef { index, side }, BPF_NOEXIST as u64).is_ok()
}

/// Takes a tuple out of the index if it leads to this flow.
#[inline(always)]
pub fn unindex(tuple: &Tuple, index: u32) {
    if let Some(found) = find(tuple)
        && found.index == index
    {
        let _ = FLOWS.remove(tuple);
    }
}

/// Frees a flow that is in `from`; whoever wins the state does all of it.
#[inline(never)]
pub fn retire(number: u32, flow: *mut Flow, from: u64) -> bool {
    // SAFETY: map values; after the swap this CPU alone owns the flow.
    unsafe {
        if !atomic::swap(&raw mut (*flow).state, from, state::DEAD) {
            return false;
        }
        count::end(flow);
        // Keys are read where they lie: the stack is scarce.
        unindex(&(*flow).client, number);
        if (*flow).backend.remote_port != 0 {
            unindex(&(*flow).backend, number);
        }
        (*flow).state = state::FREE;
    }
    if let Some(live) = CURSORS.get_ptr_mut(cursor::LIVE) {
        atomic::fetch_add(live, u64::MAX);
    }
    let _ = FREE.push(number, 0);
    count::event(Event::FlowFreed);
    true
}

/// Whether the table is nearly full: new connections are left to the host.
#[inline(always)]
pub fn crowded(max_flows: u32) -> bool {
    // A sixteenth is kept for connections whose handshake is already answered.
    match CURSORS.get(cursor::LIVE) {
        Some(live) => *live >= (max_flows - max_flows / 16) as u64,
        None => true,
    }
}

/// Whether a flow that has been without packets for so long is to give up its entry, as others wait for one.
#[inline(always)]
fn in_the_way(at: u64, marks: u64, silence: u64) -> bool {
    let over = finished(marks) && (at == state::ESTABLISHED || at == state::FORWARDED);
    over && silence >= PATIENCE_WHEN_CROWDED && CONFIG.get(0).is_some_and(|config| crowded(config.max_flows))
}

/// Frees the flow with this index if it has been without packets for too long.
#[inline(never)]
pub fn sweep(index: u32, now: u64) {
    let Some(flow) = get(index) else { return };
    // SAFETY: map values; a stale read only delays the decision to the next sweep.
    let (at, marks, seen) = unsafe { ((*flow).state, (*flow).marks, (*flow).last_seen) };
    // Another CPU may have seen a packet after `now` was read.
    if at == state::FREE || at == state::DEAD || seen >= now {
        return;
    }
    let silence = now - seen;
    if silence < patience(at, marks) && !in_the_way(at, marks, silence) {
        return;
    }
    report::over(flow, End::Forgotten);
    retire(index, flow, at);
}

/// Frees a flow that is in `from` because its tuple is used by a new connection; whether it is free now.
#[inline(never)]
pub fn replace(number: u32, flow: *mut Flow, from: u64) -> bool {
    report::over(flow, End::Forgotten);
    retire(number, flow, from)
}

/// Looks at the next few entries of the table, so that it stays usable even while no agent sweeps it.
#[inline(always)]
pub fn sweep_some(max_flows: u32, now: u64) {
    for _ in 0..2 {
        if let Some(next) = CURSORS.get_ptr_mut(cursor::SWEEP) {
            let index = atomic::fetch_add(next, 1) as u32;
            if max_flows != 0 {
                sweep(index % max_flows, now);
            }
        }
    }
}

/// Frees a flow whose connection is over, so that its tuples can be used again; whether it was.
#[inline(always)]
pub fn take_over(index: u32) -> bool {
    let Some(flow) = get(index) else { return false };
    // SAFETY: map values; `retire` fails if the state has changed meanwhile.
    unsafe {
        let at = (*flow).state;
        finished((*flow).marks)
            && (at == state::ESTABLISHED || at == state::FORWARDED)
            && retire(index, flow, at)
    }
}
