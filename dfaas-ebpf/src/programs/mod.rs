//! The entry points, and what they consist of.

mod atomic;
mod backend;
mod choose;
mod client;
mod count;
mod data_port;
mod deliver;
mod egress;
mod emit;
mod established;
mod family;
mod flows;
mod handshake;
mod ingress;
mod limits;
mod log;
mod maps;
mod reach;
mod read;
mod reject;
mod saved;
mod scratch;
mod skb;
mod sweep;

use aya_ebpf::macros::classifier;
use aya_ebpf::programs::TcContext;

use self::skb::{PASS, Skb};

/// Packets that come in.
#[classifier]
pub fn dfaas_ingress(context: TcContext) -> i32 {
    ingress::run(Skb::new(&context))
}

/// Packets that go out, those of the local gateway among them.
#[classifier]
pub fn dfaas_egress(context: TcContext) -> i32 {
    egress::run(Skb::new(&context))
}

/// Frees dead flows; never attached, the agent runs it once a second.
#[classifier]
pub fn dfaas_sweep(_context: TcContext) -> i32 {
    sweep::all();
    PASS
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// The kernel gives some helpers to GPL-compatible programs only.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
