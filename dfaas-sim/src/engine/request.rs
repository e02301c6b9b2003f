use crate::federation::Nanos;

/// One of the two kernels that a request can pass: what it remembers of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Leg {
    /// Bits of [`dfaas_common::choice::tried`].
    pub tried: u32,
    /// Work (us) that it counts for there.
    pub work: u32,
    /// Number of the backend that it is bound to there.
    pub backend: u16,
    /// Whether it is counted there.
    pub bound: bool,
}

/// A request of a user.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Request {
    /// When the user asked.
    pub asked: Nanos,
    /// When it reached the gateway that serves it.
    pub reached: Nanos,
    /// Processor time that it takes.
    pub cpu: Nanos,
    /// The user's node.
    pub origin: u32,
    /// Where it is: the user's node, or the peer that it was sent to.
    pub at: u32,
    /// What is asked for.
    pub function: u16,
    /// Whether it has left the user's node.
    pub forwarded: bool,
    /// Whether the peer has taken its connection and counts it.
    pub admitted: bool,
    /// It has ended, but something that is still to happen names it.
    pub over: bool,
    /// The gateway that it was at is gone.
    pub stranded: bool,
    /// It stands in a queue, and nothing that is to happen names it.
    pub queued: bool,
    /// At the user's node.
    pub home: Leg,
    /// At the peer.
    pub away: Leg,
}

/// Requests under way. Places are used again, so a request costs no allocation.
#[derive(Debug, Default)]
pub(super) struct Requests {
    all: Vec<Request>,
    free: Vec<u32>,
}

impl Requests {
    /// A place for a new one.
    pub(super) fn add(&mut self, request: Request) -> u32 {
        if let Some(number) = self.free.pop() {
            self.all[number as usize] = request;
            return number;
        }
        self.all.push(request);
        (self.all.len() - 1) as u32
    }

    /// Gives a place back; nothing names it any more.
    pub(super) fn remove(&mut self, number: u32) {
        self.free.push(number);
    }

    /// Number of requests under way.
    pub(super) fn len(&self) -> usize {
        self.all.len() - self.free.len()
    }

    /// Numbers of all places, those given back among them.
    pub(super) fn places(&self) -> u32 {
        self.all.len() as u32
    }

    /// The places given back.
    pub(super) fn free(&self) -> &[u32] {
        &self.free
    }
}

impl std::ops::Index<u32> for Requests {
    type Output = Request;
    fn index(&self, number: u32) -> &Request {
        &self.all[number as usize]
    }
}

impl std::ops::IndexMut<u32> for Requests {
    fn index_mut(&mut self, number: u32) -> &mut Request {
        &mut self.all[number as usize]
    }
}
