//! Requests on a kept connection go where the plan of the time says, and nothing of the change is seen by the client.

use dfaas_common::translate::flag::{ACK, FIN, PSH, RST};

use crate::bench::{Bench, DROP, FIGLET, PASS, QRCODE, REDIRECT};
use crate::kept::{Kept, OfPeer, all_to};
use crate::story::{ANSWER, Backend, REQUEST, whom};
use crate::wire::Wire;
use crate::world::{World, in_both_families, in_every_world};

in_every_world!(
    a_connection_goes_from_peer_to_peer_and_home_and_away_again,
    another_function_goes_by_its_own_plan,
    a_connection_of_the_hosts_own_stack_moves_once_something_is_steered_and_back,
    the_leg_that_is_left_gets_a_reset_at_the_number_that_it_expects,
    late_packets_of_the_backend_that_was_left_change_nothing,
    the_end_of_a_request_that_comes_again_with_the_next_one_passes_alone,
    a_moved_request_that_comes_again_opens_again_and_is_delivered_once,
    a_new_backend_that_refuses_leads_to_the_next,
    a_rejected_request_is_answered_where_the_client_is_and_ends_the_connection,
    windows_are_in_the_scale_that_the_client_was_told_whoever_serves,
    the_end_of_the_connection_reaches_the_backend_of_the_time,
);
in_both_families!(a_peers_kept_connection_stays_here_whatever_the_plan,);

fn a_connection_goes_from_peer_to_peer_and_home_and_away_again(world: World) {
    let mut kept = Kept::open(world, 1);
    for (backend, name) in [(2, "peer 2"), (0, "local"), (1, "peer 1"), (2, "peer 2"), (0, "local")] {
        kept.answered();
        assert!(kept.bench.bound().is_empty(), "nothing is under way");
        all_to(&mut kept.bench, backend);
        assert_eq!(kept.move_to(REQUEST), name);
        assert_eq!(kept.bench.bound(), [((FIGLET, backend as u16), 1)].into());
        kept.accept_carrying(REQUEST);
        kept.answered();
        kept.stays(REQUEST);
    }
    kept.answered();
    assert_eq!((kept.moves(), kept.bench.events()["stayed"]), (5, 5));
    assert_eq!((kept.bench.live(), kept.bench.bound()), (1, [].into()));
    assert_eq!(kept.bench.moved(), [((0, 1), 1), ((1, 2), 2), ((2, 0), 2)].into());
    let tallies = kept.bench.tallies();
    let of = |backend| tallies[&(FIGLET, backend, 0)];
    assert_eq!([0, 1, 2].map(|backend| of(backend).invocations), [4, 3, 4]);
    assert_eq!([0, 1, 2].map(|backend| of(backend).answers[2]), [4, 3, 4], "each by who gave it");
    for backend in 0..3 {
        let bytes = |each: &[u8]| of(backend).invocations * each.len() as u64;
        assert_eq!(of(backend).bytes, [bytes(REQUEST), bytes(ANSWER)], "to and from {backend}");
    }
}

fn another_function_goes_by_its_own_plan(world: World) {
    let mut kept = Kept::open(world, 1);
    kept.bench.plan_of(QRCODE, &[(2, 65_536)], |_| {});
    let other = b"POST /function/qrcode HTTP/1.1\r\nHost: node\r\nContent-Length: 3\r\n\r\nabc";
    for (request, name) in
        [(&other[..], "peer 2"), (REQUEST, "peer 1"), (b"GET /healthz HTTP/1.1\r\nHost: n\r\n\r\n", "local")]
    {
        kept.answered();
        assert_eq!(kept.move_to(request), name);
        kept.accept_carrying(request);
    }
    assert!(kept.bench.events().contains_key("not_understood"));
}

fn a_connection_of_the_hosts_own_stack_moves_once_something_is_steered_and_back(world: World) {
    let mut kept = Kept::native(world);
    all_to(&mut kept.bench, 1);
    kept.ask(REQUEST).passed_untouched();
    kept.answered();
    kept.ask(REQUEST).passed_untouched();
    kept.answered();
    kept.bench.configure(|_| {});
    assert_eq!(kept.move_to(REQUEST), "peer 1");
    kept.accept_carrying(REQUEST);
    kept.answered();
    all_to(&mut kept.bench, 0);
    assert_eq!(kept.move_to(REQUEST), "local");
    kept.accept_carrying(REQUEST);
    kept.answered();
    kept.stays(REQUEST);
    assert_eq!(kept.bench.events()["observed"], 1);
}

