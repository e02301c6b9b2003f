//! Segments as bytes: Ethernet, VLAN tags, IP of both families, TCP.

use std::net::IpAddr;

use dfaas_common::translate::flag;
use etherparse::{
    EtherType, IpDscp, IpEcn, IpHeaders, Ipv4Header, Ipv6Header, NetHeaders, PacketBuilder, PacketHeaders,
    PayloadSlice, TcpHeader, TransportHeader, ether_type,
};

use crate::segment::{CWR, ECE, End, Segment, Tag, URG};
use crate::world::Family;

const IPV4: u16 = ether_type::IPV4.0;
const IPV6: u16 = ether_type::IPV6.0;
const VLAN: u16 = ether_type::VLAN_TAGGED_FRAME.0;
const SERVICE_VLAN: u16 = ether_type::PROVIDER_BRIDGING.0;

/// Bytes of an Ethernet header without tags.
pub const ETHERNET: usize = 14;
/// The shortest frame on a wire, without its check sequence.
const SHORTEST: usize = 60;
/// Bytes behind the packet of a frame that is not short, as some network cards leave them there.
const TRAILER: usize = 6;

impl Tag {
    /// The tag of a VLAN, with a priority.
    pub const fn vlan(number: u16) -> Self {
        Self { kind: VLAN, control: 5 << 13 | number }
    }

    /// The outer one of two.
    pub const fn service(number: u16) -> Self {
        Self { kind: SERVICE_VLAN, control: 3 << 13 | number }
    }
}

/// The IP header between two ends of the same family, without extensions.
pub fn network(from: End, to: End) -> IpHeaders {
    match (from.0, to.0) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let header =
                Ipv4Header::new(0, 64, etherparse::ip_number::TCP, source.octets(), destination.octets());
            IpHeaders::Ipv4(header.expect("a length of zero fits"), Default::default())
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let header = Ipv6Header {
                hop_limit: 64,
                source: source.octets(),
                destination: destination.octets(),
                ..Ipv6Header::default()
            };
            IpHeaders::Ipv6(header, Default::default())
        }
        _ => panic!("no packet goes from {from:?} to {to:?}"),
    }
}

/// The frame that carries a packet of this family behind these tags.
pub fn frame(hardware: ([u8; 6], [u8; 6]), tags: &[Tag], family: Family, packet: &[u8]) -> Vec<u8> {
    let mut bytes = [hardware.1, hardware.0].concat();
    for tag in tags {
        bytes.extend(tag.kind.to_be_bytes());
        bytes.extend(tag.control.to_be_bytes());
    }
    let kind = match family {
        Family::V4 => IPV4,
        Family::V6 => IPV6,
    };
    bytes.extend(kind.to_be_bytes());
    bytes.extend(packet);
    bytes
}

/// Appends to a frame what must not be taken for data: up to the shortest that a wire carries, or a few bytes.
pub fn padded(mut frame: Vec<u8>) -> Vec<u8> {
    let length = if frame.len() < SHORTEST { SHORTEST } else { frame.len() + TRAILER };
    frame.resize(length, 0xa5);
    frame
}

impl Segment {
    /// Where in the frame the TCP header is.
    pub fn tcp_at(&self) -> usize {
        let ip = match Family::of(self.from.0) {
            Family::V4 => 20,
            Family::V6 => 40,
        };
        ETHERNET + 4 * self.tags.len() + ip
    }

    /// Bytes of TCP header and payload.
    pub fn tcp_length(&self) -> usize {
        20 + self.options.len() + self.payload.len()
    }

    /// Bytes of the frame.
    pub fn length(&self) -> usize {
        self.tcp_at() + self.tcp_length()
    }

    /// The TCP header, its checksum not filled in.
    pub fn tcp(&self) -> TcpHeader {
        let mut tcp = TcpHeader::new(self.from.1, self.to.1, self.sequence, self.window);
        tcp.acknowledgment_number = self.acknowledgment;
        for (bit, set) in flags(&mut tcp) {
            *set = self.flags & bit != 0;
        }
        tcp.set_options_raw(&self.options).expect("options fit");
        tcp
    }

    /// The IP header, its length not filled in.
    pub fn ip(&self) -> IpHeaders {
        let mut ip = network(self.from, self.to);
        match &mut ip {
            IpHeaders::Ipv4(header, _) => {
                header.dscp = IpDscp::try_new(self.class >> 2).expect("six bits");
                header.ecn = IpEcn::try_new(self.class & 3).expect("two bits");
                header.time_to_live = self.hops;
            }
            IpHeaders::Ipv6(header, _) => {
                header.traffic_class = self.class;
                header.flow_label = self.label.try_into().expect("20 bits");
                header.hop_limit = self.hops;
            }
        }
        ip
    }

    /// The frame.
    pub fn bytes(&self) -> Vec<u8> {
        self.behind(self.ip())
    }

