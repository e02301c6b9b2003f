//! ICMP errors as packets: reading one, and building one in the place of the packet at hand.

use dfaas_common::address::{is_ipv4, mapped};
use dfaas_common::checksum::{fold, pseudo_header_icmp};
use dfaas_common::icmp::{HEADER, ICMP, ICMP_6, QUOTED, balance};

use super::family::renew;
use super::head;
use super::read::TCP;
use super::scratch::Scratch;
use super::skb::{Skb, sum};

/// Offset of the checksum in an ICMP header.
pub const CHECKSUM: u32 = 2;

/// Reads the ICMP message at hand, as far as it quotes a segment without IP options or extensions; `false` if it does not,
/// or is longer than what can be looked at. Its checksum is for [`intact`].
#[inline(never)]
pub fn read(skb: Skb, s: *mut Scratch) -> bool {
    // SAFETY: map values.
    unsafe {
        let length = head::look(skb, s);
        if length != (*s).segment.payload {
            return false;
        }
        let words = (&raw const (*s).look).cast::<u32>();
        let w = |at: usize| *words.add(at);
        let r = &mut (*s).report;
        let first = u32::from_be(w(0));
        (r.kind, r.code, r.mtu) = (first >> 24, first >> 16 & 0xff, u32::from_be(w(1)));
        let (ports, sequence) = if (*s).frame.v6 != 0 {
            let (start, second) = (u32::from_be(w(2)), u32::from_be(w(3)));
            if length < HEADER + 40 + QUOTED || start >> 28 != 6 || second >> 8 & 0xff != TCP {
                return false;
            }
            (r.length, r.hops) = (second >> 16, second & 0xff);
            r.quoted.source = [w(4), w(5), w(6), w(7)];
            r.quoted.destination = [w(8), w(9), w(10), w(11)];
            if is_ipv4(&r.quoted.source) || is_ipv4(&r.quoted.destination) {
                return false;
            }
            (w(12), w(13))
        } else {
            // Only the low half is the MTU (RFC 1191, 4).
            r.mtu &= 0xffff;
            let (start, fragment, third) = (u32::from_be(w(2)), u32::from_be(w(3)), u32::from_be(w(4)));
            if length < HEADER + 20 + QUOTED
                || start >> 24 != 0x45
                || fragment & 0x3fff != 0
                || third >> 16 & 0xff != TCP
            {
                return false;
            }
            (r.length, r.hops) = ((start & 0xffff).saturating_sub(20), third >> 24);
            r.quoted.source = mapped(w(5));
            r.quoted.destination = mapped(w(6));
            (w(7), w(8))
        };
        r.quoted.source_port = ports as u16;
        r.quoted.destination_port = (ports >> 16) as u16;
        r.sequence = u32::from_be(sequence);
    }
    true
}

/// Whether the checksum of the message that was read is right, or left to the device as `partial` says. What becomes of it
/// gets a new one.
#[inline(never)]
pub fn intact(s: *mut Scratch, partial: bool) -> bool {
    // SAFETY: map values.
    unsafe {
        let length = (*s).segment.payload;
        let message = head::checksum((&raw const (*s).look).cast(), length) as u64;
        let f = &(*s).headers;
        let pseudo = if (*s).frame.v6 != 0 {
            pseudo_header_icmp(&[f[2], f[3], f[4], f[5]], &[f[6], f[7], f[8], f[9]], length)
        } else {
            0
        };
        partial || fold(message + pseudo) == 0xffff
    }
}

/// Where the device that the packet at hand is for is to put a checksum, if it was told to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ordered {
    /// Nowhere: the packet has its own.
    Nothing,
    /// In the ICMP header.
    Icmp,
    /// Where a TCP header has it.
    Tcp,
}

/// Makes the packet at hand the ICMP error in `report`, from and to the addresses in `hop`. Hardware addresses stay. Of
/// the segment it quotes what every error does (RFC 792): no more is certain to be there, and no stack asks for more.
#[inline(never)]
pub fn emit(skb: Skb, s: *mut Scratch, ordered: Ordered) -> bool {
    // SAFETY: map values.
    unsafe {
        let v6 = !is_ipv4(&(*s).hop.source);
        let length = if v6 { HEADER + 40 + QUOTED } else { HEADER + 20 + QUOTED };
        if !renew(skb, s, if v6 { ICMP_6 } else { ICMP }, length) {
            return false;
        }
        let r = &(*s).report;
        let q = &r.quoted;
        let ports = q.source_port as u32 | (q.destination_port as u32) << 16;
        let f = &mut (*s).headers;
        f[0] = (r.kind << 24 | r.code << 16).to_be();
        f[1] = r.mtu.to_be();
        let message = f.as_ptr().cast::<u8>();
        let pseudo = if v6 {
            f[2] = (6u32 << 28).to_be();
            f[3] = ((r.length & 0xffff) << 16 | TCP << 8 | r.hops & 0xff).to_be();
            (f[4], f[5], f[6], f[7]) = (q.source[0], q.source[1], q.source[2], q.source[3]);
            let to = q.destination;
            (f[8], f[9], f[10], f[11]) = (to[0], to[1], to[2], to[3]);
            (f[12], f[13]) = (ports, r.sequence.to_be());
            pseudo_header_icmp(&(*s).hop.source, &(*s).hop.destination, length)
        } else {
            f[2] = (0x45 << 24 | (r.length + 20) & 0xffff).to_be();
            f[3] = 0x0000_4000u32.to_be(); // do not fragment
            f[4] = ((r.hops & 0xff) << 24 | TCP << 16).to_be();
            (f[5], f[6]) = (q.source[3], q.destination[3]);
            let check = fold(sum(message.add(8), 20, 0) as u64);
            f[4] |= (!check as u32) << 16; // the low half in network order is the high half in memory
            (f[7], f[8]) = (ports, r.sequence.to_be());
            0
        };
        let check = if ordered == Ordered::Icmp {
            fold(pseudo)
        } else {
            let whole = if v6 { sum(message, 56, 0) } else { sum(message, 36, 0) };
            !fold(pseudo + whole as u64)
        };
        f[0] |= (check as u32) << 16;
        let l4 = (*s).frame.l4;
        let stored = if v6 { skb.store(l4, message, 56) } else { skb.store(l4, message, 36) };
        stored && (ordered != Ordered::Tcp || settle(skb, s, v6, length))
    }
}

/// Lets the device put what is already there at the place where a TCP header has its checksum.
#[inline(always)]
fn settle(skb: Skb, s: *mut Scratch, v6: bool, length: u32) -> bool {
    // SAFETY: map values.
    unsafe {
        let f = &(*s).headers;
        let message = f.as_ptr().cast::<u8>();
        let whole = if v6 { sum(message, 56, 0) } else { sum(message, 36, 0) };
        let field = f[4] as u16; // 16 bytes behind the start
        let last = balance(whole as u64, field);
        let end = (*s).frame.l4 + length;
        field != 0 && field != 0xffff && skb.resize(end + 2) && skb.store(end, (&raw const last).cast(), 2)
    }
}
