//! Connections that are bound to the local gateway.

use dfaas_common::translate::flag::{ACK, FIN, PSH, RST};

use crate::bench::{Bench, FIGLET, FLOWS, PASS, REDIRECT};
use crate::segment::{NODE, OUTSIDE, Segment};
use crate::story::{ANSWER, Backend, Client, REQUEST};
use crate::world::{World, in_both_families, in_every_world};

in_every_world!(a_function_whose_gateway_is_down_goes_to_a_peer_that_serves_it,);

in_both_families!(
    without_a_plan_the_gateway_gets_the_connection_and_sees_the_client_itself,
    a_finished_connection_gives_its_entry_up_early_if_the_table_is_nearly_full_and_an_open_one_does_not,
    what_is_not_understood_goes_to_the_gateway_untouched_although_the_plan_sends_everything_away,
    a_refusal_of_what_is_not_an_invocation_is_the_clients_refusal,
    an_old_connection_of_the_host_is_reset_and_the_syn_comes_again,
);

fn without_a_plan_the_gateway_gets_the_connection_and_sees_the_client_itself(world: World) {
    let mut bench = Bench::new(world);
    let client = Client::new(world, 40_000).connect(&mut bench);
    let outcome = client.request(&mut bench, REQUEST);
    assert_eq!(outcome.verdict, PASS, "the SYN goes up");
    let gateway = Backend::accepting(outcome.segment());
    assert_eq!(
        (gateway.syn.from, gateway.syn.to, gateway.syn.sequence),
        (client.end, world.listen(), client.isn)
    );
    assert_eq!(gateway.syn.read_times().expect("timestamps").0, client.time + 5, "and its own clock");

    // The SYN-ACK is caught on its way out and comes back in as the request.
    let turned = bench.egress(gateway.syn_ack());
    assert_eq!(turned.verdict, REDIRECT);
    let request = turned.segment();
    assert_eq!(request.hardware, (OUTSIDE, NODE), "as if from the client's side");
    assert_eq!((request.from, request.to, request.payload.as_slice()), (client.end, world.listen(), REQUEST));
    assert_eq!((request.sequence, request.acknowledgment), (client.isn + 1, gateway.isn.wrapping_add(1)));

    assert_eq!(bench.bound(), [((FIGLET, 0), 1)].into());

    let got = REQUEST.len() as u32;
    let outcome = bench.egress(gateway.segment(ACK | PSH, 0, got).payload(ANSWER));
    assert_eq!(outcome.verdict, PASS);
    assert!(bench.bound().is_empty(), "with its answer the invocation is over");
    let answer = outcome.segment();
    assert_eq!((answer.sequence, answer.acknowledgment), (client.cookie + 1, client.isn + 1 + got));
    assert_eq!(answer.read_times().expect("timestamps").1, client.time + 5);

    let ack = bench.ingress(&client.segment(ACK, got, ANSWER.len() as u32));
    assert_eq!(
        (ack.verdict, ack.segment().acknowledgment),
        (PASS, gateway.isn.wrapping_add(1 + ANSWER.len() as u32))
    );
    assert_eq!(bench.invocations(), [((FIGLET, 0, 0), 1)].into());
    bench.egress(gateway.fin(ANSWER.len() as u32, got));
    bench.ingress(&client.segment(FIN | ACK, got, ANSWER.len() as u32 + 1));
    assert!(bench.bound().is_empty());
    assert_eq!(bench.flows().len(), 1);
    bench.age(std::time::Duration::from_secs(6));
    bench.sweep();
    assert_eq!(bench.flows().len(), 0);
}

