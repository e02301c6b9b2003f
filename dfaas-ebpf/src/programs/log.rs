//! The packet log: one line a decision, for people who look for a fault. Off by default: its level is fixed when the
//! programs are loaded, and the verifier then removes what is never reached.

use aya_ebpf::programs::TcContext;
use aya_log_ebpf::info;
use dfaas_common::flow::Flow;

use super::skb::Skb;

/// Logs where a request goes: a backend number, or the codes of `choose` for 429 and 503.
#[inline(never)]
pub fn decision(skb: Skb, flow: *mut Flow, choice: u32) {
    let context = TcContext::new(skb.0);
    // SAFETY: map value.
    let (client, port, function) =
        unsafe { ((*flow).client.remote, (*flow).client.remote_port, (*flow).function) };
    // SAFETY: four words are sixteen bytes.
    let client: [u8; 16] = unsafe { core::mem::transmute(client) };
    info!(&context, "[{:i}]:{} function {} to backend {}", client, u16::from_be(port), function, choice);
}
