//! ICMP errors as bytes, as tests write and read them.

use std::net::IpAddr;

use etherparse::{
    Icmpv4Header, Icmpv4Type, Icmpv6Header, Icmpv6Type, IpHeaders, Ipv4HeaderSlice, Ipv6HeaderSlice,
    NetHeaders, PacketHeaders, PayloadSlice, TransportHeader, ip_number,
};

use crate::frame::{ETHERNET, frame, network};
use crate::segment::{End, NODE, OUTSIDE, Segment};
use crate::world::Family;

/// An ICMP error. Equality is that of all fields; checksums are made and checked, not compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub from: IpAddr,
    pub to: IpAddr,
    /// Type and code.
    pub kind: (u8, u8),
    /// The second word of the header: the MTU, if there is one.
    pub mtu: u32,
    /// Ends of the quoted segment.
    pub ends: (End, End),
    /// Its sequence number.
    pub sequence: u32,
    /// Bytes of its TCP header and payload, as its IP header has them.
    pub length: usize,
}

/// A router on the way.
pub fn router(family: Family) -> IpAddr {
    match family {
        Family::V4 => IpAddr::from([192, 0, 2, 254]),
        Family::V6 => "2001:db8:2::fe".parse().expect("an address"),
    }
}

/// What a router says of a packet: in the words of its family.
pub fn too_big(family: Family) -> (u8, u8) {
    match family {
        Family::V4 => (3, 4),
        Family::V6 => (2, 0),
    }
}

/// No way to a host.
pub fn no_host(family: Family) -> (u8, u8) {
    match family {
        Family::V4 => (3, 1),
        Family::V6 => (1, 0),
    }
}

/// The frame of what a router says of a segment, quoting `bytes` of its TCP header and payload.
pub fn error(about: &Segment, kind: (u8, u8), mtu: u32, bytes: usize) -> Vec<u8> {
    let family = Family::of(about.from.0);
    let packet = &about.bytes()[ETHERNET + 4 * about.tags.len()..];
    let ip = about.tcp_at() - ETHERNET - 4 * about.tags.len();
    let quoted = &packet[..packet.len().min(ip + bytes)];
    message(router(family), about.from.0, kind, mtu, quoted)
}

/// A frame with any message.
pub fn message(from: IpAddr, to: IpAddr, kind: (u8, u8), second: u32, quoted: &[u8]) -> Vec<u8> {
    let mut ip = network((from, 0), (to, 0));
    let bytes5to8 = second.to_be_bytes();
    let length = 8 + quoted.len();
    let (header, family) = match &mut ip {
        IpHeaders::Ipv4(ip, _) => {
            ip.protocol = ip_number::ICMP;
            ip.set_payload_len(length).expect("it fits");
            ip.header_checksum = ip.calc_header_checksum();
            let unknown = Icmpv4Type::Unknown { type_u8: kind.0, code_u8: kind.1, bytes5to8 };
            (Icmpv4Header::with_checksum(unknown, quoted).to_bytes().to_vec(), Family::V4)
        }
        IpHeaders::Ipv6(ip, _) => {
            ip.next_header = ip_number::IPV6_ICMP;
            ip.set_payload_length(length).expect("it fits");
            let unknown = Icmpv6Type::Unknown { type_u8: kind.0, code_u8: kind.1, bytes5to8 };
            let header = Icmpv6Header::with_checksum(unknown, ip.source, ip.destination, quoted);
            (header.expect("it fits").to_bytes().to_vec(), Family::V6)
        }
    };
    let mut packet = Vec::new();
    ip.write(&mut packet).expect("writing to memory works");
    packet.extend(header);
    packet.extend(quoted);
    frame((OUTSIDE, NODE), &[], family, &packet)
}

impl Error {
    /// Reads a frame; panics if it is no ICMP error about a TCP segment or one of its checksums is wrong.
    pub fn read(frame: &[u8]) -> Self {
        let headers = PacketHeaders::from_ethernet_slice(frame).expect("a readable packet");
        let (from, to): (IpAddr, IpAddr) = match &headers.net {
            Some(NetHeaders::Ipv4(ip, _)) => {
                assert_eq!(ip.header_checksum, ip.calc_header_checksum(), "IPv4 checksum");
                (ip.source.into(), ip.destination.into())
            }
            Some(NetHeaders::Ipv6(ip, _)) => (ip.source.into(), ip.destination.into()),
            _ => panic!("no IP header"),
        };
        let (kind, second, quoted) = match (headers.transport, headers.payload) {
            (Some(TransportHeader::Icmpv4(icmp)), PayloadSlice::Icmpv4(quoted)) => {
                assert_eq!(icmp.checksum, icmp.icmp_type.calc_checksum(quoted), "ICMP checksum");
                let bytes = icmp.to_bytes();
                ((bytes[0], bytes[1]), [bytes[4], bytes[5], bytes[6], bytes[7]], quoted)
            }
            (Some(TransportHeader::Icmpv6(icmp)), PayloadSlice::Icmpv6(quoted)) => {
                let (IpAddr::V6(a), IpAddr::V6(b)) = (from, to) else { panic!("ICMPv6 over IPv4") };
                let right = icmp.icmp_type.calc_checksum(a.octets(), b.octets(), quoted);
                assert_eq!(icmp.checksum, right.expect("it fits"), "ICMPv6 checksum");
                let bytes = icmp.to_bytes();
                ((bytes[0], bytes[1]), [bytes[4], bytes[5], bytes[6], bytes[7]], quoted)
            }
            other => panic!("no ICMP message: {other:?}"),
        };
        let (source, destination, tcp, length): (IpAddr, IpAddr, &[u8], usize) = if quoted[0] >> 4 == 4 {
            let ip = Ipv4HeaderSlice::from_slice(quoted).expect("a quoted header");
            let header = ip.to_header();
            assert_eq!(header.header_checksum, header.calc_header_checksum(), "quoted IPv4 checksum");
            assert_eq!((header.protocol, header.dont_fragment), (ip_number::TCP, true));
            let length = usize::from(header.total_len) - 20;
            (ip.source_addr().into(), ip.destination_addr().into(), &quoted[20..], length)
        } else {
            let ip = Ipv6HeaderSlice::from_slice(quoted).expect("a quoted header");
            assert_eq!(ip.next_header(), ip_number::TCP);
            let length = ip.payload_length().into();
            (ip.source_addr().into(), ip.destination_addr().into(), &quoted[40..], length)
        };
        let port = |at: usize| u16::from_be_bytes([tcp[at], tcp[at + 1]]);
        Self {
            from,
            to,
            kind,
            mtu: u32::from_be_bytes(second),
            ends: ((source, port(0)), (destination, port(2))),
            sequence: u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]]),
            length,
        }
    }
}
