//! Connections that the node answers itself.

use dfaas_common::translate::flag::{ACK, FIN, PSH, RST};

use crate::bench::{Bench, DROP, REDIRECT};
use crate::segment::{NODE, OUTSIDE};
use crate::story::{Client, REQUEST};
use crate::world::{World, in_both_families};

in_both_families!(
    the_answer_is_whole_and_ends_the_connection,
    a_retransmission_gets_the_same_answer_and_is_counted_once,
    the_clients_fin_is_acknowledged_and_the_tombstone_goes_soon,
    a_tombstone_that_the_client_forgot_goes_after_a_minute,
    the_rest_of_a_body_is_discarded_up_to_a_limit_and_then_reset,
);

fn rejecting(world: World) -> (Bench, Client) {
    let mut bench = Bench::new(world);
    bench.plan(&[(0xffff, 65_536)], |_| {});
    let client = Client::new(world, 40_000).connect(&mut bench);
    (bench, client)
}

fn the_answer_is_whole_and_ends_the_connection(world: World) {
    let (mut bench, client) = rejecting(world);
    let outcome = client.request(&mut bench, REQUEST);
    assert_eq!(outcome.verdict, REDIRECT);
    let answer = outcome.segment();
    assert_eq!(answer.hardware, (NODE, OUTSIDE));
    assert_eq!((answer.from, answer.to, answer.flags), (world.listen(), client.end, ACK | PSH | FIN));
    assert_eq!(
        (answer.sequence, answer.acknowledgment),
        (client.cookie + 1, client.isn + 1 + REQUEST.len() as u32)
    );
    assert_eq!(answer.read_times().expect("timestamps").1, client.time + 5);
    let text = answer.text();
    assert!(text.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{text}");
    assert!(text.contains("Retry-After: 1\r\n") && text.ends_with('}'), "{text}");
    assert_eq!(bench.events()["rejected_503"], 1);
}

fn a_retransmission_gets_the_same_answer_and_is_counted_once(world: World) {
    let (mut bench, client) = rejecting(world);
    let first = client.request(&mut bench, REQUEST).segment();
    let again = bench.ingress(&client.segment(ACK | PSH, 0, 0).payload(REQUEST)).segment();
    assert_eq!(
        (again.sequence, again.acknowledgment, again.payload),
        (first.sequence, first.acknowledgment, first.payload)
    );
    assert_eq!(bench.invocations().values().sum::<u64>(), 1);
}

fn the_clients_fin_is_acknowledged_and_the_tombstone_goes_soon(world: World) {
    let (mut bench, client) = rejecting(world);
    let answer = client.request(&mut bench, REQUEST).segment();
    let (sent, got) = (REQUEST.len() as u32, answer.payload.len() as u32 + 1);
    assert_eq!(bench.ingress(&client.segment(ACK, sent, got)).verdict, DROP);
    let last = bench.ingress(&client.segment(FIN | ACK, sent, got)).segment();
    assert_eq!((last.flags, last.sequence), (ACK, client.cookie + 1 + got));
    assert_eq!(last.acknowledgment, client.isn + 1 + sent + 1);
    bench.age(std::time::Duration::from_secs(3));
    bench.sweep();
    assert_eq!(bench.live(), 0);
}

fn a_tombstone_that_the_client_forgot_goes_after_a_minute(world: World) {
    let (mut bench, client) = rejecting(world);
    client.request(&mut bench, REQUEST);
    bench.age(std::time::Duration::from_secs(59));
    bench.sweep();
    assert_eq!(bench.live(), 1);
    bench.age(std::time::Duration::from_secs(2));
    bench.sweep();
    assert_eq!(bench.live(), 0);
}

fn the_rest_of_a_body_is_discarded_up_to_a_limit_and_then_reset(world: World) {
    let (mut bench, client) = rejecting(world);
    client.request(&mut bench, REQUEST);
    let body = vec![b'x'; 1400];
    let mut sent = REQUEST.len() as u32;
    let mut flags = ACK;
    for _ in 0..60 {
        let outcome = bench.ingress(&client.segment(ACK, sent, 0).payload(&body));
        assert_eq!(outcome.verdict, REDIRECT);
        flags = outcome.segment().flags;
        sent += 1400;
        if flags & RST != 0 {
            break;
        }
        assert_eq!(outcome.segment().acknowledgment, client.isn + 1 + sent);
    }
    assert_eq!(flags, RST | ACK, "after {sent} bytes");
    assert!((60_000..80_000).contains(&sent), "after {sent} bytes");
}
