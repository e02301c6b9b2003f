//! A flood of segments whose senders do not exist.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::time::{Duration, Instant};
use std::{io, mem, ptr};

use dfaas_tests::{Lab, Node};
use etherparse::{IpHeaders, Ipv4Header, Ipv6Header, PacketBuilder, TcpHeader, ip_number};
use nix::ifaddrs::getifaddrs;
use nix::libc;

/// Frames that are handed to the kernel together.
const BATCH: usize = 64;

/// What the flood consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Connections that are never gone on with.
    Syn,
    /// Acknowledgments of nothing.
    Ack,
}

/// A frame whose source, port and numbers change each time, with the checksums that fit.
#[derive(Debug, Clone)]
struct Frame {
    bytes: Vec<u8>,
    /// Where the last four bytes of the sender's address are.
    source: usize,
    /// Where TCP begins.
    tcp: usize,
    /// Where the checksum of the IP header is, if it has one.
    header_sum: Option<usize>,
    /// The sums of the header and of the segment, with zeros in the places of what changes.
    sums: (u32, u32),
}

fn half(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]))
}

fn folded(mut sum: u32) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

impl Frame {
    /// To the listen address of the node from a network that nobody has (RFC 2544, RFC 3849).
    fn new(kind: Kind, to: SocketAddr, hardware: [u8; 6]) -> Self {
        let mut tcp = TcpHeader::new(0, to.port(), 0, 64_240);
        match kind {
            Kind::Syn => {
                tcp.syn = true;
                let options = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 1, 244, 0, 0, 0, 0, 1, 3, 3, 7];
                tcp.set_options_raw(&options).unwrap();
            }
            Kind::Ack => tcp.ack = true,
        }
        let (ip, source, start, header_sum) = match to.ip() {
            IpAddr::V4(to) => {
                let header = Ipv4Header::new(0, 64, ip_number::TCP, [0; 4], to.octets()).unwrap();
                (IpHeaders::Ipv4(header, Default::default()), 26, 34, Some(24))
            }
            IpAddr::V6(to) => {
                let mut source = [0; 16];
                source[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
                let destination = to.octets();
                let header = Ipv6Header { hop_limit: 64, source, destination, ..Ipv6Header::default() };
                (IpHeaders::Ipv6(header, Default::default()), 34, 54, None)
            }
        };
        let mut bytes = Vec::new();
        // It says to come from a stranger's hardware, so that nobody resets what is answered.
        let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], hardware).ip(ip).tcp_header(tcp);
        builder.write(&mut bytes, &[]).unwrap();
        let sum = |at| u32::from(!(half(&bytes, at) as u16));
        let sums = (header_sum.map_or(0, sum), sum(start + 16));
        Self { bytes, source, tcp: start, header_sum, sums }
    }

    fn vary(&mut self, random: &mut u64) {
        // xorshift64
        let mut next = || {
            *random ^= *random << 13;
            *random ^= *random >> 7;
            *random ^= *random << 17;
            *random
        };
        let (one, two) = (next(), next());
        let mut source = (one as u32).to_be_bytes();
        if self.header_sum.is_some() {
            source = [198, 18 + (source[1] & 1), source[2], source[3]];
        }
        let (source_at, tcp) = (self.source, self.tcp);
        self.bytes[source_at..source_at + 4].copy_from_slice(&source);
        self.bytes[tcp..tcp + 2].copy_from_slice(&(1024 + (one >> 32) as u16 % 60_000).to_be_bytes());
        self.bytes[tcp + 4..tcp + 8].copy_from_slice(&(two as u32).to_be_bytes());
        // The acknowledgment of a SYN means nothing.
        self.bytes[tcp + 8..tcp + 12].copy_from_slice(&((two >> 32) as u32).to_be_bytes());
        let pair = |at| half(&self.bytes, at) + half(&self.bytes, at + 2);
        let address = pair(source_at);
        let segment = address + half(&self.bytes, tcp) + pair(tcp + 4) + pair(tcp + 8);
        let (header, segment) = (folded(self.sums.0 + address), folded(self.sums.1 + segment));
        self.bytes[tcp + 16..tcp + 18].copy_from_slice(&segment.to_be_bytes());
        if let Some(at) = self.header_sum {
            self.bytes[at..at + 2].copy_from_slice(&header.to_be_bytes());
        }
    }
}

/// Sends so many a second for so long to node 1 from beside it; how many were sent, and in which time.
pub fn send(lab: &Lab, node: &Node, kind: Kind, rate: f64, time: Duration) -> (u64, Duration) {
    let hardware = || {
        let mut users0 = getifaddrs().unwrap().filter(|i| i.interface_name == "users0");
        users0.find_map(|i| i.address?.as_link_addr()?.addr()).expect("a hardware address")
    };
    let frame = Frame::new(kind, node.address(), node.namespace().run(hardware).unwrap());
    lab.users(1).run(|| send_here(&frame, rate, time)).unwrap().expect("frames can be sent")
}

fn send_here(frame: &Frame, rate: f64, time: Duration) -> io::Result<(u64, Duration)> {
    let socket = socket("eth0")?;
    let mut random = 0x9e37_79b9_7f4a_7c15;
    let mut frames = vec![frame.clone(); BATCH];
    let (begun, mut sent) = (Instant::now(), 0);
    while begun.elapsed() < time {
        if sent as f64 > begun.elapsed().as_secs_f64() * rate {
            std::thread::sleep(Duration::from_micros(200));
            continue;
        }
        frames.iter_mut().for_each(|frame| frame.vary(&mut random));
        sent += hand_over(&socket, &mut frames)?;
    }
    Ok((sent, begun.elapsed()))
}

/// A socket that sends frames out of an interface.
fn socket(interface: &str) -> io::Result<OwnedFd> {
    // SAFETY: a bare system call.
    let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a descriptor that the kernel has just given to us alone.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    // SAFETY: all-zero bytes are a valid `sockaddr_ll`.
    let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_ifindex = nix::net::if_::if_nametoindex(interface)?.cast_signed();
    let length = size_of_val(&address) as u32;
    // SAFETY: the descriptor is open; the address outlives the call and is as long as is said.
    let bound = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    if bound < 0 { Err(io::Error::last_os_error()) } else { Ok(socket) }
}

/// Hands frames to the kernel; how many it took.
fn hand_over(socket: &OwnedFd, frames: &mut [Frame]) -> io::Result<u64> {
    let mut parts: Vec<_> = frames
        .iter_mut()
        .map(|frame| libc::iovec { iov_base: frame.bytes.as_mut_ptr().cast(), iov_len: frame.bytes.len() })
        .collect();
    let mut messages: Vec<libc::mmsghdr> = parts
        .iter_mut()
        .map(|part| {
            // SAFETY: all-zero bytes are a valid `mmsghdr`: no address, no control data.
            let mut message: libc::mmsghdr = unsafe { mem::zeroed() };
            message.msg_hdr.msg_iov = ptr::from_mut(part);
            message.msg_hdr.msg_iovlen = 1;
            message
        })
        .collect();
    // SAFETY: the descriptor is open; messages, their parts and the frames outlive the call.
    let taken =
        unsafe { libc::sendmmsg(socket.as_raw_fd(), messages.as_mut_ptr(), messages.len() as u32, 0) };
    if taken < 0 {
        let error = io::Error::last_os_error();
        // The queue of the interface is full: so it goes with floods.
        return if error.raw_os_error() == Some(libc::ENOBUFS) { Ok(0) } else { Err(error) };
    }
    Ok(taken.cast_unsigned().into())
}
