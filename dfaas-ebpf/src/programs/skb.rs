//! The packet: thin wrappers round the helpers. Nothing here or elsewhere touches packet memory directly, so paged
//! and cloned buffers need no special care.

use core::ffi::c_void;
use core::mem::size_of;

use aya_ebpf::bindings::__sk_buff;
use aya_ebpf::bindings::{BPF_F_INGRESS, BPF_F_PSEUDO_HDR, BPF_F_RECOMPUTE_CSUM};
use aya_ebpf::helpers::generated as helper;
use aya_ebpf::programs::TcContext;
use dfaas_common::MARK;
use dfaas_common::checksum::fold;

/// Verdict: not ours, or done; the next program and then the stack see the packet (`TCX_NEXT`).
pub const PASS: i32 = -1;
/// Verdict: drop (`TCX_DROP`).
pub const DROP: i32 = 2;

/// Offset of the IPv4 header.
pub const L3: u32 = 14;
/// Offset of the TCP header.
pub const L4: u32 = L3 + 20;
/// Offset of the TCP checksum.
const L4_CHECKSUM: u32 = L4 + 16;
/// Offset of the IPv4 checksum.
const L3_CHECKSUM: u32 = L3 + 10;

/// Which hook a run is in.
pub mod hook {
    /// Ingress.
    pub const INGRESS: u32 = 0;
    /// Egress.
    pub const EGRESS: u32 = 1;
}

/// A packet.
#[derive(Clone, Copy)]
pub struct Skb(pub *mut __sk_buff);

impl Skb {
    #[inline(always)]
    pub fn new(context: &TcContext) -> Self {
        Self(context.skb.skb)
    }

    /// `ETH_P_*`, network byte order.
    #[inline(always)]
    pub fn protocol(self) -> u32 {
        // SAFETY: the context pointer is valid for the whole run.
        unsafe { (*self.0).protocol }
    }

    /// Whether the frame carries a VLAN tag beside its data.
    #[inline(always)]
    pub fn tagged(self) -> bool {
        // SAFETY: as above.
        unsafe { (*self.0).vlan_present != 0 }
    }

    /// Bytes of the frame.
    #[inline(always)]
    pub fn length(self) -> u32 {
        // SAFETY: as above.
        unsafe { (*self.0).len }
    }

    /// Interface at hand.
    #[inline(always)]
    pub fn interface(self) -> u32 {
        // SAFETY: as above.
        unsafe { (*self.0).ifindex }
    }

    /// Whether one of our programs has sent it on.
    #[inline(always)]
    pub fn marked(self) -> bool {
        // SAFETY: as above.
        unsafe { (*self.0).mark == MARK }
    }

    #[inline(always)]
    pub fn set_mark(self, mark: u32) {
        // SAFETY: as above.
        unsafe { (*self.0).mark = mark };
    }

    /// Copies `length` bytes at `offset` of the frame to `to`; whether they were there.
    #[inline(always)]
    pub fn load(self, offset: u32, to: *mut u8, length: u32) -> bool {
        // SAFETY: the verifier checks that `to` has room for `length` bytes.
        unsafe { helper::bpf_skb_load_bytes(self.0.cast(), offset, to.cast(), length) == 0 }
    }

    /// Copies bytes into the frame. The sum that a NIC took over the whole packet stays right.
    #[inline(always)]
    pub fn store(self, offset: u32, from: *const u8, length: u32) -> bool {
        let flags = BPF_F_RECOMPUTE_CSUM as u64;
        // SAFETY: the verifier checks that `from` has `length` bytes; the helper only reads them.
        unsafe {
            helper::bpf_skb_store_bytes(self.0.cast(), offset, from.cast_mut().cast(), length, flags) == 0
        }
    }

    /// As `store`, for bytes whose change is balanced by a change of a checksum inside the packet.
    #[inline(always)]
    pub fn store_balanced(self, offset: u32, from: *const u8, length: u32) -> bool {
        // SAFETY: as above.
        unsafe { helper::bpf_skb_store_bytes(self.0.cast(), offset, from.cast_mut().cast(), length, 0) == 0 }
    }

    /// Applies the difference of header words to the TCP checksum.
    #[inline(always)]
    pub fn update_checksum(self, difference: u64) {
        if difference != 0 {
            // SAFETY: the helper checks the offset.
            unsafe { helper::bpf_l4_csum_replace(self.0.cast(), L4_CHECKSUM, 0, fold(difference) as u64, 0) };
        }
    }

    /// Applies the difference of addresses to the TCP checksum, whose pseudo header has them, and to that of IPv4.
    #[inline(always)]
    pub fn update_addresses(self, difference: u64) {
        if difference != 0 {
            let by = fold(difference) as u64;
            // SAFETY: the helpers check the offsets.
            unsafe {
                helper::bpf_l4_csum_replace(self.0.cast(), L4_CHECKSUM, 0, by, BPF_F_PSEUDO_HDR as u64);
                helper::bpf_l3_csum_replace(self.0.cast(), L3_CHECKSUM, 0, by, 0);
            }
        }
    }

