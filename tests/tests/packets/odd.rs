//! Packets that are unusual, malformed or meant to harm.

use dfaas_common::translate::flag::{ACK, PSH};
use etherparse::{IpFragOffset, Ipv4Header, Ipv4Options, PacketBuilder};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use crate::bench::{Bench, DROP, LISTEN, USER, socket};
use crate::segment::{NODE, OUTSIDE, Segment};
use crate::story::{ANSWER, Backend, Client, REQUEST};

fn frame(change: impl FnOnce(&mut Ipv4Header)) -> Vec<u8> {
    let mut ip =
        Ipv4Header { source: USER.0, destination: LISTEN.0, time_to_live: 64, ..Ipv4Header::default() };
    ip.protocol = etherparse::ip_number::TCP;
    change(&mut ip);
    let mut bytes = Vec::new();
    PacketBuilder::ethernet2(OUTSIDE, NODE)
        .ip(etherparse::IpHeaders::Ipv4(ip, Default::default()))
        .tcp(USER.1, LISTEN.1, 1, 1000)
        .syn()
        .write(&mut bytes, &[])
        .expect("writing to memory works");
    bytes
}

#[test]
fn fragments_and_ip_options_are_left_to_the_host() {
    let mut bench = Bench::new();
    bench.ingress_bytes(&frame(|ip| ip.more_fragments = true)).passed_untouched();
    bench
        .ingress_bytes(&frame(|ip| ip.fragment_offset = IpFragOffset::try_new(10).expect("small")))
        .passed_untouched();
    let router_alert = Ipv4Options::try_from([0x94, 4, 0, 0].as_slice()).expect("four bytes");
    bench.ingress_bytes(&frame(|ip| ip.options = router_alert)).passed_untouched();
    assert!(bench.events().is_empty());
}

#[test]
fn other_protocols_are_left_to_the_host() {
    let mut bench = Bench::new();
    let mut udp = Vec::new();
    PacketBuilder::ethernet2(OUTSIDE, NODE)
        .ipv4(USER.0, LISTEN.0, 64)
        .udp(USER.1, LISTEN.1)
        .write(&mut udp, b"POST /function/figlet HTTP/1.1")
        .expect("writing to memory works");
    bench.ingress_bytes(&udp).passed_untouched();
    let mut six = Vec::new();
    PacketBuilder::ethernet2(OUTSIDE, NODE)
        .ipv6([1; 16], [2; 16], 64)
        .tcp(USER.1, LISTEN.1, 1, 1000)
        .syn()
        .write(&mut six, &[])
        .expect("writing to memory works");
    bench.ingress_bytes(&six).passed_untouched();
    let mut tagged = Vec::new();
    PacketBuilder::ethernet2(OUTSIDE, NODE)
        .single_vlan(7.try_into().expect("small"))
        .ipv4(USER.0, LISTEN.0, 64)
        .tcp(USER.1, LISTEN.1, 1, 1000)
        .syn()
        .write(&mut tagged, &[])
        .expect("writing to memory works");
    assert_eq!(bench.ingress_bytes(&tagged).verdict, crate::bench::PASS);
    assert!(bench.events().is_empty());
}

#[test]
fn options_at_odd_offsets_are_translated_and_the_checksum_stays_right() {
    let mut bench = Bench::new();
    bench.plan(&[(1, 65_536)], |_| {});
    let client = Client::new(40_000).connect(&mut bench);
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

#[test]
fn a_first_segment_that_is_cut_out_of_the_frame_is_left_to_the_host() {
    let mut bench = Bench::new();
    let client = Client::new(40_000).connect(&mut bench);
    let whole = client.segment(ACK | PSH, 0, 0).payload(REQUEST).bytes();
    let outcome = bench.ingress_bytes(&whole[..whole.len() - 10]);
    outcome.passed_untouched();
    assert_eq!(bench.live(), 0);
}

#[test]
fn a_first_segment_that_was_damaged_on_its_way_is_dropped_and_its_retransmission_served() {
    let mut bench = Bench::new();
    bench.plan(&[(1, 65_536)], |_| {});
    let client = Client::new(40_000).connect(&mut bench);
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

#[test]
fn every_length_of_request_arrives_as_it_was_sent() {
    let mut bench = Bench::new();
    bench.plan(&[(1, 65_536)], |_| {});
    for (i, length) in (30..1449).step_by(43).enumerate() {
        let mut request = b"POST /function/figlet HTTP/1.1\r\n".to_vec();
        request.resize(length, b'a' + (length % 26) as u8);
        let client = Client::new(41_000 + i as u16).connect(&mut bench);
        let outcome = client.request(&mut bench, &request);
        let backend = Backend::accepting(outcome.segment());
        assert_eq!(bench.ingress(&backend.syn_ack()).segment().payload, request, "{length} bytes");
        bench.ingress(&backend.segment(dfaas_common::translate::flag::RST | ACK, 0, 0));
        bench.age(std::time::Duration::from_secs(2));
        bench.sweep();
    }
}

#[test]
fn random_packets_change_nothing_but_counters() {
    let mut bench = Bench::new();
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
        let to = if random.random() { LISTEN } else { crate::bench::DATA };
        let segment = Segment::new((USER.0, random.random()), to, random.random::<u8>() & 0x1f)
            .numbers(random.random(), random.random())
            .options(&options)
            .payload(&payload);
        let mut bytes = segment.bytes();
        if random.random_ratio(1, 4) {
            let at = random.random_range(12..bytes.len());
            bytes[at] = random.random();
        }
        bench.ingress_bytes(&bytes);
    }
    assert_eq!((bench.live(), bench.bound().len()), (0, 0), "nobody proved its address: {}", socket(LISTEN));
    // And the data plane still works.
    let client = Client::new(40_000).connect(&mut bench);
    let peer = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    bench.ingress(&peer.syn_ack());
    assert_eq!(bench.ingress(&peer.segment(ACK, 0, 0).payload(ANSWER)).segment().payload, ANSWER);
}
