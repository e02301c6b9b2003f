//! A connection that a client keeps, told request by request, whoever serves it at the time.

use dfaas_common::translate::flag::{ACK, PSH, RST};

use crate::bench::{Bench, Outcome, PASS, REDIRECT};
use crate::segment::{End, Segment};
use crate::story::{ANSWER, Backend, Client, REQUEST, syn_options, whom};
use crate::world::World;

/// A client, its present backend, and how far both have come. Bytes are those that the client sees, from the start of
/// the connection.
pub struct Kept {
    pub bench: Bench,
    pub client: Client,
    pub backend: Backend,
    /// Bytes that the client has sent.
    pub sent: u32,
    /// Bytes that it has got.
    pub got: u32,
    /// Both, as the present leg began.
    leg: (u32, u32),
    /// Bytes that were inserted into what the leg carries.
    pub line: u32,
    legs: u32,
}

/// The plan of `figlet` gives everything to one backend.
pub fn all_to(bench: &mut Bench, backend: u32) {
    bench.plan(&[(backend, 65_536)], |_| {});
}

impl Kept {
    /// A connection whose first request is on its way to this backend.
    pub fn open(world: World, backend: u32) -> Self {
        Self::open_with(Bench::new(world), backend, REQUEST)
    }

    /// The same on a bench that is prepared, with another request.
    pub fn open_with(mut bench: Bench, backend: u32, request: &[u8]) -> Self {
        all_to(&mut bench, backend);
        let client = Client::new(bench.world, 40_000).connect(&mut bench);
        let syn = client.request(&mut bench, request).segment();
        let mut kept = Self::begun(bench, client, Backend::accepting(syn));
        kept.sent = request.len() as u32;
        kept.accept_carrying(request);
        kept
    }

    fn begun(bench: Bench, client: Client, backend: Backend) -> Self {
        Self { bench, client, backend, sent: 0, got: 0, leg: (0, 0), line: 0, legs: 1 }
    }

    /// A connection that the host's own stack has opened while nothing was steered, before its first request.
    pub fn native(world: World) -> Self {
        let mut bench = Bench::new(world);
        bench.configure(|config| config.armed = 0);
        let mut client = Client::new(world, 40_000);
        let passed = bench.ingress(&client.syn());
        passed.passed_untouched();
        let gateway = Backend::accepting(passed.segment());
        bench.egress(gateway.syn_ack()).passed_untouched();
        (client.cookie, client.seen) = (gateway.isn, gateway.time);
        bench.ingress(&client.segment(ACK, 0, 0)).passed_untouched();
        Self::begun(bench, client, gateway)
    }

    /// A segment of the client, which has sent and got all there is.
    pub fn of_client(&self, flags: u8) -> Segment {
        let mut client = self.client.clone();
        // Its clock goes on with what it sends.
        client.time += self.sent;
        client.segment(flags, self.sent, self.got)
    }

    /// A segment of the backend, which has sent and got all there is.
    pub fn of_backend(&self, flags: u8) -> Segment {
        let (sent, got) = (self.got - self.leg.1, self.sent - self.leg.0 + self.line);
        self.backend.segment(flags, sent, got)
    }

    /// Something that the present backend sends, or one of the past.
    pub fn deliver(&mut self, segment: &Segment) -> Outcome {
        if segment.from == self.bench.world.listen() {
            self.bench.egress(segment.clone())
        } else {
            self.bench.ingress(segment)
        }
    }

    /// The client sends a request.
    pub fn ask(&mut self, request: &[u8]) -> Outcome {
        let outcome = self.bench.ingress(&self.of_client(ACK | PSH).payload(request));
        self.sent += request.len() as u32;
        outcome
    }