    /// Whether the TCP checksum is left to the device (`CHECKSUM_PARTIAL`): then a replacement that does not concern
    /// the pseudo header leaves the field alone.
    #[inline(always)]
    pub fn partial(self) -> bool {
        let (mut before, mut after) = (0u16, 0u16);
        let size = size_of::<u16>() as u32;
        self.load(L4_CHECKSUM, (&raw mut before).cast(), size);
        // SAFETY: the helper checks the offset.
        unsafe { helper::bpf_l4_csum_replace(self.0.cast(), L4_CHECKSUM, 0, 0x1234, 0) };
        self.load(L4_CHECKSUM, (&raw mut after).cast(), size);
        if before != after {
            // Put the very bytes back: the sum of the NIC was not touched by the replacement.
            self.store_balanced(L4_CHECKSUM, (&raw const before).cast(), size);
        }
        before == after
    }

    /// Makes the frame this long.
    #[inline(always)]
    pub fn resize(self, length: u32) -> bool {
        // SAFETY: the helper checks the length.
        unsafe { helper::bpf_skb_change_tail(self.0.cast(), length, 0) == 0 }
    }

    /// Exchanges source and destination hardware address.
    #[inline(always)]
    pub fn turn_hardware(self) {
        let mut old = [0u16; 6];
        self.load(0, old.as_mut_ptr().cast(), 12);
        let new = [old[3], old[4], old[5], old[0], old[1], old[2]];
        self.store_balanced(0, new.as_ptr().cast(), 12);
    }

    /// Sends the frame out of an interface as it is.
    #[inline(always)]
    pub fn transmit(self, interface: u32) -> i32 {
        self.set_mark(MARK);
        // SAFETY: no memory is passed.
        unsafe { helper::bpf_redirect(interface, 0) as i32 }
    }

    /// Lets the frame come in at an interface.
    #[inline(always)]
    pub fn inject(self, interface: u32) -> i32 {
        self.set_mark(MARK);
        // SAFETY: no memory is passed.
        unsafe { helper::bpf_redirect(interface, BPF_F_INGRESS as u64) as i32 }
    }

    /// A copy of the frame comes in at an interface; the frame stays.
    #[inline(always)]
    pub fn inject_copy(self, interface: u32) {
        self.set_mark(MARK);
        // SAFETY: the context pointer is valid.
        unsafe { helper::bpf_clone_redirect(self.0, interface, BPF_F_INGRESS as u64) };
        self.set_mark(0);
    }

    /// Routes the packet out of an interface: next hop and its hardware address are found by the kernel.
    #[inline(always)]
    pub fn route(self, interface: u32) -> i32 {
        self.set_mark(MARK);
        // SAFETY: no parameters are passed, so the helper looks the next hop up.
        unsafe { helper::bpf_redirect_neigh(interface, core::ptr::null_mut(), 0, 0) as i32 }
    }

    /// A copy of the packet is sent out of an interface as it is; the frame stays.
    #[inline(always)]
    pub fn transmit_copy(self, interface: u32) {
        self.set_mark(MARK);
        // SAFETY: the context pointer is valid.
        unsafe { helper::bpf_clone_redirect(self.0, interface, 0) };
        self.set_mark(0);
    }

    /// State of the socket that owns or listens for this connection; `None` if there is none.
    #[inline(always)]
    pub fn socket_state(self, source: u32, destination: u32, ports: (u16, u16)) -> Option<u32> {
        // struct bpf_sock_tuple, the IPv4 arm: source, destination, source port, destination port.
        let mut tuple = [source, destination, ports.0 as u32 | (ports.1 as u32) << 16];
        // SAFETY: the tuple has 12 bytes; the reference is released before return.
        unsafe {
            let socket =
                helper::bpf_skc_lookup_tcp(self.0.cast(), tuple.as_mut_ptr().cast(), 12, u64::MAX, 0);
            if socket.is_null() {
                return None;
            }
            let state = (*socket).state;
            helper::bpf_sk_release(socket.cast::<c_void>());
            Some(state)
        }
    }
}

/// `TCP_LISTEN` of the kernel.
pub const TCP_LISTEN: u32 = 10;
/// `TCP_TIME_WAIT` of the kernel.
pub const TCP_TIME_WAIT: u32 = 6;

/// Monotonic time, ns.
#[inline(always)]
pub fn now() -> u64 {
    // SAFETY: no arguments.
    unsafe { helper::bpf_ktime_get_ns() }
}

/// The node's clock for TCP timestamps, ms.
#[inline(always)]
pub fn clock(now: u64) -> u32 {
    (now / 1_000_000) as u32
}

/// One's complement sum of memory; `length` a multiple of four, at most 512 (the kernel's limit before 6.13).
#[inline(always)]
pub fn sum(from: *const u8, length: u32, seed: u32) -> u32 {
    // SAFETY: the verifier checks that `from` has `length` bytes.
    unsafe { helper::bpf_csum_diff(core::ptr::null_mut(), 0, from.cast_mut().cast(), length, seed) as u32 }
}

/// The sum to add to a checksum when `old` becomes `new`, both 64 bytes.
#[inline(always)]
pub fn difference(old: *const u8, new: *const u8) -> u64 {
    // SAFETY: the verifier checks that both have 64 bytes.
    unsafe { helper::bpf_csum_diff(old.cast_mut().cast(), 64, new.cast_mut().cast(), 64, 0) as u32 as u64 }
}
