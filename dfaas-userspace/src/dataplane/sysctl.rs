//! Keeping the kernel from giving our source ports to others: `net.ipv4.ip_local_reserved_ports`, a list of ranges.

use std::fs;
use std::ops::RangeInclusive;

const RESERVED: &str = "/proc/sys/net/ipv4/ip_local_reserved_ports";

fn text(ports: &RangeInclusive<u16>) -> String {
    format!("{}-{}", ports.start(), ports.end())
}

/// The list with a range added; `None` if it is already there.
fn with(list: &str, range: &str) -> Option<String> {
    let mut parts: Vec<&str> = list.trim().split(',').filter(|p| !p.is_empty()).collect();
    if parts.contains(&range) {
        return None;
    }
    parts.push(range);
    Some(parts.join(","))
}

/// The list without a range.
fn without(list: &str, range: &str) -> String {
    list.trim().split(',').filter(|p| !p.is_empty() && *p != range).collect::<Vec<_>>().join(",")
}

/// Reserves the ports in this network namespace. A failure is only logged: collisions are unlikely, not fatal.
pub fn reserve_ports(ports: &RangeInclusive<u16>) {
    let result = fs::read_to_string(RESERVED).and_then(|list| match with(&list, &text(ports)) {
        Some(list) => fs::write(RESERVED, list),
        None => Ok(()),
    });
    if let Err(e) = result {
        tracing::warn!("{RESERVED}: {e}; the kernel may use ports of dataplane.snat_ports itself");
    }
}

/// Takes the reservation back.
pub fn release_ports(ports: &RangeInclusive<u16>) {
    let result = fs::read_to_string(RESERVED).and_then(|list| {
        let rest = without(&list, &text(ports));
        // An empty write would be ignored; a newline empties the list.
        if rest == list.trim() { Ok(()) } else { fs::write(RESERVED, format!("{rest}\n")) }
    });
    if let Err(e) = result {
        tracing::warn!("{RESERVED}: {e}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_added_once_and_taken_back_without_touching_others() {
        assert_eq!(with("\n", "20000-29999").as_deref(), Some("20000-29999"));
        assert_eq!(with("8080,9000-9010\n", "20000-29999").as_deref(), Some("8080,9000-9010,20000-29999"));
        assert_eq!(with("8080,20000-29999\n", "20000-29999"), None);
        assert_eq!(without("8080,20000-29999,9\n", "20000-29999"), "8080,9");
    }
}
