//! Inputs from other inputs, without knowledge of what they mean.

use rand::Rng as _;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;

/// Longest input that is made.
const LONGEST: usize = 4096;

/// Parts that matter to the targets.
const WORDS: [&[u8]; 18] = [
    b"\r\n",
    b"\r\n\r\n",
    b"Content-Length: ",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive, ",
    b"X-Forwarded-For: ",
    b"Expect: 100-continue\r\n",
    b"HTTP/1.1 ",
    b"HTTP/1.0 ",
    b"/function/",
    b"/async-function/",
    b"http://",
    b"0\r\n\r\n",
    b"\r\n5\r\nhello",
    b"\x08\x0a",
    b"\x05\x0a",
];

/// Another input, from those that there are.
pub fn mutate(random: &mut SmallRng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = corpus.choose(random).cloned().unwrap_or_default();
    for _ in 0..random.random_range(0..6) {
        change(random, corpus, &mut bytes);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn change(random: &mut SmallRng, corpus: &[Vec<u8>], bytes: &mut Vec<u8>) {
    let at = random.random_range(0..=bytes.len());
    let end = at + random.random_range(0..=(bytes.len() - at).min(64));
    match random.random_range(0..9) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.random_range(0..8),
        1 if at < bytes.len() => bytes[at] = random.random(),
        2 if at < bytes.len() => {
            bytes[at] = bytes[at].wrapping_add(random.random_range(0..3)).wrapping_sub(1)
        }
        3 => drop(bytes.drain(at..end)),
        4 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
        5 => {
            let word = WORDS.choose(random).copied().unwrap_or_default();
            drop(bytes.splice(at..at, word.iter().copied()));
        }
        6 => {
            let word = WORDS.choose(random).copied().unwrap_or_default();
            drop(bytes.splice(at..end, word.iter().copied()));
        }
        7 => {
            let more: Vec<u8> = (0..random.random_range(0..24)).map(|_| random.random()).collect();
            drop(bytes.splice(at..at, more));
        }
        _ => {
            let other = corpus.choose(random).map_or(&[][..], Vec::as_slice);
            let from = random.random_range(0..=other.len());
            bytes.truncate(at);
            bytes.extend(&other[from..]);
        }
    }
}
