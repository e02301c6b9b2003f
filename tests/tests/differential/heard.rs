//! What a client heard: the answers in their order, and how the connection ended.

use std::fmt;

use httparse::{EMPTY_HEADER, Status};

use crate::gateway::hash;

/// A complete answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub version: u8,
    /// Names in lower case and values, in their order, without those that change from answer to answer.
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    /// The node that answered: it does not count.
    pub node: String,
    /// Where the node says that the request came from, if the data plane told it.
    pub seen_from: Option<String>,
}

impl Answer {
    /// Whether it says that no other follows.
    pub fn is_last(&self) -> bool {
        self.headers.iter().any(|(name, value)| name == "connection" && value == b"close")
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| format!("{name}: {}", value.escape_ascii())).collect();
        let start = self.body[..self.body.len().min(300)].escape_ascii();
        let (length, sum) = (self.body.len(), hash(&self.body));
        write!(f, "{} by {} {headers:?} {length} bytes {sum:x}: {start}", self.status, self.node)
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The other side closed.
    Closed,
    /// The other side reset.
    Reset,
    /// The client left, as it had all answers.
    Left,
}

/// Reads answers from a growing stream.
#[derive(Debug, Default)]
pub struct Heard {
    pub bytes: Vec<u8>,
    /// Whether the requests in their order were HEAD.
    heads: Vec<bool>,
    /// Where the next answer begins.
    at: usize,
    pub answers: Vec<Answer>,
    /// Interim answers since the last final one.
    pub interim: usize,
    pub end: Option<End>,
}

/// Not compared: these change, or say who answered.
const CHANGING: [&str; 3] = ["date", "dfaas-node", "seen-from"];

/// A chunked body at the start: its content and its length on the wire. None: it goes on.
fn chunks(bytes: &[u8]) -> Option<Result<(Vec<u8>, usize), String>> {
    let (mut content, mut at) = (Vec::new(), 0);
    loop {
        let (line, size) = match httparse::parse_chunk_size(&bytes[at..]) {
            Ok(Status::Complete((line, size))) => (line, size as usize),
            Ok(Status::Partial) => return None,
            Err(_) => return Some(Err(format!("a broken chunk line at {at}"))),
        };
        at += line;
        let data = bytes.get(at..at + size + 2)?;
        if !data.ends_with(b"\r\n") {
            return Some(Err(format!("a chunk does not end at {at}")));
        }
        content.extend(&data[..size]);
        at += size + 2;
        if size == 0 {
            return Some(Ok((content, at)));
        }
    }
}

impl Heard {
    pub fn new(heads: Vec<bool>) -> Self {
        Self { heads, ..Self::default() }
    }

    /// Takes what has come.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.bytes.extend(bytes);
        while self.next()? {}
        Ok(())
    }

    /// The connection has ended.
    pub fn over(&mut self, end: End) -> Result<(), String> {
        self.end = Some(end);
        while self.next()? {}
        Ok(())
    }

    /// Bytes of an answer that has not come to its end.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    /// Reads one more answer, if it is complete.
    fn next(&mut self) -> Result<bool, String> {
        let bytes = &self.bytes[self.at..];
        let mut headers = [EMPTY_HEADER; 64];
        let mut head = httparse::Response::new(&mut headers);
        let length = match head.parse(bytes) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) => return Ok(false),
            Err(error) => return Err(format!("no answer at {}: {error}", self.at)),
        };
        let status = head.code.unwrap_or(0);
        if (100..200).contains(&status) && status != 101 {
            self.interim += 1;
            self.at += length;
            return Ok(true);
        }
        let value = |name: &str| head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        let text = |name: &str| value(name).map(|header| String::from_utf8_lossy(header.value).into_owned());
        let rest = &bytes[length..];
        let is_head = self.heads.get(self.answers.len()).copied().unwrap_or(false);
        let (body, on_wire) = if is_head || [101, 204, 304].contains(&status) {
            (Vec::new(), 0)
        } else if value("transfer-encoding").is_some() {
            match chunks(rest) {
                Some(read) => read?,
                None => return Ok(false),
            }
        } else if let Some(length) = text("content-length") {
            let length = length.trim().parse::<usize>().map_err(|_| format!("a length of {length}"))?;
            match rest.get(..length) {
                Some(body) => (body.to_vec(), length),
                None => return Ok(false),
            }
        } else if self.end == Some(End::Closed) {
            (rest.to_vec(), rest.len())
        } else {
            return Ok(false);
        };
        let compared =
            head.headers.iter().map(|header| (header.name.to_ascii_lowercase(), header.value.to_vec()));
        self.answers.push(Answer {
            status,
            version: head.version.unwrap_or(0),
            headers: compared.filter(|(name, _)| !CHANGING.contains(&name.as_str())).collect(),
            body,
            node: text("dfaas-node").unwrap_or_default(),
            seen_from: text("seen-from"),
        });
        self.at += length + on_wire;
        self.interim = 0;
        Ok(true)
    }

    /// What differs from what was heard on another way, in the answers, their order and the end.
    pub fn differs(&self, other: &Self) -> Option<String> {
        let same = |a: &Answer, b: &Answer| {
            (a.status, a.version, &a.headers, &a.body) == (b.status, b.version, &b.headers, &b.body)
        };
        for (n, (a, b)) in self.answers.iter().zip(&other.answers).enumerate() {
            if !same(a, b) {
                return Some(format!("answer {n}\nhere:  {a:?}\nthere: {b:?}"));
            }
        }
        let says = |heard: &Self| {
            (heard.answers.len(), heard.end, String::from_utf8_lossy(heard.rest()).into_owned())
        };
        (says(self) != says(other))
            .then(|| format!("answers, end, rest\nhere:  {:?}\nthere: {:?}", says(self), says(other)))
    }
}
