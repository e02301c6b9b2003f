//! The data in `deploy/scenarios/data`, which is made and not measured: each file from the seed that it is made with.
//!
//! `dfaas sim generate samples --directory deploy/scenarios/data` writes it, and a test holds that it is what lies there.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use crate::network::{NetworkError, RttMatrix, Unit, scattered};
use crate::trace::{Assignment, Synthetic, TraceError, write_recording};

/// What the samples are made from.
pub const SEED: u64 = 2021;

/// The most that a round trip between two nodes takes, in seconds.
const LONGEST_RTT: f64 = 0.017;

/// Why a sample cannot be made. None of these happens to the samples as they are.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The trace.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// Writing to memory.
    #[error(transparent)]
    Write(#[from] std::io::Error),
}

/// Name and content of each file.
///
/// # Errors
/// [`SampleError`] if a parameter of a sample is changed to one that has no meaning.
pub fn samples() -> Result<Vec<(&'static str, Vec<u8>)>, SampleError> {
    Ok(vec![("azure-like.csv", trace()?), ("rtt-100-ms.tsv", rtt()?)])
}

/// Half an hour of twenty functions at ten nodes, each with four to eight of them, 60 requests a second.
fn trace() -> Result<Vec<u8>, SampleError> {
    let synthetic = Synthetic {
        functions: 20,
        assignment: Assignment::PerNode { least: 4, most: 8 },
        intervals: 30,
        rate: 60.0,
        ..Synthetic::default()
    };
    let mut text = Vec::new();
    write_recording(&synthetic.make(&mut ChaCha8Rng::seed_from_u64(SEED))?, &mut text)?;
    Ok(text)
}

/// Round-trip times between 100 nodes on a square, in milliseconds.
fn rtt() -> Result<Vec<u8>, SampleError> {
    let positions = scattered(100, 1.0, &mut ChaCha8Rng::seed_from_u64(SEED))?;
    let rtt = RttMatrix::from_positions(&positions, 0.0, 1.0)?.scaled_to_longest(LONGEST_RTT)?;
    let mut text = Vec::new();
    rtt.write(&mut text, Unit::Milliseconds, Some(2))?;
    Ok(text)
}
