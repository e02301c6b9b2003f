//! Packets that are none of our business, or that nobody can steer: they pass to the host as they came.

use std::net::{IpAddr, Ipv4Addr};

use dfaas_common::translate::flag::SYN;
use etherparse::{
    IpFragOffset, IpHeaders, Ipv4Header, Ipv4Options, Ipv6Extensions, Ipv6FragmentHeader, Ipv6Header,
    Ipv6RawExtHeader, Ipv6RoutingExtensions, PacketBuilder, ip_number,
};

use crate::bench::{Bench, REDIRECT};
use crate::frame::{ETHERNET, frame};
use crate::segment::{NODE, OUTSIDE, Segment};
use crate::world::{Family, World, with_and_without_xdp};

with_and_without_xdp!(
    what_these_stories_change_is_otherwise_answered,
    fragments_and_ip_options_are_left_to_the_host,
    extension_headers_of_ipv6_are_left_to_the_host,
    a_length_of_zero_over_ipv6_which_a_jumbogram_has_is_left_to_the_host,
    ipv4_addresses_in_ipv6_packets_are_not_taken_for_those_of_ipv4,
    a_header_that_says_another_version_than_the_frame_is_left_to_the_host,
    other_protocols_are_left_to_the_host,
);

fn syn(family: Family) -> Segment {
    Segment::new((family.user(), 40_000), family.listen(), SYN).numbers(1, 0)
}

/// A SYN over IPv4 whose IP header is changed like this.
fn four(change: impl FnOnce(&mut Ipv4Header)) -> Vec<u8> {
    let syn = syn(Family::V4);
    let IpHeaders::Ipv4(mut header, extensions) = syn.ip() else { panic!("IPv4") };
    change(&mut header);
    syn.behind(IpHeaders::Ipv4(header, extensions))
}

/// A SYN over IPv6 whose IP header is changed like this, or followed by extension headers.
fn six(change: impl FnOnce(&mut Ipv6Header, &mut Ipv6Extensions)) -> Vec<u8> {
    let syn = syn(Family::V6);
    let IpHeaders::Ipv6(mut header, mut extensions) = syn.ip() else { panic!("IPv6") };
    change(&mut header, &mut extensions);
    syn.behind(IpHeaders::Ipv6(header, extensions))
}

/// An extension header that says nothing: padding alone.
fn padding() -> Ipv6RawExtHeader {
    Ipv6RawExtHeader::new_raw(ip_number::TCP, &[1, 4, 0, 0, 0, 0]).expect("eight bytes")
}

fn what_these_stories_change_is_otherwise_answered(world: World) {
    let mut bench = Bench::new(world);
    assert_eq!(bench.ingress_bytes(&four(|_| {})).verdict, REDIRECT);
    assert_eq!(bench.ingress_bytes(&six(|_, _| {})).verdict, REDIRECT);
    assert_eq!(bench.events(), [("syn_answered", 2)].into());
}

fn fragments_and_ip_options_are_left_to_the_host(world: World) {
    let mut bench = Bench::new(world);
    bench.ingress_bytes(&four(|ip| ip.more_fragments = true)).passed_untouched();
    bench
        .ingress_bytes(&four(|ip| ip.fragment_offset = IpFragOffset::try_new(10).expect("small")))
        .passed_untouched();
    let router_alert = Ipv4Options::try_from([0x94, 4, 0, 0].as_slice()).expect("four bytes");
    bench.ingress_bytes(&four(|ip| ip.options = router_alert)).passed_untouched();
    assert!(bench.events().is_empty());
}

fn extension_headers_of_ipv6_are_left_to_the_host(world: World) {
    let mut bench = Bench::new(world);
    let fragment = |offset: u16, more: bool| {
        let offset = IpFragOffset::try_new(offset).expect("small");
        Some(Ipv6FragmentHeader::new(ip_number::TCP, offset, more, 7))
    };
    let routing = Ipv6RoutingExtensions { routing: padding(), final_destination_options: None };
    for frame in [
        six(|_, behind| behind.hop_by_hop_options = Some(padding())),
        six(|_, behind| behind.destination_options = Some(padding())),
        six(|_, behind| behind.routing = Some(routing)),
        six(|_, behind| behind.fragment = fragment(0, true)),
        six(|_, behind| behind.fragment = fragment(10, false)),
        six(|_, behind| behind.fragment = fragment(0, false)),
    ] {
        bench.ingress_bytes(&frame).passed_untouched();
    }
    assert!(bench.events().is_empty());
}

fn a_length_of_zero_over_ipv6_which_a_jumbogram_has_is_left_to_the_host(world: World) {
    let mut bench = Bench::new(world);
    let mut frame = syn(Family::V6).bytes();
    frame[ETHERNET + 4..ETHERNET + 6].fill(0);
    bench.ingress_bytes(&frame).passed_untouched();
    assert!(bench.events().is_empty());
}

fn ipv4_addresses_in_ipv6_packets_are_not_taken_for_those_of_ipv4(world: World) {
    let mut bench = Bench::new(world);
    let mapped = |address: IpAddr| match address {
        IpAddr::V4(four) => four.to_ipv6_mapped().octets(),
        IpAddr::V6(six) => six.octets(),
    };
    let (user, node) = (mapped(Family::V4.user()), mapped(Family::V4.node()));
    bench.ingress_bytes(&six(|ip, _| (ip.source, ip.destination) = (user, node))).passed_untouched();
    bench.ingress_bytes(&six(|ip, _| ip.source = user)).passed_untouched();
    bench.ingress_bytes(&six(|ip, _| ip.destination = node)).passed_untouched();
    let peer = mapped(Family::V4.peers()[0]);
    bench.ingress_bytes(&six(|ip, _| ip.source = peer)).passed_untouched();
    assert!(bench.events().is_empty() && bench.drops().is_empty());
}

fn a_header_that_says_another_version_than_the_frame_is_left_to_the_host(world: World) {
    let mut bench = Bench::new(world);
    for family in Family::BOTH {
        let mut frame = syn(family).bytes();
        frame[ETHERNET] ^= 0x20; // 4 becomes 6, and 6 becomes 4
        bench.ingress_bytes(&frame).passed_untouched();
    }
    assert!(bench.events().is_empty());
}

fn other_protocols_are_left_to_the_host(world: World) {
    let mut bench = Bench::new(world);
    let hardware = (OUTSIDE, NODE);
    let text = b"POST /function/figlet HTTP/1.1";
    for family in Family::BOTH {
        let ip = syn(family).ip();
        let mut udp = Vec::new();
        PacketBuilder::ip(ip.clone()).udp(40_000, 8080).write(&mut udp, text).expect("memory");
        bench.ingress_bytes(&frame(hardware, &[], family, &udp)).passed_untouched();
        let mut echo = Vec::new();
        let builder = PacketBuilder::ip(ip);
        match family {
            Family::V4 => builder.icmpv4_echo_request(1, 2).write(&mut echo, text).expect("memory"),
            Family::V6 => builder.icmpv6_echo_request(1, 2).write(&mut echo, text).expect("memory"),
        }
        bench.ingress_bytes(&frame(hardware, &[], family, &echo)).passed_untouched();
    }
    let mut arp = frame(hardware, &[], Family::V4, &Ipv4Addr::UNSPECIFIED.octets());
    arp[ETHERNET - 2..ETHERNET].copy_from_slice(&0x0806_u16.to_be_bytes());
    bench.ingress_bytes(&arp).passed_untouched();
    assert!(bench.events().is_empty());
}
