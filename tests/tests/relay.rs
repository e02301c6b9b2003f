//! Nodes that lie apart: what they send each other takes as long as it should, and comes whole.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use dfaas_tests::invocation::body;
use dfaas_tests::relay::{Delays, Relay};
use dfaas_tests::{Lab, Topology, peer_address, peer_address6};

const MS: Duration = Duration::from_millis(1);

/// Round trips of three nodes: 1 and 2 are near, 3 is far.
const ROUND_TRIPS: [u32; 9] = [0, 4, 60, 4, 0, 80, 60, 80, 0];

/// Longest time for something that must come about; only what is broken comes near it.
const PATIENCE: Duration = Duration::from_secs(20);

fn apart() -> (Relay, Lab) {
    let lab = Lab::new(Topology { nodes: 3, ..Topology::default() }).unwrap();
    let delays = Delays::of_round_trips(3, &ROUND_TRIPS.map(|ms| ms * MS)).unwrap();
    (Relay::start(&lab, delays).unwrap(), lab)
}

/// The least of several round trips of datagrams from one node to another.
fn round_trip(lab: &Lab, from: u8, to: u8) -> Duration {
    let address = SocketAddr::from((peer_address(to), 4000));
    let socket = lab.node(to).run(|| UdpSocket::bind(address)).unwrap().unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let echo = std::thread::spawn(move || {
        let mut buffer = [0; 64];
        for _ in 0..5 {
            let (length, from) = socket.recv_from(&mut buffer).unwrap();
            socket.send_to(&buffer[..length], from).unwrap();
        }
    });
    let caller =
        lab.node(from).run(|| UdpSocket::bind(SocketAddr::from((peer_address(from), 0)))).unwrap().unwrap();
    caller.set_read_timeout(Some(PATIENCE)).unwrap();
    let trip = || {
        let begun = Instant::now();
        caller.send_to(b"there and back", address).unwrap();
        caller.recv(&mut [0; 64]).unwrap();
        begun.elapsed()
    };
    let least = (0..5).map(|_| trip()).min().unwrap();
    echo.join().unwrap();
    least
}

#[test]
fn nobody_is_answered_sooner_than_the_round_trip_takes_and_near_ones_sooner_than_far_ones() {
    let (relay, lab) = apart();
    let [near, far, farther] = [(1, 2), (1, 3), (2, 3)].map(|(from, to)| round_trip(&lab, from, to));
    assert!(near >= 4 * MS && far >= 60 * MS && farther >= 80 * MS, "{near:?}, {far:?}, {farther:?}");
    // The least of five: what a busy machine adds once it does not add each time.
    assert!(near < far && far < farther, "{near:?}, {far:?}, {farther:?}");
    let carried = relay.finish().unwrap();
    assert_eq!(carried.lost, 0, "{carried:?}");
    assert!(carried.frames >= 30, "five datagrams there and back, three times: {carried:?}");
}

#[test]
fn large_transfers_cross_as_frames_of_a_wire_and_come_whole() {
    let (relay, lab) = apart();
    let sent = body(2_000_000);
    let address = SocketAddr::from((peer_address6(3), 4000));
    let listener = lab.node(3).run(|| TcpListener::bind(address)).unwrap().unwrap();
    let received = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        listener.accept().unwrap().0.read_to_end(&mut bytes).unwrap();
        bytes
    });
    let mut stream = lab.node(1).run(|| TcpStream::connect_timeout(&address, PATIENCE)).unwrap().unwrap();
    stream.write_all(&sent).unwrap();
    drop(stream);
    assert!(received.join().unwrap() == sent, "the bytes are those that were sent");
    let carried = relay.finish().unwrap();
    assert_eq!(carried.longest, 1514, "no frame is longer than a wire takes: {carried:?}");
}

#[test]
fn delays_of_another_number_of_nodes_are_refused() {
    let lab = Lab::new(Topology { nodes: 1, ..Topology::default() }).unwrap();
    let delays = Delays::of_round_trips(2, &[MS; 4]).unwrap();
    let error = Relay::start(&lab, delays).unwrap_err().to_string();
    assert_eq!(error, "delays between 2 nodes for a lab of 1");
}

#[test]
fn nothing_of_a_relay_outlives_the_lab() {
    let (relay, lab) = apart();
    let switch = lab.switch();
    drop(lab);
    drop(relay);
    assert!(switch.run(|| ()).is_err(), "the namespace with the devices is gone");
}
