//! ICMP errors: what they mean, how they are told in the other IP family, and what is learnt from them.

/// Protocol number of ICMP.
pub const ICMP: u32 = 1;
/// Protocol number of ICMP for IPv6.
pub const ICMP_6: u32 = 58;

/// Bytes of an ICMP header.
pub const HEADER: u32 = 8;
/// Bytes of a TCP header that every error quotes (RFC 792): ports and sequence number.
pub const QUOTED: u32 = 8;

/// Bytes of an IP header without options or extensions.
#[inline(always)]
#[must_use]
pub const fn ip_header(v6: bool) -> u32 {
    if v6 { 40 } else { 20 }
}

/// What every IPv6 path carries, bytes (RFC 8200, 5), and nearly every one of IPv4. No path is believed to carry less, so
/// that a forged message does little harm; the one connection which it was about may still go lower.
const LEAST_MTU: u32 = 1280;
/// The least that a link of IPv4 may carry, bytes (RFC 791, 3.2).
const LEAST_MTU_4: u32 = 68;

/// What an error says of the packet that it quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// There is no way to where it was to go, or nobody there.
    Unreachable,
    /// It is larger than a link on its way takes.
    TooBig,
    /// Its time to live was over.
    Expired,
}

/// Type and code of an error, as they stand in the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Type.
    pub kind: u32,
    /// Code.
    pub code: u32,
}

/// A packet that is too big, in either family.
#[inline(always)]
#[must_use]
pub const fn too_big(v6: bool) -> Kind {
    if v6 { Kind { kind: 2, code: 0 } } else { Kind { kind: 3, code: 4 } }
}

/// What a message means; `None` for those that say nothing of a connection.
#[inline(always)]
#[must_use]
pub const fn meaning(v6: bool, message: Kind) -> Option<Meaning> {
    match (v6, message.kind, message.code) {
        (false, 3, 4) | (true, 2, _) => Some(Meaning::TooBig),
        (false, 3, 0..=15) | (true, 1, _) => Some(Meaning::Unreachable),
        (false, 11, 0) | (true, 3, 0) => Some(Meaning::Expired),
        _ => None,
    }
}

/// The same message for a receiver of IPv4 or IPv6 (RFC 7915, 4.2 and 5.2); `None` if that family has no word for it.
#[inline(always)]
#[must_use]
pub const fn told(v6: bool, message: Kind, to_v6: bool) -> Option<Kind> {
    if v6 == to_v6 {
        return Some(message);
    }
    let Some(meaning) = meaning(v6, message) else { return None };
    let unreachable = if to_v6 { 1 } else { 3 };
    let (kind, code) = match meaning {
        Meaning::TooBig => return Some(too_big(to_v6)),
        Meaning::Expired => (if to_v6 { 3 } else { 11 }, 0),
        Meaning::Unreachable if to_v6 => match message.code {
            // Protocol and precedence are no matters of a path of TCP over IPv6.
            2 | 14 => return None,
            3 => (unreachable, 4),
            9 | 10 | 13 | 15 => (unreachable, 1),
            _ => (unreachable, 0),
        },
        Meaning::Unreachable => match message.code {
            1 => (unreachable, 10),
            4 => (unreachable, 3),
            _ => (unreachable, 1),
        },
    };
    Some(Kind { kind, code })
}

/// The size of packets (bytes) that the sender of one family must keep to, if they are too big for a link with this MTU
/// in the other family or the same, `line` bytes having been inserted on the way; 0: an old router that does not tell.
#[inline(always)]
#[must_use]
pub const fn mtu(mtu: u32, v6: bool, to_v6: bool, line: u32) -> u32 {
    let least = if to_v6 { LEAST_MTU } else { LEAST_MTU_4 };
    if mtu == 0 {
        return if to_v6 { least } else { 0 };
    }
    let same = (mtu as u64 + ip_header(to_v6) as u64).saturating_sub(ip_header(v6) as u64 + line as u64);
    // The field of IPv4 has 16 bits.
    if same < least as u64 {
        least
    } else if same > 65_535 {
        65_535
    } else {
        same as u32
    }
}

/// Whether a quoted sequence number is one that may still be under way (RFC 5927, 4.1): from the last that was
/// acknowledged to the next to be sent.
#[inline(always)]
#[must_use]
pub const fn in_flight(sequence: u32, acked: u32, next: u32) -> bool {
    sequence.wrapping_sub(acked) <= next.wrapping_sub(acked)
}

/// How long (ns) a path is believed to carry no more: as long as the kernel does (`net.ipv4.route.mtu_expires`).
pub const BELIEVED: u64 = 600 * 1_000_000_000;

/// Bits of a learnt path that hold its time, in units of 1,024 ns: nine years.
const TIME: u64 = (1 << 48) - 1;

/// The segment size (MSS, bytes) that a path with this MTU carries; 0 if the router does not tell, or the quoted packet
/// of this length would have fitted (RFC 5927, 7.2): nothing is learnt of such a message.
#[inline(always)]
#[must_use]
pub const fn segment_size(mtu: u32, v6: bool, quoted: u32) -> u32 {
    if mtu == 0 || mtu >= quoted {
        return 0;
    }
    (if mtu < LEAST_MTU { LEAST_MTU } else { mtu }) - ip_header(v6) - 20
}

/// What is known of a path once it has been found to carry this segment size; `before` is what was known, 0: nothing.
#[inline(always)]
#[must_use]
pub const fn learn(before: u64, now: u64, size: u32) -> u64 {
    let known = believed(before, now);
    if known != 0 && known <= size { before } else { (size as u64) << 48 | (now >> 10 & TIME) }
}

