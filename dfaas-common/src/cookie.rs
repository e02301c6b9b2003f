//! SYN cookies: the initial sequence number of an answer to a SYN proves, when it comes back, that the sender owns its
//! address, and carries what the SYN offered. No state is kept for connections that have not sent data.
//!
//! Layout of the 32 bits: 24 bits of hash, then the offer: MSS index (2), window scale (4), SACK permitted (1), ECN
//! (1, always 0 yet). The hash is SipHash-2-4 (Aumasson and Bernstein, 2012) over addresses, ports, the client's
//! initial sequence number, the epoch and the offer; two epochs are valid, so a cookie lives 69 to 137 seconds.

use crate::address::Tuple;

/// Maximum segment sizes for which the cookie has room, IPv4. The first is what every host takes (RFC 9293, 3.7.1).
pub const SEGMENT_SIZES: [u16; 4] = [536, 1300, 1400, 1460];
/// The same for IPv6; every link carries the first (RFC 8200, 5).
pub const SEGMENT_SIZES_6: [u16; 4] = [1220, 1300, 1380, 1440];

/// "No window scale offered" in the four bits of the window scale.
pub const NO_SCALE: u8 = 15;

/// How long a timestamp of ours may take to come back, ms: as long as a cookie can live.
pub const LIFE: u32 = 137_000;

/// Nanoseconds (monotonic clock) to epoch number: 2^36 ns, about 69 seconds each.
#[inline(always)]
#[must_use]
pub const fn epoch(now: u64) -> u32 {
    (now >> 36) as u32
}

/// What a client offered in its SYN, as far as a cookie remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// Index into the segment sizes of the connection's family, 0 to 3.
    pub segment: u8,
    /// Window scale 0 to 14, or [`NO_SCALE`].
    pub scale: u8,
    /// 1 if SACK was permitted.
    pub sack: u8,
}

impl Offer {
    /// The offer of a SYN with these options; the segment size is rounded down to one of `sizes`, which are those of
    /// the connection's family.
    #[inline(always)]
    #[must_use]
    pub const fn new(sizes: &[u16; 4], segment_size: u32, scale: u8, sack: u8) -> Self {
        // Without branches, as every branch would double the paths that the verifier follows.
        let segment = (segment_size >= sizes[1] as u32) as u8
            + (segment_size >= sizes[2] as u32) as u8
            + (segment_size >= sizes[3] as u32) as u8;
        Self { segment, scale: scale & 15, sack: sack & 1 }
    }

    /// The low byte of a cookie.
    #[inline(always)]
    #[must_use]
    pub const fn encode(self) -> u8 {
        (self.segment & 3) << 6 | (self.scale & 15) << 2 | (self.sack & 1) << 1
    }

    /// The offer in the low byte of a cookie.
    #[inline(always)]
    #[must_use]
    pub const fn decode(low: u8) -> Self {
        Self { segment: low >> 6, scale: low >> 2 & 15, sack: low >> 1 & 1 }
    }

    /// The segment size in bytes, of those of the connection's family.
    #[inline(always)]
    #[must_use]
    pub const fn segment_size(self, sizes: &[u16; 4]) -> u16 {
        match self.segment & 3 {
            0 => sizes[0],
            1 => sizes[1],
            2 => sizes[2],
            _ => sizes[3],
        }
    }
}

struct SipHash([u64; 4]);

impl SipHash {
    #[inline(always)]
    const fn new(key: [u64; 2]) -> Self {
        Self([
            key[0] ^ 0x736f_6d65_7073_6575,
            key[1] ^ 0x646f_7261_6e64_6f6d,
            key[0] ^ 0x6c79_6765_6e65_7261,
            key[1] ^ 0x7465_6462_7974_6573,
        ])
    }

    #[inline(always)]
    const fn round(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.0;
        a = a.wrapping_add(b);
        c = c.wrapping_add(d);
        b = b.rotate_left(13) ^ a;
        d = d.rotate_left(16) ^ c;
        a = a.rotate_left(32);
        c = c.wrapping_add(b);
        a = a.wrapping_add(d);
        b = b.rotate_left(17) ^ c;
        d = d.rotate_left(21) ^ a;
        c = c.rotate_left(32);
        self.0 = [a, b, c, d];
    }

    #[inline(always)]
    const fn word(&mut self, word: u64) {
        self.0[3] ^= word;
        self.round();
        self.round();
        self.0[0] ^= word;
    }

    /// `last` holds the bytes left over (none here) and the message length in its top byte.
    #[inline(always)]
    const fn finish(mut self, last: u64) -> u64 {
        self.word(last);
        self.0[2] ^= 0xff;
        self.round();
        self.round();
        self.round();
        self.round();
        self.0[0] ^ self.0[1] ^ self.0[2] ^ self.0[3]
    }
}

#[inline(always)]
const fn pair(low: u32, high: u32) -> u64 {
    low as u64 | (high as u64) << 32
}

