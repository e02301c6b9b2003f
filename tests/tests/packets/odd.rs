//! Segments that are unusual, malformed or meant to harm.

use dfaas_common::translate::flag::{ACK, PSH, RST};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use crate::bench::{Bench, DROP};
use crate::segment::{Segment, Tag};
use crate::story::{ANSWER, Backend, Client, REQUEST};
use crate::world::{Family, World, in_both_families, in_every_world};

in_every_world!(
    options_at_odd_offsets_are_translated_and_the_checksum_stays_right,
    a_first_segment_that_was_damaged_on_its_way_is_dropped_and_its_retransmission_served,
    every_length_of_request_arrives_as_it_was_sent,
    random_packets_change_nothing_but_counters,
);
in_both_families!(a_first_segment_that_is_cut_out_of_the_frame_is_left_to_the_host);

fn options_at_odd_offsets_are_translated_and_the_checksum_stays_right(world: World) {
    let mut bench = Bench::new(world);
    bench.plan(&[(1, 65_536)], |_| {});
    let client = Client::new(world, 40_000).connect(&mut bench);
    let peer = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    bench.ingress(&peer.syn_ack());
    let mut options = vec![1, 8, 10];
    options.extend((client.time + 9).to_be_bytes());
    options.extend(client.seen.to_be_bytes());
    options.extend([5, 10]);
    options.extend((client.cookie + 100).to_be_bytes());
    options.extend((client.cookie + 200).to_be_bytes());
    options.extend([1; 3]);
    let seen = bench.ingress(&client.segment(ACK, 0, 50).options(&options)).segment();
    assert_eq!(seen.acknowledgment, peer.isn.wrapping_add(51));
    assert_eq!(seen.options[13..17], peer.isn.wrapping_add(100).to_be_bytes());
    assert_eq!(seen.options[17..21], peer.isn.wrapping_add(200).to_be_bytes());
    let echo = u32::from_be_bytes(seen.options[7..11].try_into().expect("four bytes"));
    assert!(peer.time.wrapping_sub(echo) < 10_000, "the echo is on the peer's clock: {echo}");
}

fn a_first_segment_that_is_cut_out_of_the_frame_is_left_to_the_host(world: World) {
    let mut bench = Bench::new(world);
    let client = Client::new(world, 40_000).connect(&mut bench);
    let whole = client.segment(ACK | PSH, 0, 0).payload(REQUEST).bytes();
    let outcome = bench.ingress_bytes(&whole[..whole.len() - 10]);
    outcome.passed_untouched();
    assert_eq!(bench.live(), 0);
}

fn a_first_segment_that_was_damaged_on_its_way_is_dropped_and_its_retransmission_served(world: World) {
    let mut bench = Bench::new(world);
    bench.plan(&[(1, 65_536)], |_| {});
    let client = Client::new(world, 40_000).connect(&mut bench);
    let first = client.segment(ACK | PSH, 0, 0).payload(REQUEST);
    let mut damaged = first.bytes();
    let last = damaged.len() - 1;
    damaged[last] ^= 4;
    assert_eq!(bench.ingress_bytes(&damaged).verdict, DROP);
    assert_eq!((bench.live(), bench.drops()), (0, [("bad_checksum", 1)].into()));

    let peer = Backend::accepting(bench.ingress(&first).segment());
    let rest = client.segment(ACK, REQUEST.len() as u32, 0).payload(b"odd");
    let mut damaged = rest.bytes();
    let last = damaged.len() - 2;
    damaged[last] ^= 1;
    assert_eq!(bench.ingress_bytes(&damaged).verdict, DROP);
    assert_eq!(bench.drops()["bad_checksum"], 2);
    bench.ingress(&rest);
    bench.ingress(
        &client.segment(ACK, REQUEST.len() as u32 + 3, 0).payload(b"then even, after an odd length"),
    );
    let sent = bench.ingress(&peer.syn_ack()).segment().payload;
    assert_eq!(sent, [REQUEST, b"odd", b"then even, after an odd length"].concat());
}

fn every_length_of_request_arrives_as_it_was_sent(world: World) {
    let mut bench = Bench::new(world);
    bench.plan(&[(1, 65_536)], |_| {});
    for (i, length) in (30..1449).step_by(43).enumerate() {
        let mut request = b"POST /function/figlet HTTP/1.1\r\n".to_vec();
        request.resize(length, b'a' + (length % 26) as u8);
        let client = Client::new(world, 41_000 + i as u16).connect(&mut bench);
        let outcome = client.request(&mut bench, &request);
        let backend = Backend::accepting(outcome.segment());
        assert_eq!(bench.ingress(&backend.syn_ack()).segment().payload, request, "{length} bytes");
        bench.ingress(&backend.segment(RST | ACK, 0, 0));
        bench.age(std::time::Duration::from_secs(2));
        bench.sweep();
    }
}

fn random_packets_change_nothing_but_counters(world: World) {
    let mut bench = Bench::new(world);
    bench.plan(&[(1, 65_536)], |_| {});
    let seed =
        std::env::var("DFAAS_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(rand::random::<u64>);
    println!("DFAAS_SEED={seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    for _ in 0..20_000 {
        let mut options = vec![0; random.random_range(0..=10usize) * 4];
        random.fill(options.as_mut_slice());
        let mut payload = vec![0; random.random_range(0..200)];
        random.fill(payload.as_mut_slice());
        let family = if random.random() { Family::V4 } else { Family::V6 };
        let to = if random.random() { family.listen() } else { family.data() };
        let mut segment = Segment::new((family.user(), random.random()), to, random.random())
            .numbers(random.random(), random.random())
            .options(&options)
            .payload(&payload);
        (segment.class, segment.hops) = (random.random(), random.random());
        segment.tags = (0..random.random_range(0..4)).map(|_| Tag::vlan(random.random())).collect();
        let mut bytes = segment.bytes();
        if random.random_ratio(1, 4) {
            let at = random.random_range(12..bytes.len());
            bytes[at] = random.random();
        }
        bench.ingress_bytes(&bytes);
    }
    assert_eq!((bench.live(), bench.bound().len()), (0, 0), "nobody proved its address");
    // And the data plane still works.
    let client = Client::new(world, 40_000).connect(&mut bench);
    let peer = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    bench.ingress(&peer.syn_ack());
    assert_eq!(bench.ingress(&peer.segment(ACK, 0, 0).payload(ANSWER)).segment().payload, ANSWER);
}
