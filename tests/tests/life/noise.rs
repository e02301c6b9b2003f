//! Random bytes at everything that listens.

use std::io::{Read, Write};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use dfaas_tests::settings::{DATA_PORT, Function, INVOCATION_PORT};
use dfaas_tests::{Namespace, node_address, peer_address};
use rand::rngs::SmallRng;
use rand::{Rng as _, RngCore as _, SeedableRng as _};
use socket2::{Domain, Protocol, Socket, Type};

use crate::federation::{Federation, PATIENCE};
use crate::observe::{Metrics, health, text};

/// Connections at each place.
const CONNECTIONS: usize = 30;

/// TCP segments at each port, and from each side.
const SEGMENTS: usize = 3000;

/// How long an answer to nonsense is waited for.
const ANSWER: Duration = Duration::from_millis(100);

/// Seeded by `DFAAS_SEED`, or at random; either way the seed is told.
fn random() -> SmallRng {
    let seed = std::env::var("DFAAS_SEED").ok().map_or_else(rand::random, |text| text.parse().unwrap());
    println!("DFAAS_SEED={seed} repeats these bytes");
    SmallRng::seed_from_u64(seed)
}

/// Nonsense of up to 3000 bytes; half of it begins like a request.
fn nonsense(random: &mut SmallRng) -> Vec<u8> {
    let mut bytes = vec![0; random.random_range(1..3000)];
    random.fill_bytes(&mut bytes);
    if random.random() {
        let starts: [&[u8]; 4] =
            [b"POST /function/echo HTTP/1.1\r\n", b"GET /metrics ", b"POST /function/", b"\x16\x03\x01"];
        let start = starts[random.random_range(0..starts.len())];
        bytes.splice(..0, start.iter().copied());
    }
    bytes
}

/// Sends nonsense and reads a little of what comes; whatever happens to the connection is the other side's right.
fn talk(mut stream: impl Read + Write, bytes: &[u8], end: impl FnOnce()) {
    let _ = stream.write_all(bytes);
    end();
    let mut answer = [0; 4096];
    while stream.read(&mut answer).is_ok_and(|count| count > 0) {}
}

fn at_port(from: &Namespace, target: SocketAddr, random: &mut SmallRng) {
    for _ in 0..CONNECTIONS {
        let bytes = nonsense(random);
        let connected = from.run(|| TcpStream::connect_timeout(&target, PATIENCE)).unwrap();
        // A stranger at the data port is refused.
        let Ok(stream) = connected else { continue };
        stream.set_read_timeout(Some(ANSWER)).unwrap();
        stream.set_write_timeout(Some(ANSWER)).unwrap();
        let other = stream.try_clone().unwrap();
        let close = random.random::<bool>();
        talk(stream, &bytes, || {
            if close {
                let _ = other.shutdown(Shutdown::Write);
            }
        });
    }
}

/// TCP segments with random flags, numbers, options and payload to one port. Every other has a right checksum.
fn segments(from: &Namespace, source: Ipv4Addr, target: Ipv4Addr, port: u16, random: &mut SmallRng) {
    let make = || Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::TCP));
    let socket = from.run(make).unwrap().unwrap();
    socket.bind(&SocketAddr::from((source, 0)).into()).unwrap();
    socket.connect(&SocketAddr::from((target, 0)).into()).unwrap();
    for _ in 0..SEGMENTS {
        let mut bytes = vec![0; random.random_range(20..400)];
        random.fill_bytes(&mut bytes);
        bytes[2..4].copy_from_slice(&port.to_be_bytes());
        if random.random() {
            // A plausible length of the header, and one of the usual combinations of flags.
            bytes[12] = (random.random_range(5..=15) << 4) | (bytes[12] & 0xf);
            bytes[13] = [0x02, 0x10, 0x18, 0x11, 0x04, 0x12][random.random_range(0..6)];
            bytes[16..18].fill(0);
            let sum = checksum(source, target, &bytes);
            bytes[16..18].copy_from_slice(&sum.to_be_bytes());
        }
        // The queue may be full, or the answer to an earlier one an error.
        let _ = socket.send(&bytes);
    }
    socket.set_nonblocking(true).unwrap();
    let mut answers = [MaybeUninit::uninit(); 2048];
    while socket.recv(&mut answers).is_ok() {}
}

/// The checksum of a TCP segment over IPv4 whose own field is zero.
fn checksum(source: Ipv4Addr, target: Ipv4Addr, segment: &[u8]) -> u16 {
    let pseudo =
        [&source.octets()[..], &target.octets(), &[0, 6], &(segment.len() as u16).to_be_bytes()].concat();
    let word = |pair: &[u8]| u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
    let mut sum: u32 = pseudo.chunks(2).chain(segment.chunks(2)).map(word).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[test]
fn random_bytes_stop_nothing() {
    let random = &mut random();
    let mut federation = Federation::start(2, &[("echo", Function::echo())]);
    let (node, peer, users) = (federation.lab.node(1), federation.lab.node(2), federation.lab.users(1));
    let first = &federation.nodes[0];

    at_port(&node, first.admin_address(), random);
    for _ in 0..CONNECTIONS {
        let stream = UnixStream::connect(first.admin_socket()).unwrap();
        stream.set_read_timeout(Some(ANSWER)).unwrap();
        let other = stream.try_clone().unwrap();
        talk(stream, &nonsense(random), || other.shutdown(Shutdown::Write).unwrap());
    }
    still_works(&mut federation);

    let data_port = |address: Ipv4Addr| SocketAddr::from((address, DATA_PORT));
    at_port(&peer, data_port(peer_address(1)), random);
    at_port(&users, data_port(node_address(1)), random);
    segments(&peer, peer_address(2), peer_address(1), DATA_PORT, random);
    segments(&users, dfaas_tests::user_address(1, 0), node_address(1), DATA_PORT, random);
    let strangers = Metrics::of(&federation.nodes[0]).get("dfaas_drops_total{reason=\"stranger\"}");
    assert!(strangers >= CONNECTIONS as f64, "{strangers}");
    still_works(&mut federation);

    at_port(&users, federation.nodes[0].address(), random);
    segments(&users, dfaas_tests::user_address(1, 0), node_address(1), INVOCATION_PORT, random);
    still_works(&mut federation);
}

fn still_works(federation: &mut Federation) {
    federation.check();
    assert_eq!(federation.served_times("echo", 8).len(), 2, "served by both");
    for node in &federation.nodes {
        assert_eq!(health(node).0, 200);
        assert!(text(node, "status").contains("health        ok"));
        assert_eq!(Metrics::of(node).get("dfaas_drops_total{reason=\"internal\"}"), 0.0);
    }
}