/// The SipHash-2-4 of everything that a cookie vouches for: 48 bytes, little endian words as listed.
#[inline(always)]
const fn hash(key: [u64; 2], tuple: &Tuple, client_isn: u32, epoch: u32, low: u8) -> u64 {
    let mut sip = SipHash::new(key);
    sip.word(pair(tuple.remote[0], tuple.remote[1]));
    sip.word(pair(tuple.remote[2], tuple.remote[3]));
    sip.word(pair(tuple.local[0], tuple.local[1]));
    sip.word(pair(tuple.local[2], tuple.local[3]));
    sip.word(pair(tuple.remote_port as u32 | (tuple.local_port as u32) << 16, client_isn));
    sip.word(pair(epoch, low as u32));
    sip.finish(48 << 56)
}

/// The cookie, to be sent as initial sequence number (host byte order).
#[inline(always)]
#[must_use]
pub const fn make(key: [u64; 2], tuple: &Tuple, client_isn: u32, epoch: u32, offer: Offer) -> u32 {
    let low = offer.encode();
    (hash(key, tuple, client_isn, epoch, low) as u32) & 0xffff_ff00 | low as u32
}

/// Whether `cookie` was made in the epoch of `now` (ns) or the one before, for this tuple and initial sequence number.
#[inline(always)]
#[must_use]
pub const fn verify(key: [u64; 2], tuple: &Tuple, client_isn: u32, now: u64, cookie: u32) -> bool {
    let offer = Offer::decode(cookie as u8);
    let epoch = epoch(now);
    make(key, tuple, client_isn, epoch, offer) == cookie
        || make(key, tuple, client_isn, epoch.wrapping_sub(1), offer) == cookie
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::mapped;
    use core::hash::Hasher as _;
    use proptest::prelude::*;
    use siphasher::sip::SipHasher24;

    fn tuple(remote: u32, port: u16) -> Tuple {
        Tuple { remote: mapped(remote), local: mapped(77), remote_port: port, local_port: 8080 }
    }

    proptest! {
        #[test]
        fn the_hash_is_siphash_2_4_over_48_bytes(k0: u64, k1: u64, remote: u32, port: u16, isn: u32, epoch: u32, low: u8) {
            let tuple = tuple(remote, port);
            let mut bytes = [0u8; 48];
            let words = [
                tuple.remote[0], tuple.remote[1], tuple.remote[2], tuple.remote[3],
                tuple.local[0], tuple.local[1], tuple.local[2], tuple.local[3],
                u32::from(port) | u32::from(tuple.local_port) << 16, isn, epoch, u32::from(low),
            ];
            for (chunk, word) in bytes.chunks_exact_mut(4).zip(words) {
                chunk.copy_from_slice(&word.to_le_bytes());
            }
            let mut reference = SipHasher24::new_with_keys(k0, k1);
            reference.write(&bytes);
            prop_assert_eq!(hash([k0, k1], &tuple, isn, epoch, low), reference.finish());
        }

        #[test]
        fn an_offer_survives_the_cookie(segment in 0u8..4, scale in 0u8..16, sack in 0u8..2) {
            let offer = Offer { segment, scale, sack };
            prop_assert_eq!(Offer::decode(offer.encode()), offer);
        }

        #[test]
        fn a_cookie_is_valid_for_its_own_connection_only(k0: u64, k1: u64, remote: u32, port: u16, isn: u32, now in 1u64 << 37..1 << 60) {
            let key = [k0, k1];
            let cookie = make(key, &tuple(remote, port), isn, epoch(now), Offer::new(&SEGMENT_SIZES, 1460, 7, 1));
            prop_assert!(verify(key, &tuple(remote, port), isn, now, cookie));
            prop_assert!(verify(key, &tuple(remote, port), isn, now + (1 << 36), cookie));
        }
    }

    #[test]
    fn a_cookie_dies_after_two_epochs_and_with_any_change() {
        let (key, now) = ([1, 2], 5u64 << 36);
        let cookie = make(key, &tuple(9, 9), 42, epoch(now), Offer::new(&SEGMENT_SIZES, 1400, 2, 0));
        assert!(!verify(key, &tuple(9, 9), 42, now + (2 << 36), cookie));
        assert!(!verify(key, &tuple(9, 9), 43, now, cookie));
        assert!(!verify(key, &tuple(9, 8), 42, now, cookie));
        assert!(!verify(key, &tuple(8, 9), 42, now, cookie));
        assert!(!verify([1, 3], &tuple(9, 9), 42, now, cookie));
        assert!(!verify(key, &tuple(9, 9), 42, now, cookie ^ 1 << 6), "a client cannot change its offer");
    }

    #[test]
    fn a_segment_size_over_ipv6_is_rounded_down_but_not_below_what_every_link_carries() {
        for (offered, kept) in [(9000, 1440), (1440, 1440), (1439, 1380), (1250, 1220), (100, 1220)] {
            let offer = Offer::new(&SEGMENT_SIZES_6, offered, 0, 0);
            assert_eq!(offer.segment_size(&SEGMENT_SIZES_6), kept);
        }
    }

    #[test]
    fn a_segment_size_is_rounded_down() {
        let sizes = [(9000, 1460), (1460, 1460), (1459, 1400), (1399, 1300), (1299, 536), (100, 536)];
        for (offered, kept) in sizes {
            assert_eq!(Offer::new(&SEGMENT_SIZES, offered, 0, 0).segment_size(&SEGMENT_SIZES), kept);
        }
    }
}
