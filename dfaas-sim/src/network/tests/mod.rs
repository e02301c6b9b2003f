mod files;
mod generators;
mod measures;

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}
