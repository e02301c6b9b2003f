//! What the client sends.

use super::*;

#[test]
fn the_next_request_is_at_a_boundary_once_all_is_answered_and_acknowledged() {
    let mut connection = Connection::asked(10);
    assert!(!connection.at_boundary(110, 0), "no answer yet");
    assert_eq!(connection.answers(0, 250, &answers(100)), Answer::Nothing);
    assert!(!connection.at_boundary(110, 250), "half an answer");
    assert_eq!(connection.comes(250, 50), Answer::Done);
    assert!(!connection.at_boundary(110, 250), "the client has not got all of it");
    assert!(connection.at_boundary(110, 300));
    assert!(!connection.at_boundary(109, 300) && !connection.at_boundary(111, 300));
    connection.backend_acked = 109;
    assert!(!connection.at_boundary(110, 300), "the backend has not got all of the request");
    connection.backend_acked = 110;
    assert_eq!(connection.ask(110, 300, HEAD, 0), Verdict::Go);
    connection.backend_acked = 210;
    assert!(!connection.at_boundary(210, 300), "the answer before this one does not count again");
    assert_eq!(connection.answers(300, 200, &answers(0)), Answer::Done);
    assert!(connection.at_boundary(210, 500));
}

#[test]
fn nothing_is_a_boundary_before_the_first_request() {
    assert_ne!(Exchange::default().client.data(0, 0, 0, Milestone::default()), Data::Request);
    assert_eq!(Connection::default().comes(0, 1), Answer::Pin);
    assert_eq!(Connection::default().comes(0, 0), Answer::Nothing);
}

#[test]
fn requests_that_do_not_tell_their_end_pin() {
    let mut client = ClientSide::default();
    for (facts, payload) in [
        (RequestFacts { flags: flag::PINS, ..asks(0) }, HEAD),
        (RequestFacts { head: 0, ..asks(0) }, HEAD),
        (asks(LONGEST_MESSAGE), HEAD),
        // Another request behind this one.
        (asks(0), HEAD + 1),
        (asks(10), HEAD + 11),
    ] {
        assert_eq!(client.on_request(0, 0, payload, &facts), Verdict::Pin, "{facts:?}");
    }
    assert_eq!(client, ClientSide::default());
}

#[test]
fn data_within_the_present_request_are_fine_in_any_order_and_data_beyond_it_pin() {
    let mut connection = Connection::default();
    assert_eq!(connection.ask(0, 0, HEAD, 1000), Verdict::Go);
    for (at, payload) in
        [(100, 500), (600, 500), (0, 100), (600, 500), (50, 200), (1099, 1), (1100, 0), (1099, 0)]
    {
        assert_eq!(connection.sends(at, payload), Verdict::Go, "{at} {payload}");
    }
    for (at, payload) in [(1100, 1), (1000, 101), (1101, 50), (5000, 100), (0, 1101)] {
        assert_eq!(connection.sends(at, payload), Verdict::Pin, "{at} {payload}");
    }
}

#[test]
fn an_early_answer_makes_no_boundary_before_the_request_has_ended() {
    let mut connection = Connection::default();
    assert_eq!(connection.ask(0, 0, HEAD, 1000), Verdict::Go);
    connection.backend_acked = 100;
    assert_eq!(connection.answers(0, 300, &answers(100)), Answer::Done);
    assert!(!connection.at_boundary(100, 300), "the body begins with what looks like a request");
    assert_eq!(connection.sends(100, 1000), Verdict::Go);
    assert!(!connection.at_boundary(1100, 300));
    connection.backend_acked = 1100;
    assert!(connection.at_boundary(1100, 300));
}

#[test]
fn the_sides_tell_each_other_whole_words() {
    let milestone = Milestone::new(7, 0xffff_fff0);
    assert_eq!((milestone.exchange(), milestone.sequence()), (7, 0xffff_fff0));
    assert!(after(5, u32::MAX - 5) && !after(u32::MAX - 5, 5) && !after(5, 5));
}

#[test]
fn data_whose_head_is_lost_or_that_come_before_the_last_acknowledgment_are_ahead() {
    let mut connection = Connection::asked(0);
    assert_eq!(connection.answers(0, 300, &answers(100)), Answer::Done);
    assert_eq!(connection.data(HEAD, 300), Data::Request);
    assert_eq!(connection.data(HEAD + 50, 300), Data::Ahead);
    assert_eq!(connection.data(HEAD - 1, 300), Data::Other, "an old byte again");
    connection.backend_acked -= 1;
    assert_eq!(connection.data(HEAD, 300), Data::Ahead, "answered before it was acknowledged");
    assert_eq!(connection.data(HEAD + 50, 299), Data::Other, "the client has not got all of the answer");
}