fn the_leg_that_is_left_gets_a_reset_at_the_number_that_it_expects(world: World) {
    Wire::run(world, |mut wire| {
        wire.bench
            .peer(2, |peer| *peer = dfaas_common::config::Peer { interface: wire.peers.index(), ..*peer });
        all_to(&mut wire.bench, 1);
        let client = wire.connect(crate::story::Client::new(world, 40_000));
        let first = wire.forward(&client.segment(ACK | PSH, 0, 0).payload(REQUEST));
        let old = Backend::accepting(first);
        wire.peers.send(&old.syn_ack());
        wire.peers.receive();
        let (sent, got) = (REQUEST.len() as u32, ANSWER.len() as u32);
        wire.peers.send(&old.segment(ACK | PSH, 0, sent).payload(ANSWER));
        wire.users.receive();
        all_to(&mut wire.bench, 2);
        let reset = wire.forward(&client.segment(ACK | PSH, sent, got).payload(REQUEST));
        assert_eq!((reset.flags, reset.from, reset.to), (RST, old.syn.from, old.syn.to));
        assert_eq!(reset.sequence, client.isn + 1 + sent, "all that the backend has got, and no more");
        assert_eq!((reset.payload.len(), reset.window), (0, 0));
        let new = wire.peers.receive();
        assert_eq!((whom(&new), new.sequence), ("peer 2", client.isn + sent));
        let new = Backend::accepting(new);
        wire.peers.send(&new.syn_ack());
        assert_eq!(wire.peers.receive().payload, REQUEST);
    });
}

fn late_packets_of_the_backend_that_was_left_change_nothing(world: World) {
    for new in [0, 2] {
        let mut kept = Kept::open(world, 1);
        kept.answered();
        let old = [
            kept.of_backend(ACK),
            kept.of_backend(FIN | ACK),
            kept.of_backend(RST | ACK),
            kept.of_backend(ACK | PSH).payload(ANSWER),
            kept.backend.syn_ack(),
        ];
        all_to(&mut kept.bench, new);
        kept.move_to(REQUEST);
        let late = |kept: &mut Kept| {
            for segment in &old {
                let outcome = kept.bench.ingress(segment);
                let to_client = outcome.verdict == REDIRECT && outcome.segment().to == kept.client.end;
                assert!(!to_client, "{segment:?}");
            }
        };
        late(&mut kept);
        kept.accept_carrying(REQUEST);
        late(&mut kept);
        kept.answered();
        late(&mut kept);
        kept.stays(REQUEST);
        assert_eq!(kept.bench.live(), 1);
    }
}

fn a_moved_request_that_comes_again_opens_again_and_is_delivered_once(world: World) {
    let mut kept = Kept::open(world, 1);
    kept.answered();
    all_to(&mut kept.bench, 2);
    let request = kept.of_client(ACK | PSH).payload(REQUEST);
    kept.move_to(REQUEST);
    let again = kept.bench.ingress(&request).segment();
    assert_eq!((again.from, again.to), (kept.backend.syn.from, kept.backend.syn.to));
    assert_eq!((again.flags, again.sequence), (kept.backend.syn.flags, kept.backend.syn.sequence));
    kept.accept_carrying(REQUEST);
    // Lost behind the node: the backend gets it at the same place, with an echo that it knows.
    let again = kept.bench.ingress(&request).segment();
    assert_eq!((again.to, again.payload.as_slice()), (kept.backend.syn.to, REQUEST));
    assert_eq!((again.sequence, again.acknowledgment), (request.sequence, kept.backend.isn.wrapping_add(1)));
    assert_eq!(again.read_times().expect("timestamps").1, kept.backend.time);
    kept.answered();
    // And once more, late: it is none of what comes next.
    let late = kept.bench.ingress(&request);
    assert_eq!((late.verdict, late.segment().to), (REDIRECT, kept.backend.syn.to));
    assert_eq!(kept.bench.invocations(), [((FIGLET, 1, 0), 1), ((FIGLET, 2, 0), 1)].into());
    assert_eq!(kept.moves(), 1);
    kept.stays(REQUEST);
}

fn a_new_backend_that_refuses_leads_to_the_next(world: World) {
    let mut kept = Kept::open(world, 1);
    kept.answered();
    all_to(&mut kept.bench, 2);
    kept.move_to(REQUEST);
    let refusal = kept.backend.refusal();
    let outcome = kept.deliver(&refusal);
    assert_eq!(kept.opened(&outcome, REQUEST.len() as u32), "local");
    assert_eq!(kept.bench.bound(), [((FIGLET, 0), 1)].into());
    kept.accept_carrying(REQUEST);
    kept.answered();
    assert_eq!(kept.bench.outcomes(2), [("refused", 1)].into());
    assert_eq!(kept.bench.tallies()[&(FIGLET, 0, 0)].retries, 1);
    assert!(kept.bench.bound().is_empty());
}

