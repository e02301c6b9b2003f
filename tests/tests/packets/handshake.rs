//! Connections before their first data.

use dfaas_common::translate::flag::{ACK, FIN, RST, SYN};

use crate::bench::{Bench, DROP, PASS, REDIRECT};
use crate::segment::{NODE, OUTSIDE, Segment};
use crate::story::{Client, syn_options};
use crate::world::{World, in_both_families};

in_both_families!(
    a_syn_is_answered_with_a_cookie_and_leaves_no_state,
    the_answer_offers_only_what_the_syn_offered,
    the_same_syn_gets_the_same_cookie_and_another_client_another,
    only_users_are_answered_and_only_while_armed,
    a_full_table_lets_new_connections_pass_to_the_host,
    other_ports_and_addresses_are_none_of_our_business,
    the_bare_acknowledgment_is_swallowed_and_a_keep_alive_probe_answered,
    closing_before_data_gets_a_reset,
    data_with_a_forged_cookie_passes_to_the_host_whatever_it_says,
    a_second_segment_that_overtakes_the_first_is_dropped_to_be_sent_again,
);

/// The option that tells a user our segment size.
fn mss(world: World) -> [u8; 4] {
    let [high, low] = world.users.segment_size().to_be_bytes();
    [2, 4, high, low]
}

fn a_syn_is_answered_with_a_cookie_and_leaves_no_state(world: World) {
    let mut bench = Bench::new(world);
    let syn = Segment::new(world.user(), world.listen(), SYN).numbers(1_000, 0).options(&syn_options(500));
    let outcome = bench.ingress(&syn);
    assert_eq!(outcome.verdict, REDIRECT);
    let answer = outcome.segment();
    assert_eq!(answer.hardware, (NODE, OUTSIDE), "it goes back the way it came");
    assert_eq!((answer.from, answer.to, answer.flags), (world.listen(), world.user(), SYN | ACK));
    assert_eq!(answer.acknowledgment, 1_001);
    assert_eq!(answer.window, world.users.segment_size() - 12, "as much early data as a slot holds");
    assert_eq!(
        answer.options[..8],
        [mss(world).as_slice(), &[4, 2, 8, 10]].concat(),
        "MSS, SACK permitted, timestamps"
    );
    assert_eq!(answer.read_times().expect("timestamps").1, 500, "the client's clock is echoed");
    assert_eq!(answer.options[16..], [1, 3, 3, 7], "our window scale");
    assert_eq!(bench.live(), 0);
    assert_eq!(bench.events(), [("syn_answered", 1)].into());
}

fn the_answer_offers_only_what_the_syn_offered(world: World) {
    let mut bench = Bench::new(world);
    let bare = bench.ingress(&Segment::new(world.user(), world.listen(), SYN).numbers(7, 0)).segment();
    assert_eq!(bare.options, [mss(world).as_slice(), &[1; 16]].concat());
    assert_eq!(bare.window, world.users.segment_size());
    let sack = Segment::new(world.user(), world.listen(), SYN).numbers(7, 0).options(&[4, 2, 1, 1]);
    assert_eq!(bench.ingress(&sack).segment().options[4..8], [4, 2, 1, 1]);
}

fn the_same_syn_gets_the_same_cookie_and_another_client_another(world: World) {
    let mut bench = Bench::new(world);
    let mut cookie = |port| Client::new(world, port).connect(&mut bench).cookie;
    assert_eq!(cookie(40_000), cookie(40_000));
    assert_ne!(cookie(40_000), cookie(40_001));
}

fn only_users_are_answered_and_only_while_armed(world: World) {
    let mut bench = Bench::new(world);
    let foreigner = Segment::new((world.users.foreigner(), 40_000), world.listen(), SYN).numbers(1, 0);
    bench.ingress(&foreigner).passed_untouched();
    let excluded = Segment::new((world.users.excluded(), 40_000), world.listen(), SYN).numbers(1, 0);
    bench.ingress(&excluded).passed_untouched();
    bench.configure(|config| config.armed = 0);
    bench.ingress(&Segment::new(world.user(), world.listen(), SYN).numbers(1, 0)).passed_untouched();
    assert_eq!(bench.events(), [("syn_disarmed", 1), ("syn_not_user", 2)].into());
}

fn a_full_table_lets_new_connections_pass_to_the_host(world: World) {
    let mut bench = Bench::new(world);
    bench.configure(|config| config.max_flows = 0);
    bench.ingress(&Segment::new(world.user(), world.listen(), SYN).numbers(1, 0)).passed_untouched();
    assert_eq!(bench.events(), [("syn_table_full", 1)].into());
}

fn other_ports_and_addresses_are_none_of_our_business(world: World) {
    let mut bench = Bench::new(world);
    for to in [(world.listen().0, 22), (world.peers()[0], 8080)] {
        bench.ingress(&Segment::new(world.user(), to, SYN)).passed_untouched();
        bench
            .ingress(&Segment::new(world.user(), to, ACK).payload(b"GET / HTTP/1.1\r\n\r\n"))
            .passed_untouched();
        bench.egress(Segment::new(to, world.user(), ACK));
    }
    assert!(bench.events().is_empty() && bench.drops().is_empty());
}

fn the_bare_acknowledgment_is_swallowed_and_a_keep_alive_probe_answered(world: World) {
    let mut bench = Bench::new(world);
    let client = Client::new(world, 40_000).connect(&mut bench);
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

fn closing_before_data_gets_a_reset(world: World) {
    let mut bench = Bench::new(world);
    let client = Client::new(world, 40_000).connect(&mut bench);
    let outcome = bench.ingress(&client.segment(FIN | ACK, 0, 0));
    assert_eq!(outcome.verdict, REDIRECT);
    assert_eq!((outcome.segment().flags, outcome.segment().sequence), (RST, client.cookie + 1));
}

fn data_with_a_forged_cookie_passes_to_the_host_whatever_it_says(world: World) {
    let mut bench = Bench::new(world);
    let mut forged = Client { cookie: 12_345, seen: 0, ..Client::new(world, 40_000) }
        .segment(ACK, 0, 0)
        .payload(b"GET / ");
    bench.ingress(&forged).passed_untouched();
    forged.flags = RST;
    bench.ingress(&forged).passed_untouched();
    assert_eq!((bench.live(), bench.events()), (0, [("passed_unknown", 1)].into()));
}

fn a_second_segment_that_overtakes_the_first_is_dropped_to_be_sent_again(world: World) {
    let mut bench = Bench::new(world);
    let client = Client::new(world, 40_000).connect(&mut bench);
    let second = client.segment(ACK, 100, 0).payload(b"the rest");
    assert_eq!(bench.ingress(&second).verdict, DROP, "its echo shows that it is young");
    let bare = second.options(&[]);
    let verdicts: Vec<u32> = (0..3).map(|_| bench.ingress(&bare).verdict).collect();
    assert_eq!(verdicts, [DROP, DROP, PASS], "without timestamps patience ends at the third");
    assert_eq!(bench.drops(), [("first_segment_missing", 3)].into());
}
