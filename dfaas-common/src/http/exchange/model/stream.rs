//! One direction of a connection in the model, and the network that it crosses.

/// Numbers that a seed gives (SplitMix64).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// True `percent` times out of a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// What may go wrong, percent.
#[derive(Debug, Clone, Copy)]
pub struct Trouble {
    /// A segment is lost before we see it.
    pub lost_before: usize,
    /// A segment is lost after we have seen it.
    pub lost_behind: usize,
    /// A segment is overtaken by others before we see it.
    pub overtaken: usize,
    /// Data are cut anew when they are sent again.
    pub cut_anew: bool,
    /// The client does not wait for the answer.
    pub pipelines: usize,
    /// The server answers before it has the whole request.
    pub hurries: usize,
    /// The server sends more than its answer.
    pub babbles: usize,
}

/// Nothing goes wrong but that acknowledgments and data are lost behind us, and so repeated as they were.
pub const PLAIN: Trouble = Trouble {
    lost_before: 0,
    lost_behind: 20,
    overtaken: 0,
    cut_anew: false,
    pipelines: 0,
    hurries: 0,
    babbles: 0,
};

/// A segment: offsets in the streams, counted from the first byte.
#[derive(Debug, Clone)]
pub struct Segment {
    pub at: usize,
    pub bytes: Vec<u8>,
    pub acknowledges: usize,
}

/// One direction: its stream, the ends of its messages in it, and how far it has come.
#[derive(Default)]
pub struct Stream {
    pub bytes: Vec<u8>,
    pub ends: Vec<usize>,
    /// Where the head of each message ends.
    pub heads: Vec<usize>,
    /// Every segment as it was cut first.
    pub cuts: Vec<(usize, usize)>,
    pub sent: usize,
    pub acknowledged: usize,
    /// What the receiver has: bytes in order, and pieces out of order.
    pub received: usize,
    pub pieces: Vec<(usize, usize)>,
    pub before: Vec<Segment>,
    pub behind: Vec<Segment>,
}

impl Stream {
    pub fn push(&mut self, head: &str, body: &[u8]) {
        self.heads.push(self.bytes.len() + head.len());
        self.bytes.extend(head.as_bytes());
        self.bytes.extend(body);
        self.ends.push(self.bytes.len());
    }

    /// Sends new data up to `limit`, or old data again.
    pub fn send(&mut self, numbers: &mut Numbers, limit: usize, acknowledges: usize, trouble: Trouble) {
        let again = self.sent == limit || numbers.chance(15);
        let (at, end) = if !again {
            // A head and what comes before it are never in one segment, nor is a head cut.
            let message = self.ends.iter().position(|end| *end > self.sent).expect("something to send");
            let largest = (1 + numbers.below(1400)).max(self.heads[message].saturating_sub(self.sent));
            let end = if trouble.pipelines + trouble.babbles > 0 && numbers.chance(30) {
                limit
            } else {
                limit.min(self.ends[message])
            };
            let end = end.min(self.sent + largest);
            self.cuts.push((self.sent, end));
            (std::mem::replace(&mut self.sent, end), end)
        } else if self.acknowledged == self.sent && !numbers.chance(10) || self.cuts.is_empty() {
            (self.sent, self.sent)
        } else if trouble.cut_anew && numbers.chance(50) {
            let at = self.acknowledged.saturating_sub(numbers.below(100));
            (at, self.sent.min(at + numbers.below(2000)).max(at))
        } else {
            // The first segment that is not acknowledged, or any other.
            let first = self.cuts.iter().position(|(_, end)| *end > self.acknowledged);
            match first {
                Some(first) if numbers.chance(70) => self.cuts[first],
                _ => self.cuts[numbers.below(self.cuts.len())],
            }
        };
        self.before.push(Segment { at, bytes: self.bytes[at..end].to_vec(), acknowledges });
    }

    pub fn receive(&mut self, segment: &Segment) {
        self.pieces.push((segment.at, segment.at + segment.bytes.len()));
        while let Some(&(_, end)) =
            self.pieces.iter().find(|(at, end)| *at <= self.received && *end > self.received)
        {
            self.received = end;
        }
    }

    /// The next segment of a queue, or one that overtakes it.
    pub fn take(queue: &mut Vec<Segment>, numbers: &mut Numbers, overtaken: usize) -> Option<Segment> {
        if queue.is_empty() {
            return None;
        }
        let at = if numbers.chance(overtaken) { numbers.below(queue.len()) } else { 0 };
        Some(queue.remove(at))
    }
}
