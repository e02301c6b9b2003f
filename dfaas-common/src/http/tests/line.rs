//! The request line of an invocation, read byte by byte: what the reader of words is held against.

use crate::plan::{NAME_BYTES, Name};
use crate::request::{Outcome, is_name_byte};

/// Most bytes of a segment that are looked at.
const LOOK: u32 = 192;

mod phase {
    pub const METHOD: u32 = 0;
    pub const TARGET: u32 = 1;
    pub const SCHEME: u32 = 2;
    pub const AUTHORITY: u32 = 3;
    pub const FUNCTION: u32 = 4;
    pub const ASYNC: u32 = 5;
    pub const NAME: u32 = 6;
    pub const INVOCATION: u32 = 7;
    pub const OTHER: u32 = 8;
}

/// Longest method that is taken for one.
const LONGEST_METHOD: u32 = 20;
const SCHEME: &[u8; 8] = b"http://\0";
const FUNCTION: &[u8; 16] = b"/function/\0\0\0\0\0\0";
const ASYNC: &[u8; 16] = b"/async-function/";

/// A reader of one request line.
#[derive(Debug, Clone, Copy)]
pub struct RequestLine {
    phase: u32,
    /// Bytes matched in this phase.
    matched: u32,
    /// The name, zeros behind: a key of the map of names.
    pub name: Name,
}

impl RequestLine {
    /// A reader that has seen nothing.
    pub const fn new() -> Self {
        Self { phase: phase::METHOD, matched: 0, name: [0; NAME_BYTES] }
    }

    /// Takes the next byte; `false` when no more are needed.
    pub fn step(&mut self, byte: u8) -> bool {
        let matched = self.matched;
        let next = match self.phase {
            phase::METHOD => match byte {
                b'A'..=b'Z' if matched < LONGEST_METHOD => phase::METHOD,
                b' ' if matched > 0 => phase::TARGET,
                _ => phase::OTHER,
            },
            phase::TARGET => match byte {
                b'/' => phase::FUNCTION,
                b'h' | b'H' => phase::SCHEME,
                _ => phase::OTHER,
            },
            phase::SCHEME => {
                if byte.to_ascii_lowercase() != SCHEME[(matched & 7) as usize] {
                    phase::OTHER
                } else if matched == 6 {
                    phase::AUTHORITY
                } else {
                    phase::SCHEME
                }
            }
            phase::AUTHORITY => match byte {
                b'/' => phase::FUNCTION,
                b'!'..=b'~' => phase::AUTHORITY,
                _ => phase::OTHER,
            },
            phase::FUNCTION if matched == 1 && byte == b'a' => phase::ASYNC,
            phase::FUNCTION => {
                if byte != FUNCTION[(matched & 15) as usize] {
                    phase::OTHER
                } else if matched == 9 {
                    phase::NAME
                } else {
                    phase::FUNCTION
                }
            }
            phase::ASYNC => {
                if byte != ASYNC[(matched & 15) as usize] {
                    phase::OTHER
                } else if matched == 15 {
                    phase::NAME
                } else {
                    phase::ASYNC
                }
            }
            phase::NAME => match byte {
                b' ' | b'/' | b'?' if matched > 0 => phase::INVOCATION,
                _ if is_name_byte(byte) && matched < NAME_BYTES as u32 - 1 => {
                    self.name[(matched & 63) as usize] = byte;
                    phase::NAME
                }
                _ => phase::OTHER,
            },
            other => other,
        };
        // The slash that ends TARGET and AUTHORITY is the first byte of the path; `h` the first of the scheme.
        self.matched = if next == self.phase || next == phase::ASYNC {
            matched + 1
        } else {
            (next == phase::FUNCTION || next == phase::SCHEME) as u32
        };
        self.phase = next;
        next < phase::INVOCATION
    }

    /// What the bytes so far amount to.
    pub const fn outcome(&self) -> Outcome {
        match self.phase {
            phase::INVOCATION => Outcome::Invocation,
            phase::OTHER => Outcome::Other,
            _ => Outcome::Incomplete,
        }
    }
}

