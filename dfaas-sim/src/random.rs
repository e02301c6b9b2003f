//! Random numbers that are the same on every machine: ChaCha8, with streams that do not depend on each other, so that
//! what one part draws changes nothing for the others.

use dfaas_control::Random;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What random numbers are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Where nodes are, who is whose neighbour, and what is drawn of the load.
    Setup,
    /// When users of a node ask, for what, and how long that takes.
    Users(usize),
    /// Choices of a node's kernel.
    Kernel(usize),
    /// What a node's strategy draws, and when it ticks.
    Strategy(usize),
    /// Which messages are lost.
    Loss,
    /// What a drawn scenario is like.
    Fuzz,
}

/// The stream of this seed.
pub fn stream(seed: u64, stream: Stream) -> ChaCha8Rng {
    let (kind, index) = match stream {
        Stream::Setup => (0, 0),
        Stream::Users(node) => (1, node),
        Stream::Kernel(node) => (2, node),
        Stream::Strategy(node) => (3, node),
        Stream::Loss => (4, 0),
        Stream::Fuzz => (5, 0),
    };
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(((index as u64) << 8) | kind);
    random
}

/// Random numbers as strategies take them.
#[derive(Debug)]
pub struct ForStrategy<'a>(pub &'a mut ChaCha8Rng);

impl Random for ForStrategy<'_> {
    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }
}
