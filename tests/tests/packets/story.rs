//! A connection told packet by packet: what client and backend send, each continuing where the other left off.

use dfaas_common::translate::flag::{ACK, FIN, PSH, RST, SYN};

use crate::bench::{Bench, DROP, Outcome, REDIRECT};
use crate::segment::{End, Segment, Tag};
use crate::world::{Family, World};

/// The request that stories send.
pub const REQUEST: &[u8] = b"POST /function/figlet HTTP/1.1\r\nHost: node\r\nContent-Length: 2\r\n\r\nhi";
/// The answer that backends give.
pub const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// The options of a Linux SYN: MSS 1460, SACK permitted, timestamps, window scale 7.
pub fn syn_options(time: u32) -> Vec<u8> {
    let mut options = vec![2, 4, 0x05, 0xb4, 4, 2, 8, 10];
    options.extend(time.to_be_bytes());
    options.extend([0, 0, 0, 0, 1, 3, 3, 7]);
    options
}

/// A client with timestamps.
#[derive(Clone, Debug)]
pub struct Client {
    pub world: World,
    pub end: End,
    /// VLAN tags of its frames.
    pub tags: Vec<Tag>,
    pub isn: u32,
    /// Our cookie, once the SYN is answered.
    pub cookie: u32,
    /// The client's clock.
    pub time: u32,
    /// The last timestamp value seen from the node.
    pub seen: u32,
}

impl Client {
    pub fn new(world: World, port: u16) -> Self {
        Self {
            world,
            end: (world.user().0, port),
            tags: Vec::new(),
            isn: 1_000_000,
            cookie: 0,
            time: 77_000,
            seen: 0,
        }
    }

    /// Whose frames carry these VLAN tags.
    pub fn tagged(mut self, tags: &[Tag]) -> Self {
        self.tags = tags.to_vec();
        self
    }

    /// Its SYN.
    pub fn syn(&self) -> Segment {
        let mut options = syn_options(self.time);
        options[2..4].copy_from_slice(&self.world.users.segment_size().to_be_bytes());
        Segment::new(self.end, self.world.listen(), SYN)
            .numbers(self.isn, 0)
            .options(&options)
            .tagged(&self.tags)
    }

    /// Checks that this is the answer to its SYN, and goes on from there.
    pub fn connected(mut self, answer: &Segment) -> Self {
        assert_eq!((answer.flags, answer.from, answer.to), (SYN | ACK, self.world.listen(), self.end));
        self.cookie = answer.sequence;
        self.seen = answer.read_times().expect("timestamps").0;
        self
    }

    /// Sends its SYN, which is answered.
    pub fn connect(self, bench: &mut Bench) -> Self {
        let outcome = bench.ingress(&self.syn());
        assert_eq!(outcome.verdict, REDIRECT, "a SYN is answered");
        self.connected(&outcome.segment())
    }

    /// A segment of this client, `sent` bytes after its SYN and acknowledging `got` bytes.
    pub fn segment(&self, flags: u8, sent: u32, got: u32) -> Segment {
        Segment::new(self.end, self.world.listen(), flags)
            .numbers(self.isn.wrapping_add(1 + sent), self.cookie.wrapping_add(1 + got))
            .times(self.time + 5, self.seen)
            .tagged(&self.tags)
    }

    /// Sends the acknowledgment of the handshake and the first segment.
    pub fn request(&self, bench: &mut Bench, request: &[u8]) -> Outcome {
        assert_eq!(
            bench.ingress(&self.segment(ACK, 0, 0)).verdict,
            DROP,
            "nobody needs the bare acknowledgment"
        );
        bench.ingress(&self.segment(ACK | PSH, 0, 0).payload(request))
    }
}

/// The backend's side of a connection, made from the SYN that it got.
#[derive(Clone, Debug)]
pub struct Backend {
    pub isn: u32,
    pub time: u32,
    /// The SYN.
    pub syn: Segment,
}

impl Backend {
    pub fn accepting(syn: Segment) -> Self {
        assert_eq!(syn.flags, SYN, "a backend is opened by a SYN");
        Self { isn: 3_000_000_000, time: 5_555_000, syn }
    }

    fn reply(&self, flags: u8, sequence: u32, acknowledgment: u32) -> Segment {
        Segment::new(self.syn.to, self.syn.from, flags)
            .numbers(sequence, acknowledgment)
            .tagged(&self.syn.tags)
    }

    /// The SYN-ACK, with a window scale of 9.
    pub fn syn_ack(&self) -> Segment {
        let mut options = syn_options(self.time);
        let echo = self.syn.read_times().map_or(0, |t| t.0);
        options[12..16].copy_from_slice(&echo.to_be_bytes());
        options[19] = 9;
        self.reply(SYN | ACK, self.isn, self.syn.sequence.wrapping_add(1)).options(&options)
    }

    /// The refusal.
    pub fn refusal(&self) -> Segment {
        let mut rst = self.reply(RST | ACK, 0, self.syn.sequence.wrapping_add(1));
        rst.window = 0;
        rst
    }

    /// A segment `sent` bytes after the SYN-ACK, acknowledging `got` bytes.
    pub fn segment(&self, flags: u8, sent: u32, got: u32) -> Segment {
        self.reply(flags, self.isn.wrapping_add(1 + sent), self.syn.sequence.wrapping_add(1 + got))
            .times(self.time + 3, self.syn.read_times().map_or(0, |t| t.0))
    }

    /// The end of the backend's side.
    pub fn fin(&self, sent: u32, got: u32) -> Segment {
        self.segment(FIN | ACK, sent, got)
    }
}

/// Sends a request from its own port; what becomes of it.
pub fn send(bench: &mut Bench, port: u16) -> Segment {
    let client = Client::new(bench.world, port).connect(bench);
    client.request(bench, REQUEST).segment()
}

/// Who got it, or how it was answered.
pub fn whom(segment: &Segment) -> &'static str {
    let is = |end: fn(Family) -> End| Family::BOTH.map(end).contains(&segment.to);
    let is_peer = |number: usize| Family::BOTH.map(|f| f.peers()[number - 1]).contains(&segment.to.0);
    match segment.text() {
        _ if is(Family::listen) => "local",
        _ if is_peer(1) => "peer 1",
        _ if is_peer(2) => "peer 2",
        text if text.starts_with("HTTP/1.1 429 ") => "429",
        text if text.starts_with("HTTP/1.1 503 ") => "503",
        _ => panic!("neither sent on nor answered: {segment:?}"),
    }
}
