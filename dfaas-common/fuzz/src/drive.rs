//! Trying a target on the corpus and on inputs made from it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use rand::SeedableRng as _;
use rand::rngs::SmallRng;

use crate::Target;
use crate::mutate::mutate;

/// The inputs in the corpus of a target, in the order of their names.
///
/// # Errors
/// Names what cannot be read.
pub fn corpus(name: &str) -> Result<Vec<Vec<u8>>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let wrong = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
    let entries: Result<Vec<_>, _> = std::fs::read_dir(&folder).map_err(wrong)?.collect();
    let mut paths: Vec<_> = entries.map_err(wrong)?.iter().map(std::fs::DirEntry::path).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).map_err(wrong)).collect()
}

/// Tries a target on every input of its corpus, and on `count` others that the seed gives.
///
/// # Errors
/// The input that fails, in hexadecimal, and the seed.
pub fn try_inputs(name: &str, target: Target, seed: u64, count: usize) -> Result<(), String> {
    let corpus = corpus(name)?;
    let mut random = SmallRng::seed_from_u64(seed);
    let made = std::iter::repeat_with(|| mutate(&mut random, &corpus)).take(count);
    for input in corpus.iter().cloned().chain(made) {
        if catch_unwind(AssertUnwindSafe(|| target(&input))).is_err() {
            let hexadecimal: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
            return Err(format!(
                "`{name}` fails on {} bytes (DFAAS_SEED={seed}): {hexadecimal}\n{}",
                input.len(),
                input.escape_ascii()
            ));
        }
    }
    Ok(())
}