fn a_rejected_request_is_answered_where_the_client_is_and_ends_the_connection(world: World) {
    for backend in [0, 1] {
        let mut kept = Kept::open(world, backend);
        kept.answered();
        kept.bench.plan(&[(0xffff, 65_536)], |_| {});
        let request = kept.of_client(ACK | PSH).payload(REQUEST);
        let answer = kept.ask(REQUEST).segment();
        assert_eq!(whom(&answer), "503");
        assert_eq!(answer.flags & FIN, FIN);
        assert_eq!((answer.from, answer.to), (world.listen(), kept.client.end));
        assert_eq!(answer.sequence, kept.client.cookie.wrapping_add(1 + kept.got));
        assert_eq!(answer.acknowledgment, kept.client.isn + 1 + kept.sent);
        let time = answer.read_times().expect("timestamps").0;
        assert!((time.wrapping_sub(kept.client.seen) as i32) >= 0, "the clock never goes backwards");
        assert_eq!(kept.bench.ingress(&request).segment().sequence, answer.sequence, "the same once more");
        assert!(kept.bench.bound().is_empty());
        assert_eq!(kept.bench.invocations()[&(FIGLET, 0xffff, 0)], 1);
        let late = kept.backend.fin(ANSWER.len() as u32, REQUEST.len() as u32);
        let late = kept.deliver(&late);
        assert!(late.verdict == DROP || late.segment().to != kept.client.end, "{late:?}");
    }
}

fn windows_are_in_the_scale_that_the_client_was_told_whoever_serves(world: World) {
    let mut kept = Kept::open(world, 1);
    for backend in [2, 0, 1] {
        kept.answered();
        all_to(&mut kept.bench, backend);
        kept.move_to(REQUEST);
        kept.accept_carrying(REQUEST);
        let mut ack = kept.of_backend(ACK);
        ack.window = 100;
        let seen = kept.deliver(&ack).segment();
        assert_eq!(seen.window, 400, "100 << 9 bytes, in steps of 128");
        let mut ack = kept.of_client(ACK);
        ack.window = 300;
        assert_eq!(kept.bench.ingress(&ack).segment().window, 300, "the client's own scale");
    }
}

fn the_end_of_the_connection_reaches_the_backend_of_the_time(world: World) {
    for backend in [0, 2] {
        let mut kept = Kept::open(world, 1);
        kept.answered();
        all_to(&mut kept.bench, backend);
        kept.move_to(REQUEST);
        kept.accept_carrying(REQUEST);
        kept.answered();
        let fin = kept.bench.ingress(&kept.of_client(FIN | ACK)).segment();
        assert_eq!((fin.to, fin.flags), (kept.backend.syn.to, FIN | ACK));
        let fin = kept.deliver(&kept.of_backend(FIN | ACK)).segment();
        assert_eq!((fin.to, fin.flags), (kept.client.end, FIN | ACK));
        kept.bench.age(std::time::Duration::from_secs(6));
        kept.bench.sweep();
        assert_eq!((kept.bench.live(), kept.bench.flows().len()), (0, 0));
    }
}

fn a_peers_kept_connection_stays_here_whatever_the_plan(world: World) {
    let mut kept = OfPeer::open(world);
    for backend in [0, 2, 1] {
        all_to(&mut kept.bench, backend);
        let outcome = kept.ask(REQUEST);
        assert_eq!((outcome.verdict, outcome.segment().to), (PASS, world.gateway()));
        assert_eq!(outcome.segment().payload, REQUEST);
        assert_eq!(kept.bench.bound(), [((FIGLET, 0), 1)].into());
        kept.answered();
        assert!(kept.bench.bound().is_empty());
    }
    assert_eq!(kept.bench.invocations(), [((FIGLET, 0, 1), 3)].into());
    let bench: &Bench = &kept.bench;
    assert_eq!(bench.events()["stayed"], 3);
}

fn the_end_of_a_request_that_comes_again_with_the_next_one_passes_alone(world: World) {
    for lost in [1, 5, 8, REQUEST.len() as u32 - 1] {
        let mut kept = Kept::open(world, 1);
        // The backend has answered before it had all of the request.
        let early = kept.of_backend(ACK | PSH).payload(ANSWER);
        let early = early.clone().numbers(early.sequence, early.acknowledgment - lost);
        kept.deliver(&early);
        kept.got += ANSWER.len() as u32;
        kept.bench.ingress(&kept.of_client(ACK));
        all_to(&mut kept.bench, 2);
        kept.sent -= lost;
        let end = &REQUEST[REQUEST.len() - lost as usize..];
        let both = kept.bench.ingress(&kept.of_client(ACK | PSH).payload(&[end, REQUEST].concat())).segment();
        kept.sent += lost;
        assert_eq!(
            (both.to, both.payload.as_slice()),
            (kept.backend.syn.to, end),
            "what the old backend lacks"
        );
        // It acknowledges that, and so the client sends the next request again.
        let acknowledged = kept.of_backend(ACK);
        assert_eq!(kept.deliver(&acknowledged).segment().to, kept.client.end);
        assert_eq!(kept.move_to(REQUEST), "peer 2");
        kept.accept_carrying(REQUEST);
        kept.answered();
        assert_eq!((kept.moves(), kept.bench.pins()), (1, [].into()));
    }
}
