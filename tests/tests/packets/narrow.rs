//! Ways to a backend that carry less than what the client was told.

use dfaas_common::translate::flag::{ACK, PSH};

use crate::bench::{Bench, REDIRECT};
use crate::error::{Error, error, too_big};
use crate::segment::Segment;
use crate::story::{ANSWER, Backend, Client, REQUEST, send};
use crate::tap::Tap;
use crate::wire::Wire;
use crate::world::{Family, World, in_every_world};

in_every_world!(
    a_client_whose_segment_is_too_large_for_the_way_is_told_so_by_the_node,
    what_a_router_tells_holds_for_later_segments_and_connections,
    a_forged_size_is_not_believed,
    a_backend_is_offered_no_more_than_fits_the_way_on_to_the_client,
    a_client_is_told_although_the_checksum_of_its_segment_was_left_to_the_device,
    a_client_is_told_although_its_segments_came_as_one,
);

/// Bytes of an IP header.
const fn header(family: Family) -> u32 {
    match family {
        Family::V4 => 20,
        Family::V6 => 40,
    }
}

/// Segment size of the way to the first peer.
const SIZE: u32 = 1_300;

/// A connection to the first peer, whose way has become narrower, and the sequence number of what follows.
fn spliced(bench: &mut Bench) -> (Client, Backend) {
    bench.plan(&[(1, 65_536)], |_| {});
    let client = Client::new(bench.world, 40_000).connect(bench);
    let peer = Backend::accepting(client.request(bench, REQUEST).segment());
    assert_eq!(bench.ingress(&peer.syn_ack()).segment().payload, REQUEST);
    (client, peer)
}

/// A segment that follows the request, with so many bytes.
fn body(client: &Client, bytes: usize) -> Segment {
    client.segment(ACK, REQUEST.len() as u32, 0).payload(&vec![7; bytes])
}

/// What the node tells of a segment that is too large for a way of this segment size.
fn told(world: World, segment: &Segment, size: u32) -> Error {
    Error {
        from: world.listen().0,
        to: segment.from.0,
        kind: too_big(world.users),
        mtu: size + 20 + header(world.users),
        ends: (segment.from, segment.to),
        sequence: segment.sequence,
        length: segment.tcp_length(),
    }
}

fn a_client_whose_segment_is_too_large_for_the_way_is_told_so_by_the_node(world: World) {
    let mut bench = Bench::new(world);
    let (client, peer) = spliced(&mut bench);
    bench.peer(1, |peer| peer.segment_size = SIZE);
    // Timestamps take twelve bytes.
    let fits = body(&client, SIZE as usize - 12);
    assert_eq!(bench.ingress(&fits).segment().to, world.data_of(1));
    let large = body(&client, SIZE as usize - 11);
    let outcome = bench.ingress(&large);
    assert_eq!(outcome.verdict, REDIRECT);
    assert_eq!(Error::read(&outcome.frame), told(world, &large, SIZE));
    assert_eq!(bench.events()["too_big_answered"], 1);
    // The connection goes on.
    assert_eq!(bench.ingress(&fits).segment().payload, fits.payload);
    let answer = peer.segment(ACK | PSH, 0, REQUEST.len() as u32).payload(ANSWER);
    assert_eq!(bench.ingress(&answer).segment().payload, ANSWER);
}

fn what_a_router_tells_holds_for_later_segments_and_connections(world: World) {
    let mut bench = Bench::new(world);
    let (client, _) = spliced(&mut bench);
    let seen = bench.ingress(&body(&client, 1_380)).segment();
    let link = SIZE + 20 + header(world.nodes);
    bench.ingress_bytes(&error(&seen, too_big(world.nodes), link, 8));

    let large = body(&client, SIZE as usize - 11);
    let outcome = bench.ingress(&large);
    assert_eq!(Error::read(&outcome.frame), told(world, &large, SIZE));
    let [high, low] = (SIZE as u16).to_be_bytes();
    assert_eq!(send(&mut bench, 40_001).options[..4], [2, 4, high, low], "what a new leg offers");
    // The other peer has a way of its own.
    bench.plan(&[(2, 65_536)], |_| {});
    let [high, low] = world.users.segment_size().to_be_bytes();
    assert_eq!(send(&mut bench, 40_002).options[..4], [2, 4, high, low]);
}

fn a_forged_size_is_not_believed(world: World) {
    let mut bench = Bench::new(world);
    let (client, _) = spliced(&mut bench);
    let seen = bench.ingress(&body(&client, 1_000)).segment();
    let mut guessed = seen.clone();
    guessed.sequence += 5_000;
    bench.ingress_bytes(&error(&guessed, too_big(world.nodes), 600, 8));
    // This packet would have fitted.
    bench.ingress_bytes(&error(&seen, too_big(world.nodes), 1_400, 8));
    let large = body(&client, 1_400);
    assert_eq!(bench.ingress(&large).segment().payload, large.payload);
    assert!(!bench.events().contains_key("too_big_answered"));
}

fn a_backend_is_offered_no_more_than_fits_the_way_on_to_the_client(world: World) {
    let mut bench = Bench::new(world);
    bench.configure(|config| config.segment_size = SIZE);
    let offered = SIZE + 20 - header(world.users);
    for backend in [1, 0] {
        bench.plan(&[(backend, 65_536)], |_| {});
        let [high, low] = (offered as u16).to_be_bytes();
        let syn = send(&mut bench, 40_000 + backend as u16);
        assert_eq!(syn.options[..4], [2, 4, high, low], "{syn:?}");
    }
}

/// A connection over wires.
fn over_wires(wire: &mut Wire) -> Client {
    let world = wire.bench.world;
    wire.bench.plan(&[(1, 65_536)], |_| {});
    let client = wire.connect(Client::new(world, 40_000));
    let peer = Backend::accepting(wire.forward(&client.segment(ACK | PSH, 0, 0).payload(REQUEST)));
    wire.peers.send(&peer.syn_ack());
    assert_eq!(wire.peers.receive().payload, REQUEST);
    wire.bench.peer(1, |peer| peer.segment_size = SIZE);
    client
}

/// What a wire carries of an error: as the device leaves it.
fn told_by(tap: &mut Tap) -> Error {
    Error::read(&tap.receive_icmp())
}

fn a_client_is_told_although_the_checksum_of_its_segment_was_left_to_the_device(world: World) {
    Wire::run(world, |mut wire| {
        let client = over_wires(&mut wire);
        for bytes in [1_399, 1_400] {
            let large = body(&client, bytes);
            wire.users.send_offloaded(&large, 1_460);
            assert_eq!(told_by(&mut wire.users), told(world, &large, SIZE));
        }
    });
}

fn a_client_is_told_although_its_segments_came_as_one(world: World) {
    Wire::run(world, |mut wire| {
        let client = over_wires(&mut wire);
        let large = body(&client, 14_001);
        wire.users.send_offloaded(&large, 1_400);
        assert_eq!(told_by(&mut wire.users), told(world, &large, SIZE));
        // In pieces that fit they go their way.
        let fits = body(&client, 2_001);
        wire.users.send_offloaded(&fits, 1_200);
        assert_eq!(wire.peers.receive().payload.len(), 1_200);
        assert_eq!(wire.peers.receive().payload.len(), 801);
    });
}
