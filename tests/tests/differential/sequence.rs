//! What a client sends over one connection, and how.

use std::fmt;

use bytes::Bytes;
use dfaas_tests::invocation::body;

/// Sends nothing of a body, its length first, or chunks of these sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    None,
    Length(usize),
    Chunks { sizes: Vec<usize>, extension: bool, trailer: bool },
}

/// What a client that expects `100 Continue` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expects {
    Nothing,
    /// It sends the body once it is told to.
    Waits,
    /// It does not wait.
    Hurries,
}

/// A request.
#[derive(Clone, PartialEq, Eq)]
pub struct Ask {
    /// Request line and header lines, without their ends.
    pub lines: Vec<String>,
    /// How lines end.
    pub newline: &'static str,
    pub content: Content,
    /// The body looks like requests and answers.
    pub misleading: bool,
    pub expects: Expects,
    /// It is sent without waiting for the answer to the one before.
    pub pipelined: bool,
    /// Offsets at which the request is cut into segments.
    pub cuts: Vec<usize>,
    /// Milliseconds between the segments.
    pub pause: u64,
}

/// How a client ends its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It closes its side behind the last request.
    HalfClose,
    /// It has all answers and closes.
    Leave,
    /// It has all answers and resets.
    Reset,
    /// It sends what is no HTTP, and waits for the end.
    Garbage,
    /// Its last request says that it is the last.
    LastRequest,
}

/// Everything that a client does on one connection.
#[derive(Clone, PartialEq, Eq)]
pub struct Sequence {
    pub asks: Vec<Ask>,
    pub ending: Ending,
}

impl Ask {
    /// Whether the answer has no body whatever it says.
    pub fn is_head(&self) -> bool {
        self.lines[0].starts_with("HEAD ")
    }

    /// The same without what keeps a connection with its backend, so that the next request may go elsewhere.
    pub fn made_plain(mut self) -> Self {
        let length = match &self.content {
            Content::None => 0,
            Content::Length(length) => *length,
            Content::Chunks { sizes, .. } => sizes.iter().sum(),
        };
        self.content = Content::Length(length);
        self.expects = Expects::Nothing;
        self.cuts.clear();
        let pins = ["content-length:", "transfer-encoding:", "expect:", "connection:", "cookie:"];
        self.lines.retain(|line| !pins.iter().any(|pin| line.to_ascii_lowercase().starts_with(pin)));
        self.lines.push(format!("Content-Length: {length}"));
        self.lines[0] =
            self.lines[0].replace("HEAD ", "GET ").replace("/1.0", "/1.1").replace("&close=1", "");
        self
    }

    pub fn head(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for line in self.lines.iter().map(String::as_str).chain([""]) {
            bytes.extend(line.as_bytes());
            bytes.extend(self.newline.as_bytes());
        }
        bytes
    }

    fn content_bytes(&self, length: usize) -> Bytes {
        if !self.misleading {
            return body(length);
        }
        let text =
            b"POST /function/echo HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
        text.iter().copied().cycle().take(length).collect()
    }

    pub fn body(&self) -> Vec<u8> {
        let (sizes, extension, trailer) = match &self.content {
            Content::None => return Vec::new(),
            Content::Length(length) => return self.content_bytes(*length).to_vec(),
            Content::Chunks { sizes, extension, trailer } => (sizes, *extension, *trailer),
        };
        let mut bytes = Vec::new();
        for size in sizes {
            let name = if extension { ";part=\"x\"" } else { "" };
            bytes.extend(format!("{size:x}{name}\r\n").bytes());
            bytes.extend(self.content_bytes(*size));
            bytes.extend(b"\r\n");
        }
        bytes.extend(if trailer { &b"0\r\nX-Trailer: end\r\n\r\n"[..] } else { b"0\r\n\r\n" });
        bytes
    }

    /// These bytes from offset `at` of the request on, cut where the request is.
    pub fn pieces(&self, bytes: &[u8], at: usize) -> Vec<Vec<u8>> {
        let within = |cut: &&usize| **cut > at && **cut < at + bytes.len();
        let mut cuts: Vec<usize> = self.cuts.iter().filter(within).map(|cut| cut - at).collect();
        cuts.push(bytes.len());
        let mut from = 0;
        cuts.into_iter().map(|to| bytes[std::mem::replace(&mut from, to)..to].to_vec()).collect()
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, newline, content, misleading, expects, pipelined, cuts, pause } = self;
        writeln!(f, "{lines:#?} {newline:?}")?;
        writeln!(f, "    {content:?} misleading={misleading} {expects:?} pipelined={pipelined}")?;
        write!(f, "    cuts={cuts:?} pause={pause} ms")
    }
}

impl fmt::Debug for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, ask) in self.asks.iter().enumerate() {
            writeln!(f, "{n}: {ask:?}")?;
        }
        write!(f, "then {:?}", self.ending)
    }
}

impl Sequence {
    /// Simpler ones that may fail as well.
    pub fn simpler(&self) -> Vec<Self> {
        let mut all = Vec::new();
        let (count, half) = (self.asks.len(), self.asks.len() / 2);
        let with = |asks: &[Ask]| Self { asks: asks.to_vec(), ending: self.ending };
        if count > 1 {
            all.extend([with(&self.asks[half..]), with(&self.asks[..half])]);
            all.extend((0..count).map(|out| with(&[&self.asks[..out], &self.asks[out + 1..]].concat())));
        }
        for change in [
            (|ask: &mut Ask| ask.cuts.clear()) as fn(&mut Ask),
            |ask| ask.pipelined = false,
            |ask| ask.misleading = false,
            |ask| ask.lines.retain(|line| !line.starts_with("X-")),
            |ask| ask.pause = 0,
        ] {
            let mut simpler = self.clone();
            simpler.asks.iter_mut().for_each(change);
            all.push(simpler);
        }
        all.retain(|simpler| simpler != self);
        all
    }
}