    /// The frame with this IP header, or several, in the place of its own; lengths and checksums are filled in.
    pub fn behind(&self, ip: IpHeaders) -> Vec<u8> {
        let mut packet = Vec::new();
        PacketBuilder::ip(ip)
            .tcp_header(self.tcp())
            .write(&mut packet, &self.payload)
            .expect("writing to memory works");
        frame(self.hardware, &self.tags, Family::of(self.from.0), &packet)
    }

    /// Reads a frame; panics if it is no TCP segment or one of its checksums is wrong. What follows the IP packet is
    /// left out.
    pub fn read(frame: &[u8]) -> Self {
        let (link, rest) = frame.split_at(12);
        let (tags, kind, packet) = tags_of(rest);
        let headers = PacketHeaders::from_ether_type(EtherType(kind), packet).expect("a readable packet");
        let Some(TransportHeader::Tcp(mut tcp)) = headers.transport else { panic!("no TCP header") };
        let PayloadSlice::Tcp(payload) = headers.payload else { panic!("no TCP payload") };
        let (from, to, class, label, hops) = match headers.net {
            Some(NetHeaders::Ipv4(ip, _)) => {
                assert_eq!(ip.header_checksum, ip.calc_header_checksum(), "IPv4 checksum");
                check(&tcp, tcp.calc_checksum_ipv4(&ip, payload), payload);
                let class = ip.dscp.value() << 2 | ip.ecn.value();
                (ip.source.into(), ip.destination.into(), class, 0, ip.time_to_live)
            }
            Some(NetHeaders::Ipv6(ip, _)) => {
                check(&tcp, tcp.calc_checksum_ipv6(&ip, payload), payload);
                let label = ip.flow_label.value();
                (ip.source.into(), ip.destination.into(), ip.traffic_class, label, ip.hop_limit)
            }
            _ => panic!("no IP header"),
        };
        Self {
            hardware: (link[6..].try_into().expect("six bytes"), link[..6].try_into().expect("six bytes")),
            tags,
            class,
            label,
            hops,
            from: (from, tcp.source_port),
            to: (to, tcp.destination_port),
            sequence: tcp.sequence_number,
            acknowledgment: tcp.acknowledgment_number,
            flags: flags(&mut tcp).iter().filter(|(_, set)| **set).map(|(bit, _)| bit).sum(),
            window: tcp.window_size,
            options: tcp.options.as_slice().to_vec(),
            payload: payload.to_vec(),
        }
    }
}

/// The tags behind the hardware addresses, the type behind them, and the packet.
fn tags_of(mut rest: &[u8]) -> (Vec<Tag>, u16, &[u8]) {
    let word = |bytes: &[u8], at: usize| u16::from_be_bytes(bytes[at..at + 2].try_into().expect("two bytes"));
    let mut tags = Vec::new();
    loop {
        let kind = word(rest, 0);
        if kind != VLAN && kind != SERVICE_VLAN {
            return (tags, kind, &rest[2..]);
        }
        tags.push(Tag { kind, control: word(rest, 2) });
        rest = &rest[4..];
    }
}

/// Whether a frame carries a TCP segment behind an IP header without extensions.
pub fn is_tcp(frame: &[u8]) -> bool {
    const TCP: u8 = etherparse::ip_number::TCP.0;
    match tags_of(&frame[12..]) {
        (_, IPV4, packet) => packet[9] == TCP,
        (_, IPV6, packet) => packet[6] == TCP,
        _ => false,
    }
}

/// Whether a frame carries an ICMP error behind an IP header without extensions.
pub fn is_icmp_error(frame: &[u8]) -> bool {
    const ICMP: u8 = etherparse::ip_number::ICMP.0;
    const ICMP_6: u8 = etherparse::ip_number::IPV6_ICMP.0;
    match tags_of(&frame[12..]) {
        (_, IPV4, packet) => packet[9] == ICMP && matches!(packet[20], 3 | 11),
        (_, IPV6, packet) => packet[6] == ICMP_6 && packet[40] < 128,
        _ => false,
    }
}

fn flags(tcp: &mut TcpHeader) -> [(u8, &mut bool); 8] {
    [
        (flag::FIN, &mut tcp.fin),
        (flag::SYN, &mut tcp.syn),
        (flag::RST, &mut tcp.rst),
        (flag::PSH, &mut tcp.psh),
        (flag::ACK, &mut tcp.ack),
        (URG, &mut tcp.urg),
        (ECE, &mut tcp.ece),
        (CWR, &mut tcp.cwr),
    ]
}

fn check<E: std::fmt::Debug>(tcp: &TcpHeader, right: Result<u16, E>, payload: &[u8]) {
    let right = right.expect("a segment of legal length");
    assert_eq!(tcp.checksum, right, "TCP checksum of {} bytes of payload", payload.len());
}