/// The segment size that a path was found to carry, while that is believed; 0: nothing is known.
#[inline(always)]
#[must_use]
pub const fn believed(path: u64, now: u64) -> u32 {
    let age = (now >> 10).wrapping_sub(path) & TIME;
    // Another CPU may have learnt it after `now` was read.
    if age < BELIEVED >> 10 || age > TIME >> 1 { (path >> 48) as u32 } else { 0 }
}

/// Two bytes which, put behind memory of this sum, make a device leave `field` as it is, at the place where it was told
/// to put the checksum of all that (`CHECKSUM_PARTIAL`). They lie behind the IP packet, where frames may have padding.
///
/// A packet cannot be relieved of that order by a program, and a TCP segment that becomes an ICMP message has another
/// place for its checksum. `field` must be neither 0 nor `0xffff`, of which a device may put one for the other.
#[inline(always)]
#[must_use]
pub const fn balance(sum: u64, field: u16) -> u16 {
    use crate::checksum::fold;
    fold(!field as u64 + !fold(sum) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::fold;
    use proptest::prelude::*;

    const fn kind(kind: u32, code: u32) -> Kind {
        Kind { kind, code }
    }

    #[test]
    fn what_is_no_error_of_a_path_means_nothing() {
        for (v6, message) in
            [(false, kind(0, 0)), (false, kind(8, 0)), (false, kind(5, 1)), (false, kind(11, 1))]
                .into_iter()
                .chain([(true, kind(128, 0)), (true, kind(136, 0)), (true, kind(4, 1)), (true, kind(3, 1))])
        {
            assert_eq!(meaning(v6, message), None, "{v6} {message:?}");
        }
    }

    #[test]
    fn errors_are_told_in_the_words_of_the_other_family() {
        for (four, six) in
            [((3, 1), (1, 0)), ((3, 3), (1, 4)), ((3, 13), (1, 1)), ((3, 4), (2, 0)), ((11, 0), (3, 0))]
        {
            assert_eq!(told(false, kind(four.0, four.1), true), Some(kind(six.0, six.1)));
        }
        for (six, four) in
            [((1, 0), (3, 1)), ((1, 1), (3, 10)), ((1, 4), (3, 3)), ((2, 0), (3, 4)), ((3, 0), (11, 0))]
        {
            assert_eq!(told(true, kind(six.0, six.1), false), Some(kind(four.0, four.1)));
        }
        assert_eq!(told(false, kind(3, 2), true), None);
    }

    #[test]
    fn a_smaller_link_is_told_with_the_difference_of_the_headers() {
        assert_eq!(mtu(1400, false, false, 0), 1400);
        assert_eq!(mtu(1400, false, true, 0), 1420);
        assert_eq!(mtu(1400, true, false, 0), 1380);
        assert_eq!(mtu(1400, true, false, 40), 1340);
        assert_eq!(mtu(576, false, true, 0), 1280, "a host of IPv6 goes no lower");
        assert_eq!((mtu(0, false, false, 0), mtu(0, false, true, 0)), (0, 1280));
    }

    #[test]
    fn what_is_learnt_of_a_path_is_believed_for_ten_minutes_and_the_smallest_wins() {
        let then = 3_000 * 1_000_000_000;
        let path = learn(0, then, 1300);
        assert_eq!(believed(path, then), 1300);
        assert_eq!(believed(learn(path, then + 5, 1400), then + 5), 1300);
        assert_eq!(believed(learn(path, then + 5, 1200), then + 5), 1200);
        assert_eq!(believed(path, then + BELIEVED + 1024), 0);
        assert_eq!(believed(learn(path, then + BELIEVED + 1024, 1400), then + BELIEVED + 1024), 1400);
        assert_eq!(believed(0, 0), 0);
    }

    #[test]
    fn a_path_is_learnt_only_from_a_packet_that_did_not_fit_and_never_below_what_all_paths_carry() {
        assert_eq!(segment_size(1400, false, 1500), 1360);
        assert_eq!(segment_size(1400, true, 1500), 1340);
        assert_eq!(segment_size(1400, false, 1400), 0);
        assert_eq!((segment_size(100, false, 1500), segment_size(100, true, 1500)), (1240, 1220));
        assert_eq!(segment_size(0, false, 1500), 0);
    }

    proptest! {
        #[test]
        fn a_message_keeps_its_meaning_in_the_other_family(v6: bool, k in 0u32..140, code in 0u32..17) {
            let message = kind(k, code);
            if let (Some(meant), Some(other)) = (meaning(v6, message), told(v6, message, !v6)) {
                prop_assert_eq!(meaning(!v6, other), Some(meant));
            }
        }

        #[test]
        fn only_what_lies_between_acknowledged_and_sent_is_in_flight(acked: u32, length in 0u32..0x7fff_ffff, at: u32) {
            let sequence = acked.wrapping_add(at);
            prop_assert_eq!(in_flight(sequence, acked, acked.wrapping_add(length)), at <= length);
        }

        #[test]
        fn a_sender_that_keeps_to_what_it_is_told_fits_the_link(link in 1300u32..65_000, v6: bool, to_v6: bool, line in 0u32..80) {
            let told = mtu(link, v6, to_v6, line);
            prop_assume!(told > LEAST_MTU);
            prop_assert!(told - ip_header(to_v6) + ip_header(v6) + line <= link);
        }

        #[test]
        fn a_device_that_sums_a_balanced_message_leaves_the_field_as_it_is(
            words in proptest::collection::vec(any::<u16>(), 20), field in 1u16..0xffff
        ) {
            let mut message = words;
            message[8] = field;
            let sum: u64 = message.iter().map(|&w| u64::from(w)).sum();
            message.push(balance(sum, field));
            let all: u64 = message.iter().map(|&w| u64::from(w)).sum();
            prop_assert_eq!(!fold(all), field);
        }
    }
}
