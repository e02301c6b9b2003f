//! Fuzz targets over the code that the kernel programs run for every packet, natively.
//!
//! Each target is a function of any bytes that panics if what it examines disagrees with an independent account of the
//! same thing: another reader, a naive reference, an inverse. Two drivers use them: tests, which try a fixed number of
//! inputs made from the corpus and a seed; and libFuzzer, which follows coverage (`cargo xtask fuzz`).

mod chunks;
mod drive;
mod exchange;
mod forwarded;
mod heads;
mod input;
mod meaning;
mod mutate;
mod options;
mod sums;
mod translate;

pub use chunks::chunks;
pub use drive::{corpus, try_inputs};
pub use exchange::exchange;
pub use forwarded::forwarded;
pub use heads::{request, response};
pub use options::options;
pub use sums::sums;
pub use translate::translate;

/// A target: panics where something is wrong.
pub type Target = fn(&[u8]);

/// All targets by the names of their programs and corpora.
pub const TARGETS: [(&str, Target); 8] = [
    ("request", request),
    ("response", response),
    ("chunks", chunks),
    ("exchange", exchange),
    ("options", options),
    ("translate", translate),
    ("forwarded", forwarded),
    ("sums", sums),
];