/// Reads a request line from the start of a segment.
pub fn read(bytes: &[u8]) -> (Outcome, Name) {
    let mut line = RequestLine::new();
    for &byte in bytes.iter().take(LOOK as usize) {
        if !line.step(byte) {
            break;
        }
    }
    (line.outcome(), line.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::name_key;
    use proptest::prelude::*;

    fn function(line: &str) -> Option<String> {
        match read(line.as_bytes()) {
            (Outcome::Invocation, name) => {
                Some(String::from_utf8_lossy(&name).trim_end_matches('\0').to_owned())
            }
            _ => None,
        }
    }

    #[test]
    fn invocations_are_understood_in_every_form_that_the_gateway_routes() {
        for (line, name) in [
            ("POST /function/figlet HTTP/1.1\r\n", "figlet"),
            ("GET /function/figlet/ HTTP/1.1\r\n", "figlet"),
            ("GET /function/figlet/deep/path?x=1 HTTP/1.1\r\n", "figlet"),
            ("GET /function/figlet?x=1 HTTP/1.1\r\n", "figlet"),
            ("DELETE /function/a_b-C.openfaas-fn HTTP/1.1\r\n", "a_b-C.openfaas-fn"),
            ("POST /async-function/figlet HTTP/1.1\r\n", "figlet"),
            ("POST http://node:8080/function/figlet HTTP/1.1\r\n", "figlet"),
            ("POST HTTP://192.0.2.1/function/figlet HTTP/1.1\r\n", "figlet"),
        ] {
            assert_eq!(function(line).as_deref(), Some(name), "{line}");
        }
    }

    #[test]
    fn everything_else_is_left_to_the_gateway() {
        for line in [
            "GET /healthz HTTP/1.1\r\n",
            "GET /system/functions HTTP/1.1\r\n",
            "GET /function/ HTTP/1.1\r\n",
            "GET /function//x HTTP/1.1\r\n",
            "GET /functions/x HTTP/1.1\r\n",
            "GET /afunction/x HTTP/1.1\r\n",
            "GET /function/fi%67let HTTP/1.1\r\n",
            "GET  /function/figlet HTTP/1.1\r\n",
            "get /function/figlet HTTP/1.1\r\n",
            " GET /function/figlet HTTP/1.1\r\n",
            "OPTIONS * HTTP/1.1\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "GET https://node/function/figlet HTTP/1.1\r\n",
            "GET /FUNCTION/figlet HTTP/1.1\r\n",
            "\x16\x03\x01\x02\x00\x01\x00\x01\x00 /function/figlet ",
        ] {
            assert_eq!(read(line.as_bytes()).0, Outcome::Other, "{line}");
        }
    }

    #[test]
    fn a_line_that_is_cut_anywhere_before_the_name_ends_is_incomplete() {
        let line = "POST /function/figlet ";
        for cut in 0..line.len() {
            assert_eq!(read(&line.as_bytes()[..cut]).0, Outcome::Incomplete, "{cut}");
        }
        assert_eq!(read(line.as_bytes()).0, Outcome::Invocation);
    }

    #[test]
    fn a_name_of_63_bytes_fits_and_one_of_64_does_not() {
        assert!(function(&format!("GET /function/{} ", "x".repeat(63))).is_some());
        assert!(function(&format!("GET /function/{} ", "x".repeat(64))).is_none());
    }

    proptest! {
        #[test]
        fn every_valid_name_is_read_as_it_stands(name in "[-a-zA-Z_0-9.]{1,63}", rest in "[ /?][ -~]{0,40}") {
            let (outcome, key) = read(format!("POST /function/{name}{rest}").as_bytes());
            prop_assert_eq!(outcome, Outcome::Invocation);
            prop_assert_eq!(Some(key), name_key(&name));
        }

        #[test]
        fn no_bytes_make_it_stumble(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }
    }
}
