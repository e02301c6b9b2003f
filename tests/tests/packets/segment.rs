//! TCP segments, as tests write and read them.

use std::fmt;
use std::net::IpAddr;

use dfaas_common::translate::flag;

/// Hardware addresses of the two ends of the test wire.
pub const OUTSIDE: [u8; 6] = [2, 0, 0, 0, 0, 1];
pub const NODE: [u8; 6] = [2, 0, 0, 0, 0, 2];

/// Flags that the programs do not look at.
pub const URG: u8 = 0x20;
pub const ECE: u8 = 0x40;
pub const CWR: u8 = 0x80;

/// An address and port.
pub type End = (IpAddr, u16);

/// A VLAN tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// EtherType: 0x8100, or 0x88a8 for the outer one of two.
    pub kind: u16,
    /// Priority, drop eligibility and number of the VLAN.
    pub control: u16,
}

/// A segment in an Ethernet frame. Equality is that of all fields; checksums are made and checked, not compared.
#[derive(Clone, PartialEq, Eq)]
pub struct Segment {
    pub hardware: ([u8; 6], [u8; 6]),
    /// VLAN tags in the data, outermost first. A tag that lies beside the data cannot be given to
    /// `BPF_PROG_TEST_RUN`, nor does it tell of one.
    pub tags: Vec<Tag>,
    /// Traffic class, or type of service, with the ECN bits.
    pub class: u8,
    /// Flow label of IPv6; 0 over IPv4.
    pub label: u32,
    /// Hop limit, or time to live.
    pub hops: u8,
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
            tags: Vec::new(),
            class: 0,
            label: 0,
            hops: 64,
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

    /// With these VLAN tags in the data, outermost first.
    pub fn tagged(mut self, tags: &[Tag]) -> Self {
        self.tags = tags.to_vec();
        self
    }

    /// Sent by the node: what the egress program sees.
    pub fn outgoing(mut self) -> Self {
        self.hardware = (NODE, OUTSIDE);
        self
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

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (flag::SYN, "SYN"),
            (flag::ACK, "ACK"),
            (flag::FIN, "FIN"),
            (flag::RST, "RST"),
            (flag::PSH, "PSH"),
            (URG, "URG"),
            (ECE, "ECE"),
            (CWR, "CWR"),
        ];
        let flags: Vec<_> =
            names.iter().filter(|(bit, _)| self.flags & bit != 0).map(|(_, name)| *name).collect();
        for tag in &self.tags {
            write!(f, "tag {:x}:{:x} ", tag.kind, tag.control)?;
        }
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