    /// The client sends a request, for which a backend is opened: who.
    pub fn move_to(&mut self, request: &[u8]) -> &'static str {
        let outcome = self.ask(request);
        self.opened(&outcome, request.len() as u32)
    }

    /// What is sent opens a backend: who.
    pub fn opened(&mut self, outcome: &Outcome, request: u32) -> &'static str {
        let syn = outcome.segment();
        self.legs += 1;
        self.backend = Backend::accepting(syn.clone());
        // Neither number has to do with those of the leg before.
        self.backend.isn = 3_000_000_000_u32.wrapping_add(self.legs.wrapping_mul(700_000_001));
        self.backend.time = 5_555_000_u32.wrapping_add(self.legs.wrapping_mul(900_000_007));
        self.leg = (self.sent - request, self.got);
        self.line = 0;
        assert_eq!(syn.sequence, self.client.isn + self.leg.0, "the client's sequence numbers go on");
        whom(&syn)
    }

    /// The backend that is being opened accepts: what it gets.
    pub fn accept(&mut self) -> Segment {
        let outcome = self.deliver(&self.backend.syn_ack());
        assert_eq!(outcome.verdict, REDIRECT);
        let segment = outcome.segment();
        assert_eq!((segment.from, segment.to), (self.backend.syn.from, self.backend.syn.to));
        assert_eq!(segment.sequence, self.client.isn + 1 + self.leg.0);
        assert_eq!(segment.acknowledgment, self.backend.isn.wrapping_add(1));
        segment
    }

    /// The same, and that it gets this.
    pub fn accept_carrying(&mut self, request: &[u8]) {
        assert_eq!(self.accept().payload, request);
    }

    /// The backend answers: what the client gets, numbers and ends checked.
    pub fn answer(&mut self, answer: &[u8]) -> Segment {
        let outcome = self.deliver(&self.of_backend(ACK | PSH).payload(answer));
        let seen = outcome.segment();
        let (next, got) = (self.client.cookie.wrapping_add(1 + self.got), self.client.isn + 1 + self.sent);
        assert_eq!((seen.sequence, seen.acknowledgment), (next, got), "numbers that the client knows");
        assert_eq!((seen.from, seen.to), (self.bench.world.listen(), self.client.end));
        assert_eq!(seen.payload, answer);
        let time = seen.read_times().expect("timestamps").0;
        assert!((time.wrapping_sub(self.client.seen) as i32) >= 0, "the clock never goes backwards");
        self.client.seen = time;
        self.got += answer.len() as u32;
        seen
    }

    /// The request is answered, and the client has acknowledged it.
    pub fn answered(&mut self) {
        self.answer(ANSWER);
        self.bench.ingress(&self.of_client(ACK));
    }

    /// A request that must stay with the backend of the one before, and its answer.
    pub fn stays(&mut self, request: &[u8]) {
        self.stays_at(request, self.client.isn + 1 + self.sent);
    }

    /// The same on a leg into which a line was inserted: all that follows lies higher by it.
    pub fn stays_behind_a_line(&mut self, request: &[u8]) {
        self.stays_at(request, self.client.isn + 1 + self.sent + self.line);
    }

    fn stays_at(&mut self, request: &[u8], sequence: u32) {
        let outcome = self.ask(request);
        assert!(outcome.verdict == REDIRECT || outcome.verdict == PASS, "{}", outcome.verdict);
        let there = outcome.segment();
        assert_eq!((there.from, there.to), (self.backend.syn.from, self.backend.syn.to), "{there:?}");
        assert_eq!((there.sequence, there.payload.as_slice(), there.flags & RST), (sequence, request, 0));
    }

    /// How often it has moved.
    pub fn moves(&self) -> u64 {
        let events = self.bench.events();
        ["moved_local", "moved_peer"].iter().filter_map(|name| events.get(name)).sum()
    }
}

/// The same of a peer's connection at the data port, to the gateway: what each sends.
pub struct OfPeer {
    pub bench: Bench,
    pub end: End,
    /// Bytes sent and got.
    pub at: (u32, u32),
}

impl OfPeer {
    /// A connection that is accepted, before its first request.
    pub fn open(world: World) -> Self {
        let mut bench = Bench::new(world);
        let end = (world.peers()[0], 20_007);
        let syn = Segment::new(end, world.data(), dfaas_common::translate::flag::SYN);
        bench.ingress(&syn.numbers(100, 0).options(&syn_options(1)));
        let answer = Segment::new(world.gateway(), end, dfaas_common::translate::flag::SYN | ACK);
        bench.egress(answer.numbers(500, 101).options(&syn_options(2)));
        Self { bench, end, at: (101, 501) }
    }

    /// The peer sends a request: what becomes of it.
    pub fn ask(&mut self, request: &[u8]) -> Outcome {
        let segment = Segment::new(self.end, self.bench.world.data(), ACK | PSH);
        let outcome = self.bench.ingress(&segment.numbers(self.at.0, self.at.1).times(9, 2).payload(request));
        self.at.0 += request.len() as u32;
        outcome
    }

    /// The gateway answers.
    pub fn answered(&mut self) {
        let segment = Segment::new(self.bench.world.gateway(), self.end, ACK | PSH);
        self.bench.egress(segment.numbers(self.at.1, self.at.0).times(9, 9).payload(ANSWER));
        self.at.1 += ANSWER.len() as u32;
    }
}
