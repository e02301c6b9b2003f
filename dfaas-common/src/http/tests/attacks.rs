//! What attackers and broken programs send: whatever two readers might take for two different things pins.

use super::*;

#[test]
fn requests_whose_end_two_readers_may_see_in_two_places_pin() {
    for lines in [
        // Chunks, alone, with a length, and hidden.
        "Transfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked\x0b\r\n",
        "Transfer-Encoding:\tchunked\r\n",
        "Transfer-Encoding:\x0bchunked\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding:\r\n",
        "Transfer-Encoding\r\n",
        "Transfer-Encoding : chunked\r\n",
        " Transfer-Encoding: chunked\r\n",
        "X: y\nTransfer-Encoding: chunked\r\n",
        "X: y\rTransfer-Encoding: chunked\r\n",
        "X: y\r\n Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "Transfer\u{7f}-Encoding: chunked\r\n",
        "Transfer-Encoding\0: chunked\r\n",
        "X\r\rTransfer-Encoding: chunked\r\n",
        "transfer-ENCODING: CHUNKED\r\n",
        // Lengths.
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\ncontent-length: 5\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5 \r\n",
        "Content-Length: 5 6\r\n",
        "Content-Length: 5;\r\n",
        "Content-Length: 5.0\r\n",
        "Content-Length: 5e1\r\n",
        "Content-Length: 05\r\n",
        "Content-Length: 00\r\n",
        "Content-Length: \r\n",
        "Content-Length:\r\n",
        "Content-Length: \t5\r\n",
        "Content-Length: \"5\"\r\n",
        "Content-Length: ٥\r\n",
        "Content-Length : 5\r\n",
        "Content-Length\t: 5\r\n",
        "Content-Length\r\n",
        " Content-Length: 5\r\n",
        "Content-Length: 5\r\n 6\r\n",
        "Content-Length:\r\n 5\r\n",
        "Content-Length: 1099511627777\r\n",
        "Content-Length: 18446744073709551621\r\n",
        "Content-Length: 340282366920938463463374607431768211461\r\n",
        "Content-Length: 5\n",
        "Content-Length: 5\r",
        "Content-\u{8}Length: 5\r\n",
        "Content\rLength: 5\r\n",
        "Content-Length: 5\0\r\n",
        // Connections that become something else.
        "Expect: 100-continue\r\n",
        "Upgrade: h2c\r\n",
        "Connection: upgrade\r\n",
        "Connection: keep-alive, Upgrade\r\n",
        "Connection: Content-Length\r\n",
        "Connection: keep-alive=yes\r\n",
        "Connection: closed\r\n",
        "Connection: keep-alivexyz\r\n",
        "Connection: close;q=1\r\n",
        "Trailer: Content-Length\r\n",
        "expect:x\r\n",
        // Lines that are none.
        "no colon\r\n",
        ": empty name\r\n",
        "Bad Name: x\r\n",
        "Bad(Name): x\r\n",
        "X: a\0b\r\n",
        "X: a\tb\r\n",
        "X: a\u{7f}\r\n",
        "X: caf\u{e9}\r\n",
        "X\u{e9}: y\r\n",
        "X: y\n",
        "X: y\r\r\n",
        "\n",
    ] {
        assert!(request_pins(&with(lines)), "{lines:?}");
    }
}

#[test]
fn request_lines_that_are_not_plain_pin() {
    for line in [
        "HEAD /function/figlet HTTP/1.1",
        "CONNECT node:8080 HTTP/1.1",
        "POST /function/figlet HTTP/1.0",
        "POST /function/figlet HTTP/1.2",
        "POST /function/figlet HTTP/2.0",
        "POST /function/figlet HTTP/1.10",
        "POST /function/figlet HTTP/1.1 ",
        "POST /function/figlet http/1.1",
        "POST /function/figlet",
        "POST /function/figlet ",
        "POST  /function/figlet HTTP/1.1",
        "POST /function/figlet  HTTP/1.1",
        "POST /function/figlet x HTTP/1.1",
        "POST /function/\tfiglet HTTP/1.1",
        "POST /function/figlet\tHTTP/1.1",
        "POST  HTTP/1.1",
        "POST HTTP/1.1",
        "post /function/figlet HTTP/1.1",
        "P0ST /function/figlet HTTP/1.1",
        " POST /function/figlet HTTP/1.1",
        "\r\nPOST /function/figlet HTTP/1.1",
        "POST /function/figl\u{e9}t HTTP/1.1",
        "POST /function/figlet\0 HTTP/1.1",
        "AMETHODLONGERTHANTWENTY /function/figlet HTTP/1.1",
        "/function/figlet HTTP/1.1",
        "",
    ] {
        for end in ["\r\n", "\n", "\r"] {
            let text = format!("{line}{end}Host: x\r\nContent-Length: 0\r\n\r\n");
            assert!(request_pins(&text), "{text:?}");
        }
    }
    assert!(!request_pins("POST /function/figlet HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"));
}

