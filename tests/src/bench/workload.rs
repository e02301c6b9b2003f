//! What is asked for, over and over.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// The function that is called.
pub const FUNCTION: &str = "bench";

/// Bytes of a large answer or body.
pub const LARGE: usize = 5_000_000;

/// Bytes of a small body.
const SMALL: usize = 32;

/// How users call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Workload {
    /// A new connection for each small request.
    Connect,
    /// Small requests on connections that are kept.
    Keepalive,
    /// Large answers on connections that are kept.
    Download,
    /// Large bodies on connections that are kept.
    Upload,
}

impl Workload {
    /// All of them, in the order in which they are run.
    pub const ALL: [Self; 4] = [Self::Connect, Self::Keepalive, Self::Download, Self::Upload];

    /// Its name in options and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Keepalive => "keepalive",
            Self::Download => "download",
            Self::Upload => "upload",
        }
    }

    /// What it does, for people.
    pub fn describe(self) -> String {
        let at_once = self.connections();
        match self {
            Self::Connect => format!("a new connection for each small request, {at_once} at a time"),
            Self::Keepalive => format!("small requests on {at_once} kept connections"),
            Self::Download => format!("answers of 5 MB on {at_once} kept connections"),
            Self::Upload => format!("bodies of 5 MB on {at_once} kept connections"),
        }
    }

    /// Requests that are under way at one time, each on a connection of its own.
    pub fn connections(self) -> usize {
        match self {
            Self::Connect | Self::Keepalive => 32,
            Self::Download | Self::Upload => 4,
        }
    }

    /// Whether connections carry one request after another.
    pub fn keeps_connections(self) -> bool {
        self != Self::Connect
    }

    /// Whether bytes matter, and not requests.
    pub fn is_large(self) -> bool {
        self.payload() == LARGE
    }

    /// Bytes of body and answer together that a request is counted with: the larger of the two.
    pub fn payload(self) -> usize {
        self.body().max(self.answer().unwrap_or(0))
    }

    /// The whole request, as bytes.
    pub(super) fn request(self, target: SocketAddr) -> Vec<u8> {
        let mut head = format!("POST /function/{FUNCTION}");
        // Writing to a string cannot fail.
        if let Some(answer) = self.answer() {
            let _ = write!(head, "?answer={answer}");
        }
        let _ = write!(head, " HTTP/1.1\r\nhost: {target}\r\ncontent-type: application/octet-stream\r\n");
        if !self.keeps_connections() {
            head.push_str("connection: close\r\n");
        }
        let _ = write!(head, "content-length: {}\r\n\r\n", self.body());
        let mut request = head.into_bytes();
        request.resize(request.len() + self.body(), b'u');
        request
    }

    /// The right answer.
    pub(super) fn expected(self) -> Expected {
        match self.answer() {
            Some(length) => Expected::Length(length),
            // The server tells how much it was sent.
            None => Expected::Body(self.body().to_string().into_bytes()),
        }
    }

    /// Bytes of the request's body.
    fn body(self) -> usize {
        if self == Self::Upload { LARGE } else { SMALL }
    }

    /// Bytes that are asked for, if that is not left to the server.
    fn answer(self) -> Option<usize> {
        (self == Self::Download).then_some(LARGE)
    }
}

/// What an answer's body must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    /// So many bytes.
    Length(usize),
    /// Just this.
    Body(Vec<u8>),
}

impl Expected {
    /// Bytes of the body.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Length(length) => *length,
            Self::Body(body) => body.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(workload: Workload) -> String {
        String::from_utf8(workload.request(([10, 77, 1, 1], 8080).into())).unwrap()
    }

    #[test]
    fn requests_say_how_long_their_body_is_and_whether_the_connection_goes_on() {
        let connect = text(Workload::Connect);
        assert!(
            connect.starts_with("POST /function/bench HTTP/1.1\r\nhost: 10.77.1.1:8080\r\n"),
            "{connect}"
        );
        assert!(connect.contains("\r\nconnection: close\r\n"), "{connect}");
        let (head, body) = connect.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with("content-length: 32") && body.len() == 32, "{connect}");
        assert!(!text(Workload::Keepalive).contains("close"));
        assert!(text(Workload::Download).starts_with("POST /function/bench?answer=5000000 HTTP/1.1\r\n"));
    }

    #[test]
    fn a_request_is_counted_with_the_bytes_that_it_is_about() {
        let payloads = Workload::ALL.map(Workload::payload);
        assert_eq!(payloads, [32, 32, LARGE, LARGE]);
        assert_eq!(Workload::Upload.expected(), Expected::Body(b"5000000".to_vec()));
        assert_eq!(Workload::Download.expected().length(), LARGE);
    }
}
