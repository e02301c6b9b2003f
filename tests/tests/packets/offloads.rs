//! Segments whose checksum and division are left to the device, as programs of this machine and merging NICs hand them
//! on. What leaves must be divided and summed right, whatever its family is by then: the kernel does it as the packet
//! says.

use dfaas_common::translate::flag::{ACK, FIN, PSH};

use crate::segment::Segment;
use crate::story::{Backend, Client};
use crate::tap::Tap;
use crate::wire::Wire;
use crate::world::{World, in_both_families, in_every_world};

in_every_world!(
    a_connection_to_a_peer_is_right_although_no_checksum_was_there,
    super_packets_arrive_as_segments_of_the_size_that_they_had,
);
in_both_families!(an_answer_of_the_node_is_right_although_the_request_had_no_checksum);

/// A request whose body is long enough for all that stories send behind it.
const REQUEST: &[u8] = b"POST /function/figlet HTTP/1.1\r\nHost: node\r\nContent-Length: 90000000\r\n\r\n";
/// Bytes of payload in each segment of a larger one.
const SIZE: u16 = 1_399;

/// Opens a connection to the first peer by segments without checksums.
fn splice(wire: &mut Wire, world: World) -> (Client, Backend) {
    wire.bench.plan(&[(1, 65_536)], |_| {});
    let client = Client::new(world, 40_000);
    wire.users.send_offloaded(&client.syn(), SIZE);
    let client = client.connected(&wire.users.receive());
    wire.users.send_offloaded(&client.segment(ACK | PSH, 0, 0).payload(REQUEST), SIZE);
    let peer = Backend::accepting(wire.peers.receive());
    wire.peers.send_offloaded(&peer.syn_ack(), SIZE);
    assert_eq!(wire.peers.receive().payload, REQUEST);
    (client, peer)
}

/// What comes out as segments of [`SIZE`] or less: the payloads in order.
fn pieces(to: &mut Tap, length: usize) -> Vec<Segment> {
    let mut pieces: Vec<Segment> = Vec::new();
    while pieces.iter().map(|piece| piece.payload.len()).sum::<usize>() < length {
        pieces.push(to.receive());
    }
    pieces
}

fn a_connection_to_a_peer_is_right_although_no_checksum_was_there(world: World) {
    Wire::run(world, |mut wire| {
        let (client, peer) = splice(&mut wire, world);
        let got = REQUEST.len() as u32;
        for payload in [&b""[..], b"odd", b"even"] {
            wire.users.send_offloaded(&client.segment(ACK, got, 0).payload(payload), SIZE);
            let there = wire.peers.receive();
            assert_eq!((there.to, there.payload.as_slice()), (world.data_of(1), payload));
            wire.peers.send_offloaded(&peer.segment(ACK, 0, got).payload(payload), SIZE);
            let there = wire.users.receive();
            assert_eq!((there.to, there.payload.as_slice()), (client.end, payload));
        }
        wire.peers.send_offloaded(&peer.fin(0, got), SIZE);
        assert_eq!(wire.users.receive().flags, FIN | ACK);
    });
}

fn super_packets_arrive_as_segments_of_the_size_that_they_had(world: World) {
    Wire::run(world, |mut wire| {
        let (client, peer) = splice(&mut wire, world);
        let got = REQUEST.len() as u32;
        let payload: Vec<u8> = (0..20_001_u32).map(|i| (i * 7 + i / 256) as u8).collect();

        wire.users.send_offloaded(&client.segment(ACK | PSH, got, 0).payload(&payload), SIZE);
        let there = pieces(&mut wire.peers, payload.len());
        assert_eq!(there.iter().flat_map(|piece| piece.payload.clone()).collect::<Vec<_>>(), payload);
        for (i, piece) in (0..).zip(&there) {
            assert_eq!(piece.sequence, client.isn + 1 + got + i * u32::from(SIZE));
            assert_eq!(piece.acknowledgment, peer.isn.wrapping_add(1));
            assert!(piece.payload.len() <= SIZE.into());
        }

        wire.peers.send_offloaded(&peer.segment(ACK | PSH, 0, got).payload(&payload), SIZE);
        let there = pieces(&mut wire.users, payload.len());
        assert_eq!(there.iter().flat_map(|piece| piece.payload.clone()).collect::<Vec<_>>(), payload);
        for (i, piece) in (0..).zip(&there) {
            assert_eq!(piece.sequence, client.cookie.wrapping_add(1 + i * u32::from(SIZE)));
            assert_eq!((piece.to, piece.acknowledgment), (client.end, client.isn + 1 + got));
        }
    });
}

fn an_answer_of_the_node_is_right_although_the_request_had_no_checksum(world: World) {
    Wire::run(world, |mut wire| {
        wire.bench.plan(&[(0xffff, 65_536)], |_| {});
        let client = wire.connect(Client::new(world, 40_000));
        wire.users.send_offloaded(&client.segment(ACK | PSH, 0, 0).payload(REQUEST), SIZE);
        let answer = wire.users.receive();
        assert!(answer.text().starts_with("HTTP/1.1 503 ") && answer.text().ends_with('}'), "{answer:?}");
    });
}
