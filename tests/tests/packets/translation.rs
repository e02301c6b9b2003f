//! What of a packet outlives the way between a client and a peer, which may be of another IP family.

use dfaas_common::translate::flag::{ACK, FIN, PSH, RST};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use crate::bench::{Bench, Outcome, REDIRECT};
use crate::frame::ETHERNET;
use crate::segment::{CWR, ECE, Segment, URG};
use crate::story::{Backend, Client};
use crate::world::{Family, World, in_every_world};

in_every_world!(
    payloads_of_every_kind_of_length_arrive_with_all_kinds_of_headers,
    class_and_hops_are_carried_over_and_so_is_a_flow_label_where_there_can_be_one,
    a_whole_header_of_options_is_translated,
    control_segments_without_payload_are_translated,
    what_the_node_builds_is_as_long_as_it_says_and_starts_with_fresh_hops,
    random_segments_keep_what_is_not_translated,
);

/// A request whose body is long enough for all that stories send behind it.
const REQUEST: &[u8] = b"POST /function/figlet HTTP/1.1\r\nHost: node\r\nContent-Length: 90000000\r\n\r\n";

/// Nothing, odd and even ones, those next to a full segment, and what only several segments in one can carry.
const LENGTHS: [usize; 11] = [0, 1, 2, 3, 536, 537, 1399, 1428, 1448, 1460, 3001];

/// A connection to the first peer.
struct Spliced {
    bench: Bench,
    client: Client,
    peer: Backend,
}

impl Spliced {
    fn new(world: World) -> Self {
        let mut bench = Bench::new(world);
        bench.plan(&[(1, 65_536)], |_| {});
        let client = Client::new(world, 40_000).connect(&mut bench);
        let peer = Backend::accepting(client.request(&mut bench, REQUEST).segment());
        bench.ingress(&peer.syn_ack());
        Self { bench, client, peer }
    }

    /// A segment from each side, after what both have heard of each other.
    fn both(&self, flags: u8, payload: &[u8]) -> [Segment; 2] {
        let got = REQUEST.len() as u32;
        [self.client.segment(flags, got, 0), self.peer.segment(flags, 0, got)].map(|s| s.payload(payload))
    }

    /// Sends a segment of either side and checks that it reaches the other with all that is not translated.
    fn carry(&mut self, segment: &Segment) -> Outcome {
        let outcome = self.bench.ingress(segment);
        assert_eq!(outcome.verdict, REDIRECT, "{segment:?}");
        let there = outcome.segment();
        let ends = if segment.from == self.client.end {
            (self.peer.syn.from, self.peer.syn.to)
        } else {
            (self.client.world.listen(), self.client.end)
        };
        assert_eq!((there.from, there.to), ends);
        assert_eq!(there.payload, segment.payload);
        assert_eq!((there.class, there.hops, there.flags), (segment.class, segment.hops, segment.flags));
        assert_eq!(there.options.len(), segment.options.len());
        assert_eq!(outcome.frame.len(), there.length(), "nothing behind the packet");
        let four = Family::of(there.from.0) == Family::V4;
        assert!(!four || outcome.frame[ETHERNET + 6] == 0x40, "whole, and not to be fragmented");
        outcome
    }
}

/// Bytes whose order matters.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 7 + i / 256) as u8).collect()
}

fn payloads_of_every_kind_of_length_arrive_with_all_kinds_of_headers(world: World) {
    let mut spliced = Spliced::new(world);
    for length in LENGTHS {
        for options in [0, 4, 12, 20, 40] {
            for segment in spliced.both(ACK | PSH, &pattern(length)) {
                let segment = segment.options(&vec![1; options]);
                let there = spliced.carry(&segment).segment();
                assert_eq!(there.options, segment.options);
            }
        }
    }
}

fn class_and_hops_are_carried_over_and_so_is_a_flow_label_where_there_can_be_one(world: World) {
    let mut spliced = Spliced::new(world);
    for class in 0..=255 {
        for mut segment in spliced.both(ACK, b"odd") {
            (segment.class, segment.hops) = (class, 255 - class);
            if Family::of(segment.from.0) == Family::V6 {
                segment.label = 0xf_1234;
            }
            let there = spliced.carry(&segment).segment();
            let six = Family::of(there.from.0) == Family::V6;
            assert_eq!(there.label, if six { segment.label } else { 0 });
        }
    }
}

fn a_whole_header_of_options_is_translated(world: World) {
    let mut spliced = Spliced::new(world);
    for payload in [&b""[..], b"odd", b"even"] {
        let [mut from_client, mut from_peer] = spliced.both(ACK, payload);
        let blocks = [100, 200, 300, 400, 500, 600_u32];
        let sack = |segment: &mut Segment, base: u32| {
            segment.options.extend([1, 1, 5, 26]);
            blocks.iter().for_each(|at| segment.options.extend(base.wrapping_add(*at).to_be_bytes()));
        };
        sack(&mut from_client, spliced.client.cookie);
        sack(&mut from_peer, spliced.client.isn);
        assert_eq!((from_client.options.len(), from_peer.options.len()), (40, 40));

        let there = spliced.carry(&from_client).segment();
        let moved: Vec<u8> =
            blocks.iter().flat_map(|at| spliced.peer.isn.wrapping_add(*at).to_be_bytes()).collect();
        assert_eq!(there.options[16..], moved);
        let there = spliced.carry(&from_peer).segment();
        assert_eq!(there.options[16..], from_peer.options[16..], "the client's numbers are its own");
    }
}

fn control_segments_without_payload_are_translated(world: World) {
    let mut spliced = Spliced::new(world);
    for flags in [ACK | URG, ACK | ECE, ACK | CWR, FIN | ACK, RST | ACK, RST] {
        for segment in spliced.both(flags, b"") {
            spliced.carry(&segment);
        }
    }
}

fn what_the_node_builds_is_as_long_as_it_says_and_starts_with_fresh_hops(world: World) {
    let mut bench = Bench::new(world);
    bench.plan(&[(1, 65_536)], |_| {});
    let client = Client::new(world, 40_000).connect(&mut bench);
    let mut first = client.segment(ACK | PSH, 0, 0).payload(REQUEST);
    (first.class, first.hops) = (0xff, 3);
    let opened = bench.ingress(&first);
    let peer = Backend::accepting(opened.segment());
    let mut syn_ack = peer.syn_ack();
    (syn_ack.class, syn_ack.hops) = (0xff, 3);
    for outcome in [opened, bench.ingress(&syn_ack)] {
        let segment = outcome.segment();
        assert_eq!(outcome.frame.len(), segment.length());
        assert_eq!((segment.class, segment.label, segment.hops), (0, 0, 64));
        assert_eq!(segment.to, world.data_of(1));
    }
}

fn random_segments_keep_what_is_not_translated(world: World) {
    let seed =
        std::env::var("DFAAS_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(rand::random::<u64>);
    println!("DFAAS_SEED={seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let mut spliced = Spliced::new(world);
    for _ in 0..2_000 {
        let mut payload = vec![0; random.random_range(0..3_000)];
        random.fill(payload.as_mut_slice());
        // Neither SYN, FIN nor RST: the connection goes on.
        let flags = ACK | random.random::<u8>() & (PSH | URG | ECE | CWR);
        let mut segment = spliced.both(flags, &payload)[random.random_range(0..2usize)].clone();
        (segment.class, segment.hops) = (random.random(), random.random());
        segment.window = random.random();
        if random.random() {
            segment.options = vec![1; 4 * random.random_range(0..=10usize)];
        }
        spliced.carry(&segment);
    }
}
