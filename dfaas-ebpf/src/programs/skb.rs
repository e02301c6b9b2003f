//! The packet: thin wrappers round the helpers. Nothing here or elsewhere touches packet memory directly, so paged
//! and cloned buffers need no special care.

use core::ffi::c_void;
use core::mem::size_of;

use aya_ebpf::bindings::__sk_buff;
use aya_ebpf::bindings::{BPF_F_INGRESS, BPF_F_PSEUDO_HDR, BPF_F_RECOMPUTE_CSUM};
use aya_ebpf::helpers::generated as helper;
use aya_ebpf::programs::TcContext;
use dfaas_common::MARK;
use dfaas_common::address::{Ends, is_ipv4};
use dfaas_common::checksum::fold;
use dfaas_common::count::DropReason;

use super::count;
use super::maps::PROGRAMS;

/// Verdict: not ours, or done; the next program and then the stack see the packet (`TCX_NEXT`).
pub const PASS: i32 = -1;
/// Verdict: drop (`TCX_DROP`).
pub const DROP: i32 = 2;

/// From here on: the program with this number less this goes on ([`dfaas_common::steps`]).
const JUMP: i32 = 1000;

/// The verdict to go on with another program.
#[inline(always)]
pub const fn jump(step: u32) -> i32 {
    JUMP + step as i32
}

/// `PACKET_HOST` of the kernel: a packet for this host.
const PACKET_HOST: u32 = 0;

/// Bytes of an Ethernet header without tags.
pub const ETHERNET: u32 = 14;