fn a_finished_connection_gives_its_entry_up_early_if_the_table_is_nearly_full_and_an_open_one_does_not(
    world: World,
) {
    let mut bench = Bench::new(world);
    let client = Client::new(world, 40_000).connect(&mut bench);
    let gateway = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    bench.egress(gateway.syn_ack());
    let got = REQUEST.len() as u32;
    bench.egress(gateway.segment(ACK | PSH, 0, got).payload(ANSWER));
    let looked_for = |crowded: bool, bench: &mut Bench| {
        bench.configure(|config| config.max_flows = if crowded { 1 } else { FLOWS });
        bench.age(std::time::Duration::from_secs(1));
        bench.sweep();
        bench.flows().len()
    };
    assert_eq!(looked_for(true, &mut bench), 1, "it is open");
    bench.egress(gateway.fin(ANSWER.len() as u32, got));
    assert_eq!(looked_for(true, &mut bench), 1, "its client may go on");
    bench.ingress(&client.segment(FIN | ACK, got, ANSWER.len() as u32 + 1));
    assert_eq!(looked_for(false, &mut bench), 1, "there is room");
    assert_eq!(looked_for(true, &mut bench), 0);
}

fn what_is_not_understood_goes_to_the_gateway_untouched_although_the_plan_sends_everything_away(
    world: World,
) {
    let requests: [&[u8]; 7] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"GET /system/functions HTTP/1.1\r\n\r\n",
        b"POST /function/unheard-of HTTP/1.1\r\n\r\n",
        b"POST /function/figl",
        b"P",
    ];
    for request in requests {
        let mut bench = Bench::new(world);
        bench.plan(&[(1, 65_536)], |_| {});
        let client = Client::new(world, 40_000).connect(&mut bench);
        let gateway = Backend::accepting(client.request(&mut bench, request).segment());
        assert_eq!(gateway.syn.to, world.listen(), "{}", String::from_utf8_lossy(request));
        assert_eq!(bench.egress(gateway.syn_ack()).segment().payload, request);
        assert_eq!(bench.invocations(), [((0, 0, 0), 1)].into());
    }
}

fn a_refusal_of_what_is_not_an_invocation_is_the_clients_refusal(world: World) {
    let mut bench = Bench::new(world);
    let client = Client::new(world, 40_000).connect(&mut bench);
    let request = b"GET /healthz HTTP/1.1\r\n\r\n";
    let gateway = Backend::accepting(client.request(&mut bench, request).segment());
    let outcome = bench.egress(gateway.refusal());
    assert_eq!(outcome.verdict, PASS);
    let reset = outcome.segment();
    assert_eq!((reset.flags, reset.from, reset.to), (RST | ACK, world.listen(), client.end));
    assert_eq!(reset.sequence, client.cookie + 1);
    assert_eq!((bench.live(), bench.bound().len()), (0, 0));
}

fn a_function_whose_gateway_is_down_goes_to_a_peer_that_serves_it(world: World) {
    let mut bench = Bench::new(world);
    bench.plan(&[(0, 65_535), (1, 1)], |plan| plan.mode = dfaas_common::plan::mode::SMOOTH);
    let client = Client::new(world, 40_000).connect(&mut bench);
    let gateway = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    assert_eq!(gateway.syn.to, world.listen());
    let outcome = bench.egress(gateway.refusal());
    assert_eq!(outcome.verdict, REDIRECT);
    let peer = Backend::accepting(outcome.segment());
    assert_eq!(peer.syn.to.0, world.peers()[0]);
    assert_eq!(bench.ingress(&peer.syn_ack()).segment().payload, REQUEST);
    assert_eq!(bench.bound(), [((FIGLET, 1), 1)].into());
}

fn an_old_connection_of_the_host_is_reset_and_the_syn_comes_again(world: World) {
    let mut bench = Bench::new(world);
    let client = Client::new(world, 40_000).connect(&mut bench);
    let gateway = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    let challenge = Segment::new(world.listen(), client.end, ACK).numbers(99, 4_242);
    let outcome = bench.egress(challenge);
    assert_eq!(outcome.verdict, REDIRECT);
    let again = Backend::accepting(outcome.segment());
    assert_eq!((again.syn.from, again.syn.sequence), (client.end, client.isn));
    assert_eq!(bench.egress(gateway.syn_ack()).segment().payload, REQUEST);
}
