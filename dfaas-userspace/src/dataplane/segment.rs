//! Segment sizes: how much data fits one packet of a path.

/// Bytes of an IPv4 and a TCP header without options.
const HEADERS: u32 = 40;
/// Bytes of an IPv6 and a TCP header without options.
const HEADERS_6: u32 = 60;
/// What every host takes (RFC 9293, 3.7.1): less is never told.
const LEAST: u32 = 536;
/// What the programs can save of a first segment: more is never told to a client.
const MOST: u32 = 1460;

/// The segment size that fits a path, by the family of the packets on it.
pub fn of_path(mtu: u32, ipv6: bool) -> u32 {
    let headers = if ipv6 { HEADERS_6 } else { HEADERS };
    // An option of TCP has 16 bits for it.
    mtu.saturating_sub(headers).clamp(LEAST, u32::from(u16::MAX))
}

/// The segment size that clients are told, as counted for IPv4: it fits the interfaces with these MTUs, and the paths
/// of these segment sizes. Over IPv6 the programs tell 20 less.
pub fn of_node(mtus: impl Iterator<Item = u32>, paths: impl Iterator<Item = u32>) -> u32 {
    let smallest = mtus.map(|mtu| of_path(mtu, false)).chain(paths).min();
    smallest.unwrap_or(MOST).clamp(LEAST, MOST)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn usual_paths_have_the_usual_sizes() {
        assert_eq!((of_path(1500, false), of_path(1500, true)), (1460, 1440));
        // A WireGuard tunnel, the least of IPv6, a loopback.
        assert_eq!((of_path(1420, false), of_path(1280, true), of_path(65_536, false)), (1380, 1220, 65_496));
        assert_eq!(of_node([9000, 1500].into_iter(), [].into_iter()), 1460);
        assert_eq!(of_node([1500, 1500].into_iter(), [1440, 1380].into_iter()), 1380);
        assert_eq!(of_node([].into_iter(), [].into_iter()), 1460);
    }

    proptest! {
        #[test]
        fn what_clients_are_told_fits_every_path_that_carries_what_hosts_must_take(
            mtus in proptest::collection::vec(576u32.., 0..5),
            paths in proptest::collection::vec((1280u32.., any::<bool>()), 0..5),
        ) {
            let sizes: Vec<u32> = paths.iter().map(|(mtu, v6)| of_path(*mtu, *v6)).collect();
            let told = of_node(mtus.iter().copied(), sizes.iter().copied());
            prop_assert!((LEAST..=MOST).contains(&told));
            for mtu in &mtus {
                prop_assert!(told + HEADERS <= *mtu);
                prop_assert!(told - 20 + HEADERS_6 <= *mtu, "and as much over IPv6, with 20 less");
            }
            for ((mtu, v6), size) in paths.iter().zip(&sizes) {
                let headers = if *v6 { HEADERS_6 } else { HEADERS };
                prop_assert!(told <= *size && size + headers <= *mtu);
            }
        }
    }
}
