//! The leg of a flow: its connection to the backend.

use dfaas_common::address::Ends;
use dfaas_common::count::LOCAL;
use dfaas_common::flow::Flow;

use super::scratch::Scratch;
use super::skb::Skb;

/// The backend number under which the leg's backend has an entry of its own, with an address; 0: it is the own gateway,
/// which sees whoever asks itself.
#[inline(always)]
pub fn far(flow: *mut Flow) -> u32 {
    // SAFETY: map value. Only for LOCAL the gateway differs from 0, so no branch is needed to tell the two apart.
    const { assert!(LOCAL == 0) };
    unsafe { (*flow).backend_number | (*flow).gateway }
}

/// The ends of a packet to the backend.
#[inline(always)]
pub fn ends(flow: *mut Flow) -> Ends {
    // SAFETY: map values.
    unsafe {
        if far(flow) != 0 {
            (*flow).backend.leaving()
        } else if (*flow).peer != 0 {
            (*flow).backend.arriving()
        } else {
            (*flow).client.arriving()
        }
    }
}

/// Remembers how frames of the leg come in, turned round.
#[inline(always)]
pub fn remember(skb: Skb, flow: *mut Flow) {
    // SAFETY: map values.
    unsafe {
        skb.turned_hardware((&raw mut (*flow).leg_hardware).cast());
        (*flow).leg_interface = skb.interface();
    }
}

/// Remembers how frames of the client come in, turned round.
#[inline(always)]
pub fn remember_client(skb: Skb, s: *mut Scratch, flow: *mut Flow) {
    // SAFETY: map values.
    unsafe {
        skb.turned_hardware((&raw mut (*flow).hardware).cast());
        (*flow).interface = skb.interface();
        (*flow).tags = (*s).frame.tags;
    }
}
