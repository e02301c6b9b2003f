//! TCP segments in Ethernet frames, as tests write and read them.

use std::fmt;

use dfaas_common::translate::flag;
use etherparse::{Ipv4Header, PacketBuilder, PacketHeaders, PayloadSlice, TcpHeader, TransportHeader};

/// Hardware addresses of the two ends of the test wire.
pub const OUTSIDE: [u8; 6] = [2, 0, 0, 0, 0, 1];
pub const NODE: [u8; 6] = [2, 0, 0, 0, 0, 2];

/// An address and port.
pub type End = ([u8; 4], u16);

/// A segment. Equality is that of all fields; checksums are made and checked, not compared.
#[derive(Clone, PartialEq, Eq)]
pub struct Segment {
    pub hardware: ([u8; 6], [u8; 6]),
    pub from: End,
    pub to: End,
    pub sequence: u32,
    pub acknowledgment: u32,
    pub flags: u8,
    pub window: u16,
    pub options: Vec<u8>,
    pub payload: Vec<u8>,
}

impl Segment {
    /// A segment that comes in from outside.
    pub fn new(from: End, to: End, flags: u8) -> Self {
        Self {
            hardware: (OUTSIDE, NODE),
            from,
            to,
            sequence: 0,
            acknowledgment: 0,
            flags,
            window: 64_000,
            options: Vec::new(),
            payload: Vec::new(),
        }
    }

    /// With these sequence and acknowledgment numbers.
    pub fn numbers(mut self, sequence: u32, acknowledgment: u32) -> Self {
        (self.sequence, self.acknowledgment) = (sequence, acknowledgment);
        self
    }

    /// With these raw options, whose length is a multiple of four.
    pub fn options(mut self, options: &[u8]) -> Self {
        self.options = options.to_vec();
        self
    }

    /// With the timestamps option in its usual place.
    pub fn times(self, value: u32, echo: u32) -> Self {
        let mut options = vec![1, 1, 8, 10];
        options.extend(value.to_be_bytes());
        options.extend(echo.to_be_bytes());
        self.options(&options)
    }

    /// With this payload.
    pub fn payload(mut self, payload: &[u8]) -> Self {
        self.payload = payload.to_vec();
        self
    }

    /// Sent by the node: what the egress program sees.
    pub fn outgoing(mut self) -> Self {
        self.hardware = (NODE, OUTSIDE);
        self
    }

    /// The frame.
    pub fn bytes(&self) -> Vec<u8> {
        let mut tcp = PacketBuilder::ethernet2(self.hardware.0, self.hardware.1)
            .ipv4(self.from.0, self.to.0, 64)
            .tcp(self.from.1, self.to.1, self.sequence, self.window)
            .options_raw(&self.options)
            .expect("options fit");
        if self.flags & flag::SYN != 0 {
            tcp = tcp.syn();
        }
        if self.flags & flag::FIN != 0 {
            tcp = tcp.fin();
        }
        if self.flags & flag::RST != 0 {
            tcp = tcp.rst();
        }
        if self.flags & flag::PSH != 0 {
            tcp = tcp.psh();
        }
        if self.flags & flag::ACK != 0 {
            tcp = tcp.ack(self.acknowledgment);
        }
        let mut bytes = Vec::new();
        tcp.write(&mut bytes, &self.payload).expect("writing to memory works");
        bytes
    }

    /// Reads a frame; panics if it is no IPv4 TCP segment or one of its checksums is wrong.
    pub fn read(frame: &[u8]) -> Self {
        let headers = PacketHeaders::from_ethernet_slice(frame).expect("a readable frame");
        let Some(etherparse::LinkHeader::Ethernet2(link)) = headers.link else {
            panic!("no Ethernet header")
        };
        let Some(etherparse::NetHeaders::Ipv4(ip, _)) = headers.net else { panic!("no IPv4 header") };
        let Some(TransportHeader::Tcp(tcp)) = headers.transport else { panic!("no TCP header") };
        let PayloadSlice::Tcp(payload) = headers.payload else { panic!("no TCP payload") };
        check(&ip, &tcp, payload);
        let mut flags = 0;
        for (set, bit) in [
            (tcp.syn, flag::SYN),
            (tcp.fin, flag::FIN),
            (tcp.rst, flag::RST),
            (tcp.psh, flag::PSH),
            (tcp.ack, flag::ACK),
        ] {
            if set {
                flags |= bit;
            }
        }
        Self {
            hardware: (link.source, link.destination),
            from: (ip.source, tcp.source_port),
            to: (ip.destination, tcp.destination_port),
            sequence: tcp.sequence_number,
            acknowledgment: tcp.acknowledgment_number,
            flags,
            window: tcp.window_size,
            options: tcp.options.as_slice().to_vec(),
            payload: payload.to_vec(),
        }
    }

    /// Value and echo of the timestamps option in its usual place.
    pub fn read_times(&self) -> Option<(u32, u32)> {
        let at = self.options.windows(2).position(|w| w == [8, 10])? + 2;
        let number = |i: usize| u32::from_be_bytes(self.options[i..i + 4].try_into().expect("four bytes"));
        Some((number(at), number(at + 4)))
    }

    /// The text of the payload.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

fn check(ip: &Ipv4Header, tcp: &TcpHeader, payload: &[u8]) {
    assert_eq!(ip.header_checksum, ip.calc_header_checksum(), "IPv4 checksum");
    let right = tcp.calc_checksum_ipv4(ip, payload).expect("a segment of legal length");
    assert_eq!(tcp.checksum, right, "TCP checksum of {} bytes of payload", payload.len());
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (flag::SYN, "SYN"),
            (flag::ACK, "ACK"),
            (flag::FIN, "FIN"),
            (flag::RST, "RST"),
            (flag::PSH, "PSH"),
        ];
        let flags: Vec<_> =
            names.iter().filter(|(bit, _)| self.flags & bit != 0).map(|(_, name)| *name).collect();
        write!(
            f,
            "{:?} > {:?} {} seq {} ack {} win {} options {:?} payload {:?}",
            self.from,
            self.to,
            flags.join("|"),
            self.sequence,
            self.acknowledgment,
            self.window,
            self.options,
            self.text()
        )
    }
}
