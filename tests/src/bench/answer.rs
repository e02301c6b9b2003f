//! What the server answers. No I/O.

use std::sync::Arc;

use super::head::{BadHead, NODE, RequestHead};
use super::workload::{FUNCTION, LARGE};

/// Longest answer that may be asked for, in bytes.
const MAX_ANSWER: usize = LARGE;

/// Up to here head and body are one write.
const JOINED: usize = 16 << 10;

/// An answer: what is written first, and how much of the large buffer after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// The head, and the body if it is short.
    pub(super) first: Vec<u8>,
    /// Bytes of [`Answers::filler`] that follow.
    pub(super) rest: usize,
    /// Whether the connection ends with it.
    pub(super) close: bool,
}

/// What one server answers: the benchmark's function, and what an agent asks a gateway for.
#[derive(Debug, Clone)]
pub(super) struct Answers {
    node: String,
    filler: Arc<[u8]>,
}

impl Answers {
    /// Of the server that calls itself `node`.
    pub(super) fn new(node: &str) -> Self {
        Self { node: node.to_owned(), filler: vec![b'd'; MAX_ANSWER].into() }
    }

    /// The bytes of which large answers are made.
    pub(super) fn filler(&self) -> &[u8] {
        &self.filler
    }

    /// The answer to a request whose body has been read.
    pub(super) fn to(&self, request: &RequestHead<'_>) -> Answer {
        let (path, query) = request.path.split_once('?').unwrap_or((request.path, ""));
        match path.strip_prefix("/function/") {
            Some(FUNCTION) => match query.strip_prefix("answer=").map(str::parse::<usize>) {
                None => self.text("200 OK", &request.body.to_string(), request.close),
                Some(Ok(length)) if length <= MAX_ANSWER => self.filled(length, request.close),
                Some(_) => self.text("400 Bad Request", "no such length", request.close),
            },
            Some(_) => self.text("404 Not Found", "no such function", request.close),
            None if path == "/system/functions" => self.text("200 OK", &functions(), request.close),
            None if path == "/healthz" => self.text("200 OK", "", request.close),
            None => self.text("404 Not Found", "", request.close),
        }
    }

    /// The answer to what is no request.
    pub(super) fn to_bad(&self, reason: BadHead) -> Answer {
        match reason {
            BadHead::NotHttp => self.text("400 Bad Request", "not HTTP/1.1", true),
            BadHead::NoLength => self.text("411 Length Required", "content-length is missing", true),
        }
    }

    fn text(&self, status: &str, body: &str, close: bool) -> Answer {
        let mut first = self.head(status, body.len(), close);
        first.extend_from_slice(body.as_bytes());
        Answer { first, rest: 0, close }
    }

    fn filled(&self, length: usize, close: bool) -> Answer {
        let mut first = self.head("200 OK", length, close);
        if length > JOINED {
            return Answer { first, rest: length, close };
        }
        first.extend_from_slice(&self.filler[..length]);
        Answer { first, rest: 0, close }
    }

    fn head(&self, status: &str, length: usize, close: bool) -> Vec<u8> {
        let connection = if close { "connection: close\r\n" } else { "" };
        let node = &self.node;
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{NODE}: {node}\r\n{connection}\r\n")
            .into_bytes()
    }
}

/// The gateway's list of functions, as OpenFaaS writes it.
fn functions() -> String {
    format!(r#"[{{"name":"{FUNCTION}","namespace":"openfaas-fn","replicas":1,"availableReplicas":1}}]"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(path: &str, body: usize, close: bool) -> (String, Answer) {
        let answer = Answers::new("node-1").to(&RequestHead { length: 0, path, body, close });
        (String::from_utf8(answer.first.clone()).unwrap(), answer)
    }

    #[test]
    fn the_function_tells_how_much_it_was_sent_and_who_it_is() {
        let (text, answer) = answer("/function/bench", 4711, false);
        assert_eq!(text, "HTTP/1.1 200 OK\r\ncontent-length: 4\r\ndfaas-node: node-1\r\n\r\n4711");
        assert_eq!((answer.rest, answer.close), (0, false));
    }

    #[test]
    fn large_answers_come_from_memory_and_small_ones_with_their_head() {
        let (text, large) = answer("/function/bench?answer=5000000", 32, false);
        assert!(text.ends_with("content-length: 5000000\r\ndfaas-node: node-1\r\n\r\n"), "{text}");
        assert_eq!(large.rest, LARGE);
        let (text, small) = answer("/function/bench?answer=3", 32, true);
        assert!(text.ends_with("connection: close\r\n\r\nddd"), "{text}");
        assert_eq!((small.rest, small.close), (0, true));
    }

    #[test]
    fn an_answer_that_cannot_be_given_is_refused_in_words() {
        for path in ["/function/bench?answer=5000001", "/function/bench?answer=-1", "/function/bench?answer="]
        {
            assert!(answer(path, 0, false).0.starts_with("HTTP/1.1 400 "), "{path}");
        }
        for path in ["/function/other", "/system/namespaces", "/", ""] {
            assert!(answer(path, 0, false).0.starts_with("HTTP/1.1 404 "), "{path}");
        }
        let bad = Answers::new("node-1").to_bad(BadHead::NoLength);
        assert!(bad.close && bad.first.starts_with(b"HTTP/1.1 411 "));
    }

    #[test]
    fn an_agent_finds_the_function_in_the_list() {
        let (text, _) = answer("/system/functions", 0, false);
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        let list: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!((&list[0]["name"], &list[0]["availableReplicas"]), (&FUNCTION.into(), &1.into()));
    }
}
