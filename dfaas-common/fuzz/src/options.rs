//! TCP options against a naive reader of the header alone.

use dfaas_common::cookie::NO_SCALE;
use dfaas_common::options::{HeaderImage, Options};

use crate::input::Input;

/// The options of a header, by slices that end with it.
fn reference(header: &[u8]) -> Options {
    let mut found = Options::new(header.len() as u32);
    let mut at = 20;
    loop {
        found.at = at as u32;
        match &header[at.min(header.len())..] {
            [1, ..] => at += 1,
            [kind, length, ..] if *kind >= 2 && *length >= 2 && at + usize::from(*length) <= header.len() => {
                let value = &header[at + 2..at + usize::from(*length)];
                let place = at as u32 + 2;
                match (kind, value) {
                    (2, [high, low]) => found.segment_size = u32::from(u16::from_be_bytes([*high, *low])),
                    (3, [scale]) => found.scale = u32::from(*scale).min(14),
                    (4, []) => found.sack_permitted = 1,
                    (5, blocks) if [8, 16, 24, 32].contains(&blocks.len()) => {
                        (found.sack_at, found.sack_blocks) = (place, blocks.len() as u32 / 8);
                    }
                    (8, value) if value.len() == 8 => found.time_at = place,
                    _ => {}
                }
                at += usize::from(*length);
            }
            _ => return found,
        }
    }
}

/// Any header.
///
/// # Panics
/// Where the readers disagree, or what lies behind the header matters.
pub fn options(data: &[u8]) {
    let mut input = Input(data);
    let length = 20 + usize::from(input.byte()) % 41;
    let behind = input.byte();
    let mut image = HeaderImage([0; 64]);
    image.0[20..].copy_from_slice(&input.array::<44>());
    let found = Options::parse(&image, length as u32);
    assert_eq!(found, reference(&image.0[..length]), "{:?}", &image.0[..length]);
    assert!(found.scale <= 14 || found.scale == u32::from(NO_SCALE));
    image.0[length..].fill(behind);
    assert_eq!(found, Options::parse(&image, length as u32), "what lies behind a header is not read");
}