/// Offset of the checksum in a TCP header.
const CHECKSUM: u32 = 16;
/// Offset of the checksum in an IPv4 header.
const IPV4_CHECKSUM: u32 = 10;

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

    /// Carries a verdict out: a jump does not return, unless the program is missing.
    #[inline(always)]
    pub fn verdict(self, verdict: i32) -> i32 {
        if verdict < JUMP {
            return verdict;
        }
        let context = TcContext::new(self.0);
        // SAFETY: the map holds programs of this type only.
        unsafe { PROGRAMS.tail_call(&context, (verdict - JUMP) as u32) };
        count::drop(DropReason::Internal)
    }

    /// EtherType (network byte order) and control information of the VLAN tag that lies beside the data.
    #[inline(always)]
    pub fn tag(self) -> Option<(u16, u16)> {
        // SAFETY: the context pointer is valid for the whole run.
        unsafe {
            if (*self.0).vlan_present == 0 {
                return None;
            }
            Some(((*self.0).vlan_proto as u16, (*self.0).vlan_tci as u16))
        }
    }

    /// Takes the outermost VLAN tag off.
    #[inline(always)]
    pub fn pop_tag(self) -> bool {
        // SAFETY: the context pointer is valid.
        unsafe { helper::bpf_skb_vlan_pop(self.0) == 0 }
    }

    /// Puts a VLAN tag outermost; as [`dfaas_common::flow::Flow::tags`] has it.
    #[inline(always)]
    pub fn push_tag(self, tag: u32) -> bool {
        // SAFETY: the context pointer is valid.
        unsafe { helper::bpf_skb_vlan_push(self.0, (tag >> 16) as u16, tag as u16) == 0 }
    }

    /// Makes room for an IP header of the other family, whose EtherType this is (network byte order). The header's
    /// bytes and the EtherType in the frame are the caller's.
    #[inline(always)]
    pub fn change_family(self, kind: u16) -> bool {
        // SAFETY: the context pointer is valid.
        unsafe { helper::bpf_skb_change_proto(self.0, kind, 0) == 0 }
    }

    /// Bytes of the frame.
    #[inline(always)]
    pub fn length(self) -> u32 {
        // SAFETY: as above.
        unsafe { (*self.0).len }
    }

    /// Bytes of payload in each of the segments that the packet is still to be divided into; 0: it is one.
    #[inline(always)]
    pub fn piece(self) -> u32 {
        // SAFETY: as above.
        unsafe { (*self.0).gso_size }
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

    /// Applies the difference of header words to the TCP checksum of the header at `l4`.
    #[inline(always)]
    pub fn update_checksum(self, l4: u32, difference: u64) {
        if difference != 0 {
            let by = fold(difference) as u64;
            // SAFETY: the helper checks the offset.
            unsafe { helper::bpf_l4_csum_replace(self.0.cast(), l4 + CHECKSUM, 0, by, 0) };
        }
    }

    /// Applies the difference of addresses to the TCP checksum of the header at `l4`, whose pseudo header has them.
    ///
    /// If a NIC has summed the packet, its sum follows: over IPv4 the change of the addresses is balanced by that of
    /// the header's own checksum; over IPv6 the addresses must have been stored with `store`.
    #[inline(always)]
    pub fn update_pseudo_header(self, l4: u32, difference: u64) {
        if difference != 0 {
            let by = fold(difference) as u64;
            // SAFETY: the helper checks the offset.
            unsafe {
                helper::bpf_l4_csum_replace(self.0.cast(), l4 + CHECKSUM, 0, by, BPF_F_PSEUDO_HDR as u64)
            };
        }
    }

    /// Applies the difference of addresses to the checksum of the IPv4 header at `l3`.
    #[inline(always)]
    pub fn update_ipv4_checksum(self, l3: u32, difference: u64) {
        if difference != 0 {
            let by = fold(difference) as u64;
            // SAFETY: the helper checks the offset.
            unsafe { helper::bpf_l3_csum_replace(self.0.cast(), l3 + IPV4_CHECKSUM, 0, by, 0) };
        }
    }

    /// Whether the TCP checksum of the header at `l4` is left to the device.
    #[inline(always)]
    pub fn partial(self, l4: u32) -> bool {
        self.partial_at(l4 + CHECKSUM)
    }

    /// Whether the checksum of the packet, which stands at `at`, is left to the device (`CHECKSUM_PARTIAL`): then a
    /// replacement that does not concern the pseudo header leaves the field alone.
    #[inline(always)]
    pub fn partial_at(self, at: u32) -> bool {
        let (mut before, mut after) = (0u16, 0u16);
        let size = size_of::<u16>() as u32;
        self.load(at, (&raw mut before).cast(), size);
        // SAFETY: the helper checks the offset.
        unsafe { helper::bpf_l4_csum_replace(self.0.cast(), at, 0, 0x1234, 0) };
        self.load(at, (&raw mut after).cast(), size);
        if before != after {
            // Put the very bytes back: the sum of the NIC was not touched by the replacement.
            self.store_balanced(at, (&raw const before).cast(), size);
        }
        before == after
    }

    /// Makes the frame this long.
    #[inline(always)]
    pub fn resize(self, length: u32) -> bool {
        // SAFETY: the helper checks the length.
        unsafe { helper::bpf_skb_change_tail(self.0.cast(), length, 0) == 0 }
    }

    /// Tells the sum that a NIC took over the whole packet of bytes that something inside the packet balances; without one
    /// there is nothing to tell.
    #[inline(always)]
    pub fn add_to_sum(self, sum: u32) {
        // SAFETY: the context pointer is valid.
        unsafe { helper::bpf_csum_update(self.0, sum) };
    }

    /// Exchanges source and destination hardware address.
    #[inline(always)]
    pub fn turn_hardware(self) {
        let mut old = [0u16; 6];
        self.load(0, old.as_mut_ptr().cast(), 12);
        let new = [old[3], old[4], old[5], old[0], old[1], old[2]];
        self.store_balanced(0, new.as_ptr().cast(), 12);
    }

    /// Writes the hardware addresses of an answer to the frame to `to`, which has room for six halves of words.
    #[inline(always)]
    pub fn turned_hardware(self, to: *mut u16) {
        let mut old = [0u16; 6];
        self.load(0, old.as_mut_ptr().cast(), 12);
        for i in 0..3 {
            // SAFETY: the verifier checks that `to` has room.
            unsafe {
                *to.add(i) = old[i + 3];
                *to.add(i + 3) = old[i];
            }
        }
    }

    /// Makes the packet one for this host. At the port of a bridge what is for the bridge counts as somebody else's, and `lo`
    /// would throw it away so.
    #[inline(always)]
    fn adopt(self) {
        // SAFETY: the context pointer is valid.
        unsafe {
            if (*self.0).pkt_type != PACKET_HOST {
                helper::bpf_skb_change_type(self.0, PACKET_HOST);
            }
        }
    }

    /// Sends the frame out of an interface as it is.
    #[inline(always)]
    pub fn transmit(self, interface: u32) -> i32 {
        self.adopt();
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

    /// State of the socket that owns or listens for the connection of a packet with these ends; `None` if there is
    /// none.
    #[inline(always)]
    pub fn socket_state(self, ends: &Ends) -> Option<u32> {
        // SAFETY: the tuple has as many bytes as said, in the form of `struct bpf_sock_tuple`; the reference is released
        // before return.
        unsafe {
            let socket = if is_ipv4(&ends.source) {
                let ports = ends.source_port as u32 | (ends.destination_port as u32) << 16;
                let mut tuple = [ends.source[3], ends.destination[3], ports];
                helper::bpf_skc_lookup_tcp(self.0.cast(), tuple.as_mut_ptr().cast(), 12, u64::MAX, 0)
            } else {
                let tuple = (&raw const *ends).cast_mut().cast();
                helper::bpf_skc_lookup_tcp(self.0.cast(), tuple, 36, u64::MAX, 0)
            };
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

/// The sum to add to a checksum when `old` becomes `new`, both `N` bytes, a multiple of four.
#[inline(always)]
pub fn difference<const N: u32>(old: *const u8, new: *const u8) -> u64 {
    // SAFETY: the verifier checks that both have that many bytes.
    unsafe { helper::bpf_csum_diff(old.cast_mut().cast(), N, new.cast_mut().cast(), N, 0) as u32 as u64 }
}
