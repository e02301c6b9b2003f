//! What the backend sends.

use super::*;

#[test]
fn an_answer_that_is_sent_again_changes_nothing() {
    let mut connection = Connection::asked(0);
    assert_eq!(connection.answers(0, 300, &answers(100)), Answer::Done);
    for (at, payload) in [(0, 300), (0, 100), (299, 1), (299, 0), (150, 150)] {
        assert_eq!(connection.comes(at, payload), Answer::Nothing, "{at} {payload}");
    }
    assert_eq!(connection.ask(100, 300, HEAD, 0), Verdict::Go);
    // Also after the next request, until its own answer begins.
    assert_eq!(connection.comes(0, 300), Answer::Nothing);
    assert_eq!(connection.comes(299, 1), Answer::Nothing);
    assert_eq!(connection.answers(300, 200, &answers(0)), Answer::Done);
    assert_eq!(connection.comes(0, 300), Answer::Nothing);
}

#[test]
fn a_head_that_is_read_twice_counts_once() {
    let mut connection = Connection::asked(0);
    assert_eq!(connection.answers(0, 250, &answers(100)), Answer::Nothing);
    let before = connection.exchange;
    let again = connection.exchange.backend.on_response(BACKEND, 250, &answers(7));
    assert_eq!((again, connection.exchange), (Answer::Nothing, before));
}

#[test]
fn data_that_straddle_the_start_of_an_answer_pin() {
    let mut connection = Connection::asked(0);
    assert_eq!(connection.answers(0, 200, &answers(0)), Answer::Done);
    assert_eq!(connection.ask(100, 200, HEAD, 0), Verdict::Go);
    assert_eq!(connection.comes(199, 2), Answer::Pin);
}

#[test]
fn data_behind_the_end_of_an_answer_pin() {
    // In the segment of the head, in a later one, across the end, and ahead of the head.
    assert_eq!(Connection::asked(0).answers(0, 301, &answers(100)), Answer::Pin);
    let mut connection = Connection::asked(0);
    assert_eq!(connection.answers(0, 300, &answers(100)), Answer::Done);
    assert_eq!(connection.comes(300, 1), Answer::Pin);
    let mut connection = Connection::asked(0);
    assert_eq!(connection.answers(0, 250, &answers(100)), Answer::Nothing);
    assert_eq!(connection.comes(250, 51), Answer::Pin);
    let mut connection = Connection::asked(0);
    assert_eq!(connection.comes(250, 51), Answer::Nothing);
    assert_eq!(connection.answers(0, 250, &answers(100)), Answer::Pin);
    assert!(!connection.at_boundary(100, 300), "a doubtful end is not told");
}

#[test]
fn answers_that_do_not_tell_their_end_pin() {
    for facts in [
        ResponseFacts { flags: flag::PINS, ..answers(0) },
        ResponseFacts { head: 0, ..answers(0) },
        answers(LONGEST_MESSAGE),
    ] {
        assert_eq!(Connection::asked(0).answers(0, 200, &facts), Answer::Pin, "{facts:?}");
    }
}

#[test]
fn an_answer_with_a_length_ends_where_it_says_also_when_its_segments_change_places() {
    let mut connection = Connection::asked(0);
    assert_eq!(connection.comes(400, 100), Answer::Nothing);
    assert_eq!(connection.comes(300, 100), Answer::Nothing);
    assert_eq!(connection.answers(0, 300, &answers(300)), Answer::Done);
    assert!(connection.at_boundary(100, 500));
}
