//! Checksums, cookies and addresses.

use dfaas_common::address::{Tuple, from_bytes, is_ipv4, mapped, to_bytes, unmapped};
use dfaas_common::checksum::{fold, pseudo_header};
use dfaas_common::cookie::{self, Offer, SEGMENT_SIZES, SEGMENT_SIZES_6};

use crate::input::Input;

/// RFC 1071, literally, over pairs of bytes as they stand in memory.
fn reference(bytes: &[u8]) -> u16 {
    bytes.chunks(2).fold(0, |sum, pair| {
        let word = u16::from_ne_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]);
        let (sum, carry) = word.overflowing_add(sum);
        sum + u16::from(carry)
    })
}

/// Whether two sums are the same number: zero has two forms.
fn same(a: u16, b: u16) -> bool {
    a % 0xffff == b % 0xffff
}

/// Any bytes summed, changed and summed again; any connection.
///
/// # Panics
/// Where a sum differs from the reference, or a cookie does not give back what it was made of.
pub fn sums(data: &[u8]) {
    let mut input = Input(data);
    let (ends, key) = ([input.array::<16>(), input.array::<16>()], [input.long(), input.long()]);
    let (isn, now) = (input.word(), input.long() >> 1);
    let (segment_size, low) = (input.word(), input.short());
    let [remote, local] = ends.map(from_bytes);
    assert_eq!([remote, local].map(|address| to_bytes(&address)), ends);

    // Whole words, as headers and padded payloads are.
    let bytes: Vec<u8> = input.0.chunks_exact(4).flatten().copied().collect();
    let word = |bytes: &[u8]| u64::from(u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    let sum: u64 = bytes.chunks_exact(4).map(word).sum();
    assert!(same(fold(sum), reference(&bytes)));

    // One word changes: the sum without the old one and with the new one is that of all (RFC 1624).
    if let Some(at) = (bytes.len() / 4).checked_sub(1).map(|last| 4 * (isn as usize % (last + 1))) {
        let mut changed = bytes.clone();
        changed[at..at + 4].copy_from_slice(&isn.to_ne_bytes());
        let update = u64::from(fold(sum)) + (word(&bytes[at..]) ^ 0xffff_ffff) + u64::from(isn);
        assert!(same(fold(update), reference(&changed)), "{update:x}");
    }

    let length = 20 + (bytes.len() as u32) % 65_000;
    let mut pseudo = [&ends[0][..], &ends[1][..], &length.to_be_bytes()].concat();
    pseudo.extend([0, 0, 0, 6]);
    assert!(same(fold(pseudo_header(&remote, &local, length)), reference(&pseudo)));
    let four = |bytes: [u8; 16]| u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let (a, b) = (mapped(four(ends[0])), mapped(four(ends[1])));
    assert!(is_ipv4(&a) && unmapped(&b) == Some(four(ends[1])));
    let short = [&ends[0][..4], &ends[1][..4], &[0, 6], &(length as u16).to_be_bytes()[..]].concat();
    assert!(same(fold(pseudo_header(&a, &b, length)), reference(&short)));

    let sizes = if is_ipv4(&remote) { &SEGMENT_SIZES } else { &SEGMENT_SIZES_6 };
    let offer = Offer::new(sizes, segment_size, low as u8, (low >> 8) as u8);
    assert_eq!(Offer::decode(offer.encode()), offer);
    let kept = u32::from(offer.segment_size(sizes));
    assert!(kept <= segment_size.max(u32::from(sizes[0])), "{kept} of {segment_size}");
    let tuple = Tuple { remote, local, remote_port: low, local_port: !low };
    let made = cookie::make(key, &tuple, isn, cookie::epoch(now), offer);
    assert!(cookie::verify(key, &tuple, isn, now, made));
    assert!(cookie::verify(key, &tuple, isn, now.saturating_add(1 << 36), made), "one epoch later");
    assert_eq!(Offer::decode(made as u8), offer);
}
