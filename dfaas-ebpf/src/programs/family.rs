//! Giving the packet at hand other addresses, also those of the other IP family, and other VLAN tags.
//!
//! A NIC may have summed the whole packet (`CHECKSUM_COMPLETE`): what is stored without a checksum inside the packet
//! that balances it must be stored with `Skb::store`, which keeps that sum right.

use dfaas_common::address::is_ipv4;
use dfaas_common::checksum::fold;

use super::read::{TCP, ether};
use super::scratch::Scratch;
use super::skb::{ETHERNET, Skb, difference, sum};

/// What of an IP header outlives a change of family.
struct Header {
    /// What follows.
    protocol: u32,
    /// Traffic class, or type of service with its ECN bits.
    class: u32,
    /// Hop limit, or time to live.
    hops: u32,
}

/// Time to live of segments that are made here.
pub const HOPS: u32 = 64;

/// Writes an IP header with these ends for `length` bytes behind it.
#[inline(always)]
fn put_header(skb: Skb, s: *mut Scratch, header: &Header, length: u32) -> bool {
    // SAFETY: map value.
    unsafe {
        let l3 = (*s).frame.l3;
        let ends = (*s).hop;
        let f = &mut (*s).headers;
        if (*s).frame.v6 != 0 {
            f[0] = (6 << 28 | header.class << 20).to_be();
            f[1] = (length << 16 | header.protocol << 8 | header.hops).to_be();
            (f[2], f[3], f[4], f[5]) = (ends.source[0], ends.source[1], ends.source[2], ends.source[3]);
            let to = ends.destination;
            (f[6], f[7], f[8], f[9]) = (to[0], to[1], to[2], to[3]);
            return skb.store(l3, f.as_ptr().cast(), 40);
        }
        // Length 0 stands in packets that are larger than 64 KB (BIG TCP).
        let total = if length > 65_515 { 0 } else { 20 + length };
        f[0] = (0x45 << 24 | header.class << 16 | total).to_be();
        f[1] = 0x0000_4000u32.to_be(); // do not fragment
        f[2] = (header.hops << 24 | header.protocol << 16).to_be();
        f[3] = ends.source[3];
        f[4] = ends.destination[3];
        let check = fold(sum(f.as_ptr().cast(), 20, 0) as u64);
        f[2] |= (!check as u32) << 16; // the low half in network order is the high half in memory
        skb.store(l3, f.as_ptr().cast(), 20)
    }
}

/// Makes room for an IP header of the family of the ends in `hop`, which it has not yet; tags leave the data.
#[inline(always)]
fn change(skb: Skb, s: *mut Scratch) -> bool {
    // SAFETY: map value.
    unsafe {
        if (*s).frame.inline != 0 && !untag(skb, s) {
            return false;
        }
        let v6 = (*s).frame.v6 == 0;
        let kind = if v6 { ether::IPV6 } else { ether::IPV4 };
        if !skb.change_family(kind) || !skb.store(ETHERNET - 2, (&raw const kind).cast(), 2) {
            return false;
        }
        (*s).frame.v6 = v6 as u32;
        (*s).frame.l4 = (*s).frame.l3 + if v6 { 40 } else { 20 };
    }
    true
}

/// Whether the ends in `hop` are of another family than the packet at hand.
#[inline(always)]
fn differs(s: *mut Scratch) -> bool {
    // SAFETY: map value.
    unsafe { is_ipv4(&(*s).hop.source) == ((*s).frame.v6 != 0) }
}

/// Writes a whole new IP header with the ends in `hop`, for `length` bytes of this protocol behind it; the packet gets
/// that length.
#[inline(always)]
pub fn renew(skb: Skb, s: *mut Scratch, protocol: u32, length: u32) -> bool {
    if differs(s) && !change(skb, s) {
        return false;
    }
    // SAFETY: map value.
    let l4 = unsafe { (*s).frame.l4 };
    skb.resize(l4 + length) && put_header(skb, s, &Header { protocol, class: 0, hops: HOPS }, length)
}

/// Gives a packet, otherwise complete, the addresses in `hop`, and brings its checksums along.
#[inline(never)]
pub fn readdress(skb: Skb, s: *mut Scratch) -> bool {
    // SAFETY: map value.
    unsafe {
        // The words that mapped addresses share fall out of the difference.
        let by = difference::<32>((&raw const (*s).segment.ends).cast(), (&raw const (*s).hop).cast());
        let l3 = (*s).frame.l3;
        let stored = if differs(s) {
            let mut old = [0u32; 3];
            if !skb.load(l3, old.as_mut_ptr().cast(), 12) {
                return false;
            }
            let (first, second, third) = (u32::from_be(old[0]), u32::from_be(old[1]), u32::from_be(old[2]));
            let header = if (*s).frame.v6 != 0 {
                Header { protocol: TCP, class: first >> 20 & 0xff, hops: second & 0xff }
            } else {
                Header { protocol: TCP, class: first >> 16 & 0xff, hops: third >> 24 }
            };
            let length = (*s).segment.header + (*s).segment.payload;
            change(skb, s) && put_header(skb, s, &header, length)
        } else if (*s).frame.v6 != 0 {
            skb.store(l3 + 8, (&raw const (*s).hop).cast(), 32)
        } else {
            let new = [(*s).hop.source[3], (*s).hop.destination[3]];
            let stored = skb.store_balanced(l3 + 12, new.as_ptr().cast(), 8);
            skb.update_ipv4_checksum(l3, by);
            stored
        };
        skb.update_pseudo_header((*s).frame.l4, by);
        stored
    }
}

/// Takes all VLAN tags off.
#[inline(always)]
fn untag(skb: Skb, s: *mut Scratch) -> bool {
    // SAFETY: map value.
    unsafe {
        for tag in (*s).frame.tags {
            if tag != 0 && !skb.pop_tag() {
                return false;
            }
        }
        let frame = &mut (*s).frame;
        frame.tags = [0, 0];
        frame.l4 -= 4 * frame.inline;
        frame.l3 -= 4 * frame.inline;
        frame.inline = 0;
    }
    true
}

/// Gives the packet at hand these VLAN tags in the place of its own.
#[inline(never)]
pub fn retag(skb: Skb, s: *mut Scratch, tags: &[u32; 2]) -> bool {
    // SAFETY: map value.
    unsafe {
        if (*s).frame.tags[0] == tags[0] && (*s).frame.tags[1] == tags[1] {
            return true;
        }
        if !untag(skb, s) || (tags[1] != 0 && !skb.push_tag(tags[1])) {
            return false;
        }
        let frame = &mut (*s).frame;
        if tags[1] != 0 {
            // The outer tag goes beside the data, where the inner one was.
            frame.inline = 1;
            frame.l3 += 4;
            frame.l4 += 4;
        }
        frame.tags = *tags;
    }
    tags[0] == 0 || skb.push_tag(tags[0])
}
