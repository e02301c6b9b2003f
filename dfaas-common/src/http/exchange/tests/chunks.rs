//! Answers in chunks.

use super::*;

#[test]
fn chunks_are_followed_to_the_last_one() {
    let mut connection = Connection::asked(0);
    assert_eq!(connection.answers(0, 200, &in_chunks()), Answer::Nothing);
    // `64\r\n`, 100 bytes, CR LF, and in the same segment `a\r\n` with half of ten bytes.
    assert_eq!(connection.comes(200, 114), Answer::Chunk { at: 0 });
    assert_eq!(connection.chunk(200, 114, "64\r\nxxxxxxxxxxxx"), Answer::Chunk { at: 104 });
    assert_eq!(connection.chunk(200, 114, "\r\na\r\nxxxxx"), Answer::Nothing);
    assert_eq!(connection.comes(200, 114), Answer::Nothing, "sent again");
    assert_eq!(connection.comes(314, 12), Answer::Chunk { at: 5 });
    assert!(!connection.at_boundary(100, 326));
    assert_eq!(connection.chunk(314, 12, "\r\n0\r\n\r\n"), Answer::Done);
    assert!(connection.at_boundary(100, 326));
}

#[test]
fn a_chunk_line_may_be_cut_at_every_byte() {
    let mut connection = Connection::asked(0);
    assert_eq!(connection.answers(0, 200, &in_chunks()), Answer::Nothing);
    let body = "1\r\nx\r\n0000000a\r\n0123456789\r\n0\r\n\r\n";
    let data = [3, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25];
    for (i, byte) in body.bytes().enumerate() {
        let at = 200 + i as u32;
        let outcome = connection.comes(at, 1);
        if data.contains(&i) {
            assert_eq!(outcome, Answer::Nothing, "{i}");
            continue;
        }
        assert_eq!(outcome, Answer::Chunk { at: 0 }, "{i}");
        let last = i + 1 == body.len();
        let wanted = if last { Answer::Done } else { Answer::Nothing };
        assert_eq!(connection.chunk(at, 1, &char::from(byte).to_string()), wanted, "{i}");
        assert_eq!(connection.comes(at, 1), Answer::Nothing, "sent again");
    }
    assert!(connection.at_boundary(100, 200 + body.len() as u32));
}

#[test]
fn a_chunk_line_that_was_lost_is_waited_for() {
    let mut connection = Connection::asked(0);
    assert_eq!(connection.answers(0, 200, &in_chunks()), Answer::Nothing);
    // A chunk of 256 bytes; its line comes after half of its data.
    assert_eq!(connection.comes(300, 100), Answer::Nothing);
    assert_eq!(connection.comes(200, 100), Answer::Chunk { at: 0 });
    assert_eq!(connection.chunk(200, 100, "100\r\nxxxxxxxxxxx"), Answer::Nothing);
    assert_eq!(connection.comes(400, 68), Answer::Chunk { at: 61 });
    assert_eq!(connection.chunk(400, 68, "\r\n0\r\n\r\n"), Answer::Done);
}

#[test]
fn a_chunk_line_that_may_have_passed_unread_pins() {
    let mut connection = Connection::asked(0);
    assert_eq!(connection.answers(0, 200, &in_chunks()), Answer::Nothing);
    assert_eq!(connection.comes(300, 100), Answer::Nothing);
    assert_eq!(connection.comes(200, 100), Answer::Chunk { at: 0 });
    assert_eq!(connection.chunk(200, 100, "80\r\nxxxxxxxxxxxx"), Answer::Pin);
}

#[test]
fn chunks_that_are_not_what_they_say_pin() {
    for (line, then) in [
        ("5;x=y\r\n", None),
        ("0\r\nX: y\r\n\r\n", None),
        ("40000001\r\n", None),
        ("5\r\n", Some("0\r\n\r\n")),
    ] {
        let mut connection = Connection::asked(0);
        assert_eq!(connection.answers(0, 200, &in_chunks()), Answer::Nothing);
        assert_eq!(connection.comes(200, 50), Answer::Chunk { at: 0 });
        let outcome = connection.chunk(200, 50, line);
        match then {
            None => assert_eq!(outcome, Answer::Pin, "{line:?}"),
            Some(next) => {
                assert_eq!(outcome, Answer::Chunk { at: 8 });
                assert_eq!(connection.chunk(200, 50, next), Answer::Pin, "{next:?}");
            }
        }
    }
}

#[test]
fn data_behind_the_last_chunk_pin() {
    let mut connection = Connection::asked(0);
    assert_eq!(connection.answers(0, 210, &in_chunks()), Answer::Chunk { at: 200 });
    assert_eq!(connection.chunk(0, 210, "0\r\n\r\nHTTP/"), Answer::Pin);
    assert!(!connection.at_boundary(100, 205));
}
