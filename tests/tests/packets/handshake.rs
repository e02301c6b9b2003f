//! Connections before their first data.

use dfaas_common::translate::flag::{ACK, FIN, RST, SYN};

use crate::bench::{Bench, DROP, LISTEN, PASS, REDIRECT, USER};
use crate::segment::{NODE, OUTSIDE, Segment};
use crate::story::{Client, syn_options};

#[test]
fn a_syn_is_answered_with_a_cookie_and_leaves_no_state() {
    let mut bench = Bench::new();
    let syn = Segment::new(USER, LISTEN, SYN).numbers(1_000, 0).options(&syn_options(500));
    let outcome = bench.ingress(&syn);
    assert_eq!(outcome.verdict, REDIRECT);
    let answer = outcome.segment();
    assert_eq!(answer.hardware, (NODE, OUTSIDE), "it goes back the way it came");
    assert_eq!((answer.from, answer.to, answer.flags), (LISTEN, USER, SYN | ACK));
    assert_eq!(answer.acknowledgment, 1_001);
    assert_eq!(answer.window, 1_448, "as much early data as a slot holds");
    assert_eq!(answer.options[..8], [2, 4, 0x05, 0xb4, 4, 2, 8, 10], "MSS, SACK permitted, timestamps");
    assert_eq!(answer.read_times().expect("timestamps").1, 500, "the client's clock is echoed");
    assert_eq!(answer.options[16..], [1, 3, 3, 7], "our window scale");
    assert_eq!(bench.live(), 0);
    assert_eq!(bench.events(), [("syn_answered", 1)].into());
}

#[test]
fn the_answer_offers_only_what_the_syn_offered() {
    let mut bench = Bench::new();
    let bare = bench.ingress(&Segment::new(USER, LISTEN, SYN).numbers(7, 0)).segment();
    assert_eq!(bare.options, [2, 4, 5, 0xb4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    assert_eq!(bare.window, 1_460);
    let sack = Segment::new(USER, LISTEN, SYN).numbers(7, 0).options(&[4, 2, 1, 1]);
    assert_eq!(bench.ingress(&sack).segment().options[4..8], [4, 2, 1, 1]);
}

#[test]
fn the_same_syn_gets_the_same_cookie_and_another_client_another() {
    let mut bench = Bench::new();
    let mut cookie = |port| Client::new(port).connect(&mut bench).cookie;
    assert_eq!(cookie(40_000), cookie(40_000));
    assert_ne!(cookie(40_000), cookie(40_001));
}

#[test]
fn only_users_are_answered_and_only_while_armed() {
    let mut bench = Bench::new();
    let foreigner = Segment::new(([203, 0, 114, 7], 40_000), LISTEN, SYN).numbers(1, 0);
    bench.ingress(&foreigner).passed_untouched();
    let excluded = Segment::new(([203, 0, 113, 66], 40_000), LISTEN, SYN).numbers(1, 0);
    bench.ingress(&excluded).passed_untouched();
    bench.configure(|config| config.armed = 0);
    bench.ingress(&Segment::new(USER, LISTEN, SYN).numbers(1, 0)).passed_untouched();
    assert_eq!(bench.events(), [("syn_disarmed", 1), ("syn_not_user", 2)].into());
}

#[test]
fn a_full_table_lets_new_connections_pass_to_the_host() {
    let mut bench = Bench::new();
    bench.configure(|config| config.max_flows = 0);
    bench.ingress(&Segment::new(USER, LISTEN, SYN).numbers(1, 0)).passed_untouched();
    assert_eq!(bench.events(), [("syn_table_full", 1)].into());
}

#[test]
fn other_ports_and_addresses_are_none_of_our_business() {
    let mut bench = Bench::new();
    for to in [(LISTEN.0, 22), ([192, 0, 2, 9], 8080)] {
        bench.ingress(&Segment::new(USER, to, SYN)).passed_untouched();
        bench.ingress(&Segment::new(USER, to, ACK).payload(b"GET / HTTP/1.1\r\n\r\n")).passed_untouched();
        bench.egress(Segment::new(to, USER, ACK));
    }
    assert!(bench.events().is_empty() && bench.drops().is_empty());
}

#[test]
fn the_bare_acknowledgment_is_swallowed_and_a_keep_alive_probe_answered() {
    let mut bench = Bench::new();
    let client = Client::new(40_000).connect(&mut bench);
    assert_eq!(bench.ingress(&client.segment(ACK, 0, 0)).verdict, DROP);
    let mut probe = client.segment(ACK, 0, 0);
    probe.sequence = probe.sequence.wrapping_sub(1);
    let outcome = bench.ingress(&probe);
    assert_eq!(outcome.verdict, REDIRECT);
    let answer = outcome.segment();
    assert_eq!(
        (answer.flags, answer.sequence, answer.acknowledgment),
        (ACK, client.cookie + 1, client.isn + 1)
    );
    assert_eq!(bench.live(), 0);
    assert_eq!(bench.drops(), [("handshake_ack", 1)].into());
}

#[test]
fn closing_before_data_gets_a_reset() {
    let mut bench = Bench::new();
    let client = Client::new(40_000).connect(&mut bench);
    let outcome = bench.ingress(&client.segment(FIN | ACK, 0, 0));
    assert_eq!(outcome.verdict, REDIRECT);
    assert_eq!((outcome.segment().flags, outcome.segment().sequence), (RST, client.cookie + 1));
}

#[test]
fn data_with_a_forged_cookie_passes_to_the_host_whatever_it_says() {
    let mut bench = Bench::new();
    let mut forged =
        Client { cookie: 12_345, seen: 0, ..Client::new(40_000) }.segment(ACK, 0, 0).payload(b"GET / ");
    bench.ingress(&forged).passed_untouched();
    forged.flags = RST;
    bench.ingress(&forged).passed_untouched();
    assert_eq!((bench.live(), bench.events()), (0, [("passed_unknown", 1)].into()));
}

#[test]
fn a_second_segment_that_overtakes_the_first_is_dropped_to_be_sent_again() {
    let mut bench = Bench::new();
    let client = Client::new(40_000).connect(&mut bench);
    let second = client.segment(ACK, 100, 0).payload(b"the rest");
    assert_eq!(bench.ingress(&second).verdict, DROP, "its echo shows that it is young");
    let bare = second.options(&[]);
    let verdicts: Vec<u32> = (0..3).map(|_| bench.ingress(&bare).verdict).collect();
    assert_eq!(verdicts, [DROP, DROP, PASS], "without timestamps patience ends at the third");
    assert_eq!(bench.drops(), [("first_segment_missing", 3)].into());
}