#[test]
fn a_header_that_only_looks_like_one_that_matters_changes_nothing() {
    for lines in [
        "X-Content-Length: 5\r\n",
        "Content-Length-X: 5\r\n",
        "Content-Lengths: 5\r\n",
        "Content-Type: chunked\r\n",
        "Content-Encoding: chunked\r\n",
        "Transfer-Encodings: chunked\r\n",
        "X-Transfer-Encoding: chunked\r\n",
        "TransferXEncoding: chunked\r\n",
        "X-Note: Transfer-Encoding: chunked\r\n",
        "X-Note: Content-Length: 5\r\n",
        "Expectation: 100-continue\r\n",
        "Upgrade-Insecure-Requests: 1\r\n",
        "Trailers: x\r\n",
        "X-Forwarded-Fort: 1\r\n",
        "X-Forwarded-Host: 1\r\n",
        "Connections: upgrade\r\n",
        "Keep-Alive: timeout=5\r\n",
        "TE: trailers\r\n",
        "Content_Length: 5\r\n",
    ] {
        let facts = request(&with(lines));
        assert_eq!((facts.flags, facts.body), (0, 0), "{lines:?}");
        assert_eq!(facts.head as usize, with(lines).len(), "{lines:?}");
    }
}

#[test]
fn the_head_ends_at_the_first_empty_line_whatever_follows() {
    let head = with("Content-Length: 40\r\n");
    let facts = request(&format!("{head}POST /function/x HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_eq!((facts.head as usize, facts.body, facts.flags), (head.len(), 40, 0));
}

#[test]
fn connection_options_are_a_list() {
    for (value, flags) in [
        ("close", flag::CLOSES),
        ("Close", flag::CLOSES),
        ("keep-alive", 0),
        ("Keep-Alive, Close", flag::CLOSES),
        ("close,keep-alive", flag::CLOSES),
        (" , close ,", flag::CLOSES),
        ("", 0),
        ("keep-alive, TE", flag::PINS),
        ("close, upgrade", flag::PINS | flag::CLOSES),
        ("closeclose", flag::PINS),
        ("keep-aliveclose", flag::PINS),
        ("close close", flag::PINS),
        ("keep-alive close", flag::PINS),
        ("close \t", flag::PINS),
    ] {
        assert_eq!(request(&with(&format!("Connection: {value}\r\n"))).flags, flags, "{value:?}");
    }
    // More of it than anybody sends takes too many steps.
    assert!(request_pins(&with(&format!("Connection:{}\r\n", ",".repeat(1200)))));
}

#[test]
fn many_large_lengths_do_no_harm() {
    assert!(request_pins(&with(&"Content-Length:1099511627776\r\n".repeat(40))));
    assert!(request_pins(&with(&"Content-Length:9999999999999\r\n".repeat(40))));
}

#[test]
fn answers_whose_end_two_readers_may_see_in_two_places_pin() {
    for lines in [
        "",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 5,5\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: chunked;q=1\r\n",
        "Transfer-Encoding: chunkedx\r\n",
        "Transfer-Encoding: chunked \r\n",
        "Transfer-Encoding: chunked\x0b\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n",
        "Content-Length: 5\r\nUpgrade: h2c\r\n",
        "Content-Length: 5\r\nConnection: upgrade\r\n",
        "Content-Length: 5\n",
        "X: y\n\nContent-Length: 5\r\n",
        "Content-Length: 5\r\n folded\r\n",
    ] {
        assert!(response_pins(&answer_with(lines)), "{lines:?}");
    }
    assert!(!response_pins(&answer_with("Content-Length: 5\r\n")));
    for line in [
        "HTTP/1.0 200 OK",
        "HTTP/1.1 100 Continue",
        "HTTP/1.1 101 Switching Protocols",
        "HTTP/1.1 103 Early Hints",
        "HTTP/1.1 600 Odd",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 200",
        "HTTP/1.1  200 OK",
        "HTTP/1.1 -20 OK",
        "HTTP/2 200 OK",
        "HTTP/1.1 200 O\u{8}K",
        "HTTP/1.1 204 No Content",
        "ICY 200 OK",
        "\r\nHTTP/1.1 200 OK",
    ] {
        assert!(response_pins(&format!("{line}\r\nContent-Length: 5\r\n\r\nhello")), "{line:?}");
    }
    assert!(response_pins("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"));
}
