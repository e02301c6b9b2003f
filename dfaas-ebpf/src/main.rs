#![no_std]
#![no_main]
//! The kernel programs.

use aya_ebpf::{macros::classifier, programs::TcContext};

/// Ingress.
#[classifier]
pub fn dfaas_ingress(_ctx: TcContext) -> i32 {
    0
}

#[cfg(not(test))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
