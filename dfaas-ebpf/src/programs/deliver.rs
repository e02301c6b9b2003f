//! Where a finished segment goes from here.

use dfaas_common::count::DropReason;
use dfaas_common::flow::Flow;

use super::count::drop;
use super::family::retag;
use super::leg;
use super::maps::PEERS;
use super::scratch::Scratch;
use super::skb::{PASS, Skb, hook};

/// Gives the frame the hardware addresses that the client's own frames have.
#[inline(always)]
fn client_frame(skb: Skb, flow: *mut Flow) {
    // SAFETY: map value.
    let h = unsafe { &(*flow).hardware };
    let turned = [h[6], h[7], h[8], h[9], h[10], h[11], h[0], h[1], h[2], h[3], h[4], h[5]];
    skb.store_balanced(0, turned.as_ptr(), 12);
}

/// To the local gateway, as if it had come in where the client's packets do.
#[inline(always)]
pub fn to_local(skb: Skb, s: *mut Scratch, flow: *mut Flow) -> i32 {
    // SAFETY: map values.
    unsafe {
        let interface = (*flow).interface;
        let here = (*s).hook == hook::INGRESS && skb.interface() == interface;
        if !here {
            client_frame(skb, flow);
        }
        // What a peer sent may have come in here too, with other tags than the client's.
        if !retag(skb, s, &(*flow).tags) {
            return drop(DropReason::Internal);
        }
        if here { PASS } else { skb.inject(interface) }
    }
}

/// To the client, the way its packets came.
#[inline(always)]
pub fn to_client(skb: Skb, s: *mut Scratch, flow: *mut Flow) -> i32 {
    // SAFETY: map values.
    unsafe {
        let interface = (*flow).interface;
        if (*s).hook == hook::EGRESS && skb.interface() == interface {
            return PASS;
        }
        skb.store_balanced(0, (&raw const (*flow).hardware).cast(), 12);
        if !retag(skb, s, &(*flow).tags) {
            return drop(DropReason::Internal);
        }
        skb.transmit(interface)
    }
}

/// To the backend that a flow is bound to.
#[inline(always)]
pub fn to_backend(skb: Skb, s: *mut Scratch, flow: *mut Flow) -> i32 {
    match leg::far(flow) {
        0 => to_local(skb, s, flow),
        number => out(skb, s, number),
    }
}

/// To a backend with an address of its own, by the host's routes.
#[inline(always)]
fn out(skb: Skb, s: *mut Scratch, number: u32) -> i32 {
    if !retag(skb, s, &[0, 0]) {
        return drop(DropReason::Internal);
    }
    match PEERS.get(number) {
        Some(peer) if peer.interface != 0 => skb.route(peer.interface),
        _ => drop(DropReason::NoRoute),
    }
}

/// A copy to a backend of a flow, `far` as `leg::far` gives it, the way its own packets came; the packet stays.
#[inline(always)]
pub fn copy(skb: Skb, s: *mut Scratch, flow: *mut Flow, far: u32) -> bool {
    // SAFETY: map values.
    unsafe {
        let tags = if far == 0 { (*flow).tags } else { [0, 0] };
        if !retag(skb, s, &tags) {
            return false;
        }
        if far == 0 {
            client_frame(skb, flow);
            skb.inject_copy((*flow).interface);
        } else {
            skb.store_balanced(0, (&raw const (*flow).leg_hardware).cast(), 12);
            skb.transmit_copy((*flow).leg_interface);
        }
    }
    true
}
