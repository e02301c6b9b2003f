//! Native XDP by itself: what it finishes, to the byte as the ingress program does, and that it touches nothing else.

use dfaas_common::translate::flag::{ACK, FIN, PSH, RST, SYN};

use crate::bench::{Bench, DROP, PASS, REDIRECT, run};
use crate::frame::padded;
use crate::segment::{Segment, Tag};
use crate::story::{Backend, Client, REQUEST, syn_options};
use crate::world::{World, in_both_families};

in_both_families!(
    a_syn_is_answered_in_the_same_bytes_by_both_programs,
    a_probe_is_answered_in_the_same_bytes_up_to_what_fills_the_frame,
    the_handshake_alone_is_finished_and_each_part_counts_once,
    what_needs_the_other_programs_passes_as_it_came_and_uncounted,
    the_client_of_a_flow_may_begin_anew_and_nobody_else,
);

/// Runs both programs on a frame until their clocks agree: what they answer differs by nothing else.
fn both(bench: &Bench, frame: &[u8]) -> (Vec<u8>, Vec<u8>) {
    for _ in 0..1000 {
        let packet = run(&bench.object, "dfaas_ingress", frame);
        let early = bench.front(frame);
        assert_eq!((packet.verdict, early.verdict), (REDIRECT, REDIRECT));
        let times = |frame: &[u8]| {
            let segment = Segment::read(frame);
            (segment.read_times(), segment.sequence)
        };
        if times(&packet.frame) == times(&early.frame) {
            return (packet.frame, early.frame);
        }
    }
    panic!("two runs in the same millisecond are nothing rare");
}

fn a_syn_is_answered_in_the_same_bytes_by_both_programs(world: World) {
    let bench = Bench::new(world);
    let bare = Segment::new(world.user(), world.listen(), SYN).numbers(1_000, 0);
    let one = [Tag::vlan(7)];
    let two = [Tag::service(100), Tag::vlan(7)];
    for syn in [
        bare.clone(),
        bare.clone().options(&[2, 4, 5, 0]),
        bare.clone().options(&syn_options(500)),
        bare.clone().options(&syn_options(500)).tagged(&one),
        bare.clone().options(&syn_options(500)).tagged(&two),
        // The longest header, with the timestamps at an odd place.
        bare.options(&[&[1, 2, 4, 5, 180, 8, 10, 0, 0, 1, 244, 0, 0, 0, 0, 3, 3, 9][..], &[1; 22]].concat()),
    ] {
        for frame in [syn.bytes(), padded(syn.bytes())] {
            let (packet, early) = both(&bench, &frame);
            assert_eq!(packet, early, "{syn:?}");
            assert_eq!(Segment::read(&early).flags, SYN | ACK);
        }
    }
}

fn a_probe_is_answered_in_the_same_bytes_up_to_what_fills_the_frame(world: World) {
    let mut bench = Bench::new(world);
    let client = Client::new(world, 40_000).connect(&mut bench);
    let mut probe = client.segment(ACK, 0, 0);
    probe.sequence = probe.sequence.wrapping_sub(1);
    for probe in [probe.clone(), probe.clone().payload(b"x"), probe.options(&[])] {
        let (packet, early) = both(&bench, &probe.bytes());
        assert_eq!(packet[..], early[..packet.len()], "{probe:?}");
        assert_eq!(early.len(), packet.len().max(60), "the shortest frame of a wire");
    }
}

fn the_handshake_alone_is_finished_and_each_part_counts_once(world: World) {
    let mut bench = Bench::new(world.behind_xdp());
    let client = Client::new(world, 40_000);
    let answer = bench.front(&client.syn().bytes());
    assert_eq!(answer.verdict, REDIRECT);
    let client = client.connected(&answer.segment());
    assert_eq!(bench.front(&client.segment(ACK, 0, 0).bytes()).verdict, DROP);
    assert_eq!(
        (bench.events(), bench.drops()),
        ([("syn_answered", 1)].into(), [("handshake_ack", 1)].into())
    );
    let first = client.segment(ACK | PSH, 0, 0).payload(REQUEST);
    bench.front(&first.bytes()).passed_untouched();
    assert_eq!(bench.ingress(&first).verdict, PASS, "it goes on to the gateway as a SYN");
    assert_eq!(bench.live(), 1);
}

fn what_needs_the_other_programs_passes_as_it_came_and_uncounted(world: World) {
    let mut bench = Bench::new(world);
    let client = Client::new(world, 40_000).connect(&mut bench);
    let (events, drops) = (bench.events(), bench.drops());
    let end = |flags| client.segment(flags, 0, 0);
    let strange = Client { cookie: 12_345, ..client.clone() };
    let syn = client.syn();
    let mut elsewhere = syn.clone();
    elsewhere.to.1 = 22;
    let to_peers = Segment::new((world.peers()[0], 20_007), world.data(), SYN).options(&syn_options(1));
    let foreign = Segment::new((world.users.foreigner(), 40_000), world.listen(), SYN);
    let three = [Tag::service(100), Tag::vlan(7), Tag::vlan(8)];
    for segment in [
        end(FIN | ACK),
        end(RST),
        end(RST | ACK),
        end(SYN | ACK),
        end(FIN),
        end(ACK).payload(b"P"),
        end(ACK | PSH).payload(REQUEST),
        strange.segment(ACK, 0, 0),
        strange.segment(ACK, 0, 0).payload(b"x"),
        elsewhere,
        to_peers,
        foreign,
        syn.clone().tagged(&three),
    ] {
        bench.front(&segment.bytes()).passed_untouched();
        assert_eq!((bench.events(), bench.drops()), (events.clone(), drops.clone()), "{segment:?}");
    }
    let changes: [fn(&mut dfaas_common::config::Config); 2] =
        [|config| config.armed = 0, |config| config.max_flows = 0];
    for change in changes {
        bench.configure(change);
        bench.front(&syn.bytes()).passed_untouched();
    }
    assert_eq!((bench.events(), bench.drops()), (events, drops), "the next program counts them");
}

fn the_client_of_a_flow_may_begin_anew_and_nobody_else(world: World) {
    let mut bench = Bench::new(world);
    bench.plan(&[(1, 65_536)], |_| {});
    let client = Client::new(world, 40_000).connect(&mut bench);
    let peer = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    let before = (bench.flows().len(), bench.events()["syn_answered"]);
    assert_eq!(bench.front(&client.syn().bytes()).verdict, REDIRECT);
    bench.front(&client.segment(ACK, 0, 0).bytes()).passed_untouched();
    let mut syn = peer.syn_ack();
    syn.flags = SYN;
    bench.front(&syn.bytes()).passed_untouched();
    assert_eq!((bench.flows().len(), bench.events()["syn_answered"]), (before.0, before.1 + 1));
}
