//! What reading a packet, and building another in its place, take of the hook that it is in.

use core::ffi::c_void;

use aya_ebpf::helpers::generated as helper;
use dfaas_common::address::{Ends, is_ipv4};

/// A packet at a hook.
pub trait Packet: Copy {
    /// The context that helpers take.
    fn context(self) -> *mut c_void;

    /// Bytes of the frame.
    fn length(self) -> u32;

    /// EtherType (network byte order) and control information of the VLAN tag that lies beside the data.
    fn tag(self) -> Option<(u16, u16)>;

    /// Copies `length` bytes at `offset` of the frame to `to`; whether they were there.
    fn load(self, offset: u32, to: *mut u8, length: u32) -> bool;

    /// Copies bytes into the frame; whether they fit it.
    fn store(self, offset: u32, from: *const u8, length: u32) -> bool;

    /// As `store`, for bytes that change no sum over the packet.
    fn store_balanced(self, offset: u32, from: *const u8, length: u32) -> bool;

    /// Makes the frame this long; if that cannot be, it is as before.
    fn resize(self, length: u32) -> bool;

    /// Exchanges source and destination hardware address.
    #[inline(always)]
    fn turn_hardware(self) -> bool {
        let mut old = [0u16; 6];
        self.load(0, old.as_mut_ptr().cast(), 12);
        let new = [old[3], old[4], old[5], old[0], old[1], old[2]];
        self.store_balanced(0, new.as_ptr().cast(), 12)
    }

    /// State of the socket that owns or listens for the connection of a packet with these ends; `None` if there is
    /// none.
    #[inline(always)]
    fn socket_state(self, ends: &Ends) -> Option<u32> {
        // SAFETY: the tuple has as many bytes as said, in the form of `struct bpf_sock_tuple`; the reference is released
        // before return.
        unsafe {
            let socket = if is_ipv4(&ends.source) {
                let ports = ends.source_port as u32 | (ends.destination_port as u32) << 16;
                let mut tuple = [ends.source[3], ends.destination[3], ports];
                helper::bpf_skc_lookup_tcp(self.context(), tuple.as_mut_ptr().cast(), 12, u64::MAX, 0)
            } else {
                let tuple = (&raw const *ends).cast_mut().cast();
                helper::bpf_skc_lookup_tcp(self.context(), tuple, 36, u64::MAX, 0)
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
