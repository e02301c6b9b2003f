//! VLAN tags beside the data of frames, and the way of packets whose family has changed to the wire of a peer.

use dfaas_common::translate::flag::{ACK, FIN, PSH};

use crate::bench::FIGLET;
use crate::segment::Tag;
use crate::story::{ANSWER, Backend, Client, REQUEST};
use crate::wire::Wire;
use crate::world::{World, in_both_families, in_every_world};

in_every_world!(
    a_connection_to_a_peer_goes_over_the_wire_with_tags_on_the_clients_side_alone,
    the_tags_of_a_peers_frames_stay_on_its_own_side,
);
in_both_families!(an_answer_of_the_node_goes_over_the_wire_with_the_tags_of_the_request);

const TAGS: [&[Tag]; 4] =
    [&[], &[Tag::vlan(7)], &[Tag::service(100), Tag::vlan(7)], &[Tag::vlan(100), Tag::vlan(0)]];

/// A whole connection of a client with these tags to a peer whose frames carry those.
fn to_a_peer(wire: &mut Wire, client: Client, of_peer: &[Tag]) {
    let world = client.world;
    let client = wire.connect(client);
    let syn = wire.forward(&client.segment(ACK | PSH, 0, 0).payload(REQUEST));
    assert_eq!((syn.from.0, syn.to), (world.data().0, world.data_of(1)));
    assert!(syn.tags.is_empty(), "{syn:?}");
    let mut peer = Backend::accepting(syn);
    peer.syn.tags = of_peer.to_vec();
    wire.peers.send(&peer.syn_ack());
    let request = wire.peers.receive();
    assert_eq!((request.tags.as_slice(), request.payload.as_slice()), ([].as_slice(), REQUEST));

    let (sent, got) = (ANSWER.len() as u32, REQUEST.len() as u32);
    for answer in [peer.segment(ACK | PSH, 0, got).payload(ANSWER), peer.fin(sent, got)] {
        wire.peers.send(&answer);
        let seen = wire.users.receive();
        assert_eq!((seen.from, seen.to), (world.listen(), client.end));
        assert_eq!((seen.tags.as_slice(), &seen.payload), (client.tags.as_slice(), &answer.payload));
        assert_eq!(seen.hardware, client.syn().outgoing().hardware);
    }
    let last = wire.forward(&client.segment(FIN | ACK, got, sent + 1));
    assert_eq!((last.to, last.flags, last.tags.as_slice()), (world.data_of(1), FIN | ACK, [].as_slice()));
}

fn a_connection_to_a_peer_goes_over_the_wire_with_tags_on_the_clients_side_alone(world: World) {
    Wire::run(world, |mut wire| {
        wire.bench.plan(&[(1, 65_536)], |_| {});
        for (port, tags) in (40_000..).zip(TAGS) {
            to_a_peer(&mut wire, Client::new(world, port).tagged(tags), &[]);
        }
        assert_eq!(wire.bench.invocations(), [((FIGLET, 1, 0), TAGS.len() as u64)].into());
    });
}

fn the_tags_of_a_peers_frames_stay_on_its_own_side(world: World) {
    Wire::run(world, |mut wire| {
        wire.bench.plan(&[(1, 65_536)], |_| {});
        for (port, (tags, of_peer)) in (40_000..).zip(TAGS.into_iter().zip(TAGS.into_iter().rev())) {
            to_a_peer(&mut wire, Client::new(world, port).tagged(tags), of_peer);
        }
    });
}

fn an_answer_of_the_node_goes_over_the_wire_with_the_tags_of_the_request(world: World) {
    Wire::run(world, |mut wire| {
        wire.bench.plan(&[(0xffff, 65_536)], |_| {});
        for (port, tags) in (40_000..).zip(TAGS) {
            let client = wire.connect(Client::new(world, port).tagged(tags));
            let answer = wire.ask(&client.segment(ACK | PSH, 0, 0).payload(REQUEST));
            assert!(answer.text().starts_with("HTTP/1.1 503 "), "{answer:?}");
            assert_eq!((answer.tags.as_slice(), answer.to), (tags, client.end));
        }
    });
}
