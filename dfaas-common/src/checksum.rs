//! One's complement sums (RFC 1071). All sums are over 16-bit words as they stand in memory, so no byte order matters
//! until the result is stored, in place, as it is.

use crate::address::Address;

/// Folds a sum of 16- or 32-bit words to 16 bits with end-around carry.
#[inline(always)]
#[must_use]
pub const fn fold(sum: u64) -> u16 {
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    ((sum & 0xffff) + (sum >> 16)) as u16
}

/// The sum of an address. That of a mapped one stands for the IPv4 address inside it: the words that they do not share
/// sum to `0xffff`, which is another zero.
#[inline(always)]
#[must_use]
pub const fn address(address: &Address) -> u64 {
    address[0] as u64 + address[1] as u64 + address[2] as u64 + address[3] as u64
}

/// The sum of the pseudo header of ICMP over IPv6 (RFC 4443, 2.3) in front of so many bytes of message.
#[inline(always)]
#[must_use]
pub const fn pseudo_header_icmp(source: &Address, destination: &Address, length: u32) -> u64 {
    address(source) + address(destination) + (58u16.to_be()) as u64 + length.to_be() as u64
}

/// The sum of the pseudo header of TCP, over IPv4 (RFC 9293, 3.1) or IPv6 (RFC 8200, 8.1): both ends, and the length
/// of TCP header and payload in bytes.
#[inline(always)]
#[must_use]
pub const fn pseudo_header(source: &Address, destination: &Address, tcp_length: u32) -> u64 {
    address(source) + address(destination) + (6u16.to_be()) as u64 + tcp_length.to_be() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::mapped;
    use proptest::prelude::*;

    /// RFC 1071, literally: add 16-bit words, carry round.
    fn reference(words: &[u32]) -> u16 {
        let mut sum = 0u32;
        for word in words {
            for half in [word & 0xffff, word >> 16] {
                sum += half;
                sum = (sum & 0xffff) + (sum >> 16);
            }
        }
        sum as u16
    }

    proptest! {
        #[test]
        fn folding_a_sum_of_words_equals_the_sum_with_end_around_carry(words in proptest::collection::vec(any::<u32>(), 1..64)) {
            let sum: u64 = words.iter().map(|&w| u64::from(w)).sum();
            prop_assert_eq!(fold(sum), reference(&words));
        }
    }

    proptest! {
        #[test]
        fn a_mapped_address_sums_to_what_the_ipv4_address_sums_to(a: u32, b: u32, length in 20u32..65_536) {
            let plain = [a, b, u32::from(6u16.to_be()), u32::from((length as u16).to_be())];
            let sum = pseudo_header(&mapped(a), &mapped(b), length);
            prop_assert_eq!(fold(sum) % 0xffff, reference(&plain) % 0xffff);
        }
    }

    #[test]
    fn the_largest_sum_folds_to_sixteen_bits() {
        assert_eq!(fold(u64::MAX), 0xffff);
        assert_eq!(fold(0), 0);
    }
}
