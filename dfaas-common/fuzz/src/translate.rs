//! Translation of headers: only what must change does, and there and back is the identity.

use dfaas_common::options::{HeaderImage, Options};
use dfaas_common::translate::{Translation, apply, flag, window};

use crate::input::Input;

/// The way back, windows and echoes aside.
fn inverse(change: &Translation) -> Translation {
    Translation {
        sequence: change.sequence.wrapping_neg(),
        acknowledgment: change.acknowledgment.wrapping_neg(),
        time: change.time.wrapping_neg(),
        echo: change.echo.wrapping_neg(),
        oldest_echo: None,
        window_left: 0,
        window_right: 0,
    }
}

/// Any header and any translation.
///
/// # Panics
/// If a byte changes that must not, a number differs from the sum, or the way back does not lead back.
pub fn translate(data: &[u8]) {
    let mut input = Input(data);
    let length = 20 + u32::from(input.byte()) % 41;
    let change = Translation {
        sequence: input.word(),
        acknowledgment: input.word(),
        time: input.word(),
        echo: input.word(),
        oldest_echo: None,
        window_left: input.byte() % 15,
        window_right: input.byte() % 15,
    };
    let oldest = input.word();
    let before = HeaderImage(input.array());
    let options = Options::parse(&before, length);
    let mut after = before;
    apply(&mut after, &options, &change);

    let acknowledges = before.byte(13) & flag::ACK != 0;
    let number =
        |at: u32, add: u32| assert_eq!(after.number(at), before.number(at).wrapping_add(add), "at {at}");
    number(4, change.sequence);
    let mut changed: Vec<u32> = (4..8).chain(14..16).collect();
    if acknowledges {
        number(8, change.acknowledgment);
        changed.extend(8..12);
        for edge in (0..options.sack_blocks * 2).map(|edge| options.sack_at + 4 * edge) {
            number(edge, change.acknowledgment);
            changed.extend(edge..edge + 4);
        }
    }
    if options.time_at != 0 {
        number(options.time_at, change.time);
        changed.extend(options.time_at..options.time_at + 4);
        if acknowledges {
            number(options.time_at + 4, change.echo);
            changed.extend(options.time_at + 4..options.time_at + 8);
        }
    }
    let field = |image: &HeaderImage| u16::from_be_bytes([image.byte(14), image.byte(15)]);
    let resets = before.byte(13) & flag::RST != 0;
    if resets || change.window_left == change.window_right {
        assert_eq!(field(&after), field(&before));
    } else {
        let bytes = u64::from(field(&before)) << change.window_left >> change.window_right;
        assert_eq!(u64::from(field(&after)), bytes.min(65_535));
        assert_eq!(window(field(&before), change.window_left, change.window_right), field(&after));
    }
    for at in (0..64).filter(|at| !changed.contains(at)) {
        assert_eq!(after.byte(at), before.byte(at), "byte {at}");
    }

    // Options are where they were.
    assert_eq!(Options::parse(&after, length).time_at, options.time_at);
    let mut back = after;
    apply(&mut back, &options, &inverse(&change));
    back.0[14..16].copy_from_slice(&before.0[14..16]);
    assert_eq!(back.0, before.0, "there and back");

    // An echo is never before the oldest by less than a cookie's life.
    let limited = Translation { oldest_echo: Some(oldest), ..change };
    let echo = limited.echo_of(before.number(16));
    assert!(echo == oldest || oldest.wrapping_sub(echo) > dfaas_common::cookie::LIFE);
}
