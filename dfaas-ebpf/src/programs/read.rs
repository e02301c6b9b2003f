//! What the packet at hand is: link, network and transport header.

use dfaas_common::address::{Ends, is_ipv4, mapped};

use super::scratch::Scratch;
use super::skb::{ETHERNET, Skb, hook, now};

/// EtherTypes, as they stand in the packet.
pub mod ether {
    /// IPv4.
    pub const IPV4: u16 = 0x0800u16.to_be();
    /// IPv6.
    pub const IPV6: u16 = 0x86ddu16.to_be();
    /// IEEE 802.1Q, the tag of a VLAN.
    pub const VLAN: u16 = 0x8100u16.to_be();
    /// IEEE 802.1ad, the outer tag of two.
    pub const SERVICE_VLAN: u16 = 0x88a8u16.to_be();
}

/// Protocol number of TCP.
pub const TCP: u32 = 6;

/// A tag as flows keep it.
#[inline(always)]
const fn tag(ether_type: u16, control: u16) -> u32 {
    (ether_type as u32) << 16 | control as u32
}

#[inline(always)]
const fn is_tag(ether_type: u16) -> bool {
    ether_type == ether::VLAN || ether_type == ether::SERVICE_VLAN
}

/// Reads the Ethernet header: where the IP header is, and which family it says; `None` if it is neither, or has more
/// than two tags.
#[inline(always)]
fn link(skb: Skb, s: *mut Scratch) -> Option<u16> {
    // SAFETY: map value.
    unsafe {
        let frame = &mut (*s).frame;
        frame.tags = [0, 0];
        frame.inline = 0;
        frame.l3 = ETHERNET;
        // The outermost tag usually lies beside the data.
        let mut tags = 0;
        if let Some((kind, control)) = skb.tag() {
            frame.tags[0] = tag(kind, control);
            tags = 1;
        }
        let mut kind = 0u16;
        if !skb.load(ETHERNET - 2, (&raw mut kind).cast(), 2) {
            return None;
        }
        for _ in 0..2 {
            if !is_tag(kind) {
                break;
            }
            let mut next = [0u16; 2];
            if tags > 1 || !skb.load(frame.l3, next.as_mut_ptr().cast(), 4) {
                return None;
            }
            let here = tag(kind, u16::from_be(next[0]));
            if tags == 0 {
                frame.tags[0] = here;
            } else {
                frame.tags[1] = here;
            }
            tags += 1;
            frame.inline += 1;
            frame.l3 += 4;
            kind = next[1];
        }
        if kind == ether::IPV4 || kind == ether::IPV6 { Some(kind) } else { None }
    }
}

/// Reads the headers of the packet at hand; `false` if it is nothing that can be steered: another protocol, a fragment,
/// IP options or extension headers, IPv4 addresses in IPv6 clothes. Of an ICMP message it leaves protocol and length.
#[inline(never)]
pub fn read(skb: Skb, s: *mut Scratch, at: u32) -> bool {
    // SAFETY: map value.
    unsafe { (*s).frame.protocol = 0 };
    let Some(kind) = link(skb, s) else { return false };
    // SAFETY: map value.
    unsafe {
        let l3 = (*s).frame.l3;
        let f = &mut (*s).headers;
        let ends = &mut (*s).segment.ends;
        let (network, transport, following) = if kind == ether::IPV4 {
            if !skb.load(l3, f.as_mut_ptr().cast(), 40) {
                return false;
            }
            let (first, fragment) = (u32::from_be(f[0]), u32::from_be(f[1]));
            if first >> 24 != 0x45 || fragment & 0x3fff != 0 {
                return false;
            }
            ends.source = mapped(f[3]);
            ends.destination = mapped(f[4]);
            let total = first & 0xffff;
            // Length 0 stands in packets that are larger than 64 KB (BIG TCP).
            let following = if total == 0 { skb.length() - l3 - 20 } else { total.wrapping_sub(20) };
            f[16] = f[5];
            f[17] = f[6];
            f[18] = f[7];
            f[19] = f[8];
            (20, u32::from_be(f[2]) >> 16 & 0xff, following)
        } else {
            if !skb.load(l3, f.as_mut_ptr().cast(), 60) {
                return false;
            }
            if u32::from_be(f[0]) >> 28 != 6 {
                return false;
            }
            ends.source = [f[2], f[3], f[4], f[5]];
            ends.destination = [f[6], f[7], f[8], f[9]];
            if is_ipv4(&ends.source) || is_ipv4(&ends.destination) {
                // Mapped addresses stand for IPv4 in our tables; on a wire they have no business (RFC 4291, 2.5.5.2).
                return false;
            }
            let second = u32::from_be(f[1]);
            f[16] = f[10];
            f[17] = f[11];
            f[18] = f[12];
            f[19] = f[13];
            (40, second >> 8 & 0xff, second >> 16)
        };
        let l4 = l3 + network;
        (*s).frame.l4 = l4;
        (*s).frame.v6 = (network == 40) as u32;
        (*s).hook = at;
        if following < 20 || skb.length() < l4 || skb.length() - l4 < following {
            return false;
        }
        if transport != TCP {
            (*s).frame.protocol = transport;
            (*s).segment.header = 0;
            (*s).segment.payload = following;
            return false;
        }
        segment(s, following)
    }
}

/// Reads the fixed part of the TCP header, which lies behind the place of the largest IP header.
#[inline(always)]
fn segment(s: *mut Scratch, following: u32) -> bool {
    // SAFETY: map value.
    unsafe {
        let f = &(*s).headers;
        let control = u32::from_be(f[19]);
        let header = control >> 28 << 2;
        if header < 20 || following < header {
            return false;
        }
        let segment = &mut (*s).segment;
        segment.ends.source_port = f[16] as u16;
        segment.ends.destination_port = (f[16] >> 16) as u16;
        segment.sequence = u32::from_be(f[17]);
        segment.acknowledgment = u32::from_be(f[18]);
        segment.header = header;
        segment.payload = following - header;
        segment.flags = control >> 16 & 0xff;
        segment.window = control & 0xffff;
        let Ends { source, destination, source_port, destination_port } = segment.ends;
        let tuple = &mut segment.tuple;
        if (*s).hook == hook::INGRESS {
            (tuple.remote, tuple.local) = (source, destination);
            (tuple.remote_port, tuple.local_port) = (source_port, destination_port);
        } else {
            (tuple.local, tuple.remote) = (source, destination);
            (tuple.local_port, tuple.remote_port) = (source_port, destination_port);
        }
        (*s).now = now();
    }
    true
}
