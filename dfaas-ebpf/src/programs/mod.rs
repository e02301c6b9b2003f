//! The entry points, and what they consist of.

mod atomic;
mod backend;
mod boundary;
mod choose;
mod client;
mod connect;
mod count;
mod cut;
mod data_port;
mod deliver;
mod egress;
mod emit;
mod established;
mod family;
mod flows;
mod forwarded;
mod handshake;
mod head;
mod icmp;
mod icmp_error;
mod ingress;
mod leg;
mod limits;
mod log;
mod maps;
mod native;
mod packet;
mod path;
mod reach;
mod read;
mod reject;
mod report;
mod request;
mod resend;
mod response;
mod saved;
mod scratch;
mod skb;
mod sweep;
mod too_big;
mod xdp;

use aya_ebpf::macros::{classifier, xdp};
use aya_ebpf::programs::{TcContext, XdpContext};

use dfaas_common::config::Config;

use self::maps::{CONFIG, SCRATCH};
use self::scratch::Scratch;
use self::skb::{PASS, Skb};
use self::xdp::Raw;

/// Packets that come in.
#[classifier]
pub fn dfaas_ingress(context: TcContext) -> i32 {
    let skb = Skb::new(&context);
    skb.verdict(ingress::run(skb))
}

/// Packets that go out, those of the local gateway among them.
#[classifier]
pub fn dfaas_egress(context: TcContext) -> i32 {
    let skb = Skb::new(&context);
    skb.verdict(egress::run(skb))
}

/// Frames that come in, before the kernel makes packets of them.
#[xdp(frags)]
pub fn dfaas_xdp(context: XdpContext) -> u32 {
    xdp::run(Raw(context.ctx), xdp::transmit)
}

/// The same for virtual pairs of interfaces.
#[xdp(frags)]
pub fn dfaas_xdp_pair(context: XdpContext) -> u32 {
    xdp::run(Raw(context.ctx), xdp::redirect)
}

/// A step of [`dfaas_common::steps`], with what the entry program left in working memory.
#[inline(always)]
fn step(context: &TcContext, run: impl FnOnce(Skb, *mut Scratch, &Config) -> i32) -> i32 {
    let (Some(s), Some(config)) = (SCRATCH.get_ptr_mut(0), CONFIG.get(0)) else { return PASS };
    let skb = Skb::new(context);
    skb.verdict(run(skb, s, config))
}

/// The first data of a connection.
#[classifier]
pub fn dfaas_first(context: TcContext) -> i32 {
    step(&context, client::first)
}

/// A backend that refused or kept silent.
#[classifier]
pub fn dfaas_next(context: TcContext) -> i32 {
    step(&context, |skb, s, _| backend::next(skb, s))
}

/// A request on a connection that has a backend.
#[classifier]
pub fn dfaas_request(context: TcContext) -> i32 {
    step(&context, request::run)
}

/// An answer, or a line between its chunks.
#[classifier]
pub fn dfaas_response(context: TcContext) -> i32 {
    step(&context, |skb, s, _| response::run(skb, s))
}

/// A packet to the data port that belongs to no connection.
#[classifier]
pub fn dfaas_peer(context: TcContext) -> i32 {
    step(&context, data_port::stranger)
}

/// The first segment of a leg, once more, with a line to be inserted.
#[classifier]
pub fn dfaas_resend(context: TcContext) -> i32 {
    step(&context, |skb, s, _| resend::run(skb, s))
}

/// The end of one request together with the start of the next.
#[classifier]
pub fn dfaas_cut(context: TcContext) -> i32 {
    step(&context, |skb, s, _| cut::run(skb, s))
}

/// An ICMP message.
#[classifier]
pub fn dfaas_icmp(context: TcContext) -> i32 {
    step(&context, |skb, s, _| icmp::run(skb, s))
}

/// A segment of a client that is too large for the way to its backend.
#[classifier]
pub fn dfaas_too_big(context: TcContext) -> i32 {
    step(&context, |skb, s, _| too_big::run(skb, s))
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
