//! A wire whose other end the test holds: what it writes comes in at the interface, and it reads what goes out.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::IpAddr;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{Duration, Instant};

use nix::libc;
use nix::net::if_::if_nametoindex;

use crate::frame::{ETHERNET, is_icmp_error, is_tcp};
use crate::segment::Segment;
use crate::world::Family;

/// `struct virtio_net_hdr`, which comes before each frame and says what of it is left to the device.
#[derive(Default)]
struct Offload {
    flags: u8,
    kind: u8,
    headers: u16,
    segment: u16,
    sum_from: u16,
    sum_at: u16,
}

impl Offload {
    const LENGTH: usize = 10;
    /// `VIRTIO_NET_HDR_F_NEEDS_CSUM`.
    const NEEDS_SUM: u8 = 1;

    /// The checksum of a segment is left to the device, and its division into segments of this size if it is larger.
    fn of(segment: &Segment, size: u16) -> Self {
        let at = segment.tcp_at();
        let headers = at + 20 + segment.options.len();
        let divided = segment.payload.len() > size.into();
        // VIRTIO_NET_HDR_GSO_TCPV4 and _TCPV6; none if it is small.
        let kind = match Family::of(segment.from.0) {
            _ if !divided => 0,
            Family::V4 => 1,
            Family::V6 => 4,
        };
        Self {
            flags: Self::NEEDS_SUM,
            kind,
            headers: headers as u16,
            segment: if divided { size } else { 0 },
            sum_from: at as u16,
            sum_at: CHECKSUM as u16,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.flags, self.kind];
        for field in [self.headers, self.segment, self.sum_from, self.sum_at] {
            bytes.extend(field.to_ne_bytes());
        }
        bytes
    }
}

/// Offset of the checksum in a TCP header.
const CHECKSUM: usize = 16;

/// The sum over the pseudo header, with which a device begins (RFC 9293, 3.1; RFC 8200, 8.1).
fn pseudo_sum(segment: &Segment) -> u16 {
    let [from, to] = [segment.from.0, segment.to.0].map(|address| match address {
        IpAddr::V4(four) => four.octets().to_vec(),
        IpAddr::V6(six) => six.octets().to_vec(),
    });
    let length = segment.tcp_length() as u32;
    sum_of(&[&from, &to, &length.to_be_bytes(), &[0, etherparse::ip_number::TCP.0]])
}

/// The one's complement sum of parts of even length.
fn sum_of(parts: &[&[u8]]) -> u16 {
    let pairs = parts.iter().flat_map(|part| part.chunks(2));
    let mut sum: u32 = pairs.map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// How long what is sent at once may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The other end of an interface of the network namespace that it was made in; the interface goes with it.
pub struct Tap {
    file: File,
    pub name: &'static str,
}

impl Tap {
    /// Makes the interface.
    pub fn new(name: &'static str) -> Self {
        let file = File::options()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open("/dev/net/tun")
            .expect("/dev/net/tun: packet tests need root and a kernel with TUN");
        // SAFETY: all-zero bytes are a valid `ifreq`.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *to = libc::c_char::from_ne_bytes([from]);
        }
        request.ifr_ifru.ifru_flags = (libc::IFF_TAP | libc::IFF_NO_PI | libc::IFF_VNET_HDR) as libc::c_short;
        // SAFETY: the descriptor is open and the request outlives the call.
        let result = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
        assert_eq!(result, 0, "making {name}: {}", std::io::Error::last_os_error());
        Self { file, name }
    }

    /// The number of the interface.
    pub fn index(&self) -> u32 {
        if_nametoindex(self.name).expect("an interface that was just made")
    }

    /// A segment comes in.
    pub fn send(&mut self, segment: &Segment) {
        self.write(&Offload::default(), &segment.bytes());
    }

    /// A segment comes in as from another program of this machine or by a NIC that merges segments: its checksum, and
    /// its division into segments of this size, have been left to whoever sends it on.
    pub fn send_offloaded(&mut self, segment: &Segment, size: u16) {
        let mut frame = segment.bytes();
        let sum_at = segment.tcp_at() + CHECKSUM;
        frame[sum_at..sum_at + 2].copy_from_slice(&pseudo_sum(segment).to_be_bytes());
        self.write(&Offload::of(segment, size), &frame);
    }

    /// A frame with an ICMP message behind an IP header of this family comes in, whose checksum is left to the device.
    pub fn send_icmp_offloaded(&mut self, family: Family, mut frame: Vec<u8>) {
        const ICMP_CHECKSUM: usize = 2;
        let (ip, at) = (ETHERNET, ETHERNET + if family == Family::V4 { 20 } else { 40 });
        let pseudo = match family {
            Family::V4 => 0,
            Family::V6 => sum_of(&[&frame[ip + 8..at], &(frame.len() - at).to_be_bytes()[4..], &[0, 58]]),
        };
        frame[at + ICMP_CHECKSUM..at + ICMP_CHECKSUM + 2].copy_from_slice(&pseudo.to_be_bytes());
        let offload = Offload {
            flags: Offload::NEEDS_SUM,
            headers: at as u16 + 8,
            sum_from: at as u16,
            sum_at: ICMP_CHECKSUM as u16,
            ..Offload::default()
        };
        self.write(&offload, &frame);
    }

    fn write(&mut self, offload: &Offload, frame: &[u8]) {
        let bytes = [offload.bytes().as_slice(), frame].concat();
        self.file.write_all(&bytes).expect("writing a frame");
    }

    /// The next TCP segment that goes out.
    pub fn receive(&mut self) -> Segment {
        Segment::read(&self.next(is_tcp))
    }

    /// The next ICMP error that goes out, as a frame.
    pub fn receive_icmp(&mut self) -> Vec<u8> {
        self.next(is_icmp_error)
    }

    /// The next frame of this kind.
    fn next(&mut self, wanted: fn(&[u8]) -> bool) -> Vec<u8> {
        let until = Instant::now() + PATIENCE;
        let mut frame = [0; 4096];
        loop {
            match self.file.read(&mut frame) {
                Ok(length) if wanted(&frame[Offload::LENGTH..length]) => {
                    return frame[Offload::LENGTH..length].to_vec();
                }
                // Neighbour discovery and the like.
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    assert!(Instant::now() < until, "nothing goes out of {}", self.name);
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(e) => panic!("reading from {}: {e}", self.name),
            }
        }
    }
}
