use std::collections::BTreeSet;
use std::fs::read_to_string;
use std::ops::RangeInclusive;

use super::Finding;
use crate::dataplane::Settings;

pub(super) fn examine(settings: &Settings) -> Vec<Finding> {
    let listening: BTreeSet<u16> = ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
        .iter()
        .flat_map(|path| listeners(&read_to_string(path).unwrap_or_default()))
        .collect();
    let mut findings = Vec::new();
    for address in &settings.listen {
        let check = format!("listen {address}");
        findings.push(if listening.contains(&address.port()) {
            Finding::ok(&check, "has a listener")
        } else {
            Finding::warn(
                &check,
                "nobody listens at its port here",
                "start the gateway there; behind DNAT this is well",
            )
        });
    }
    let check = format!("data_port {}", settings.data_port);
    findings.push(if listening.contains(&settings.data_port) {
        let advice = format!(
            "`ss -ltnp sport = :{}` tells who; choose another dataplane.data_port",
            settings.data_port
        );
        Finding::fail(&check, "another program listens there", advice)
    } else {
        Finding::ok(&check, "free")
    });
    let ephemeral = read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let reserved = read_to_string("/proc/sys/net/ipv4/ip_local_reserved_ports").unwrap_or_default();
    findings.push(judge_snat(&settings.snat_ports, &ephemeral, &reserved));
    findings
}

fn judge_snat(snat: &RangeInclusive<u16>, ephemeral: &str, reserved: &str) -> Finding {
    let check = format!("snat_ports {}-{}", snat.start(), snat.end());
    let mut bounds = ephemeral.split_whitespace().map(str::parse::<u16>);
    let (Some(Ok(first)), Some(Ok(last))) = (bounds.next(), bounds.next()) else {
        return Finding::warn(&check, "the ephemeral range cannot be read", "keep the two apart");
    };
    let reserved = ranges(reserved);
    let meets =
        |port: &u16| (first..=last).contains(port) && !reserved.iter().any(|range| range.contains(port));
    match snat.clone().find(meets) {
        None => Finding::ok(&check, format!("apart from the ephemeral ports {first}-{last}")),
        Some(port) => Finding::warn(
            &check,
            format!("meets the ephemeral ports {first}-{last} at {port}"),
            format!("add {}-{} to sysctl net.ipv4.ip_local_reserved_ports", snat.start(), snat.end()),
        ),
    }
}

/// Reads `8080,20000-29999`.
fn ranges(text: &str) -> Vec<RangeInclusive<u16>> {
    let range = |item: &str| {
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
    };
    text.trim().split(',').filter_map(range).collect()
}

/// Whether something is bound to this port and connected to nobody, in a text of the form of `/proc/net/udp` or `tcp`.
pub(super) fn bound(table: &str, port: u16) -> bool {
    let local = format!(":{port:04X}");
    table.lines().skip(1).any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (Some(own), Some(other)) = (fields.next(), fields.next()) else { return false };
        own.ends_with(&local) && other.ends_with(":0000")
    })
}

/// The ports with a listener in a text of the form of `/proc/net/tcp`.
fn listeners(table: &str) -> BTreeSet<u16> {
    const LISTEN: &str = "0A";
    let port = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, state) = (fields.next()?, fields.nth(1)?);
        let (_, port) = local.rsplit_once(':')?;
        if state == LISTEN { u16::from_str_radix(port, 16).ok() } else { None }
    };
    table.lines().skip(1).filter_map(port).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn listeners_are_told_from_connections() {
        let table = "  sl  local_address rem_address   st tx_queue\n\
             \x20  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000\n\
             \x20  1: 0100007F:2382 0100007F:9C40 01 00000000:00000000\n";
        assert_eq!(listeners(table), BTreeSet::from([8080]));
        assert!(listeners("").is_empty());
    }

    #[test]
    fn a_real_listener_of_this_process_is_seen() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let table = read_to_string("/proc/self/net/tcp").unwrap();
        assert!(listeners(&table).contains(&socket.local_addr().unwrap().port()));
    }

    #[test]
    fn snat_ports_must_be_outside_the_ephemeral_range_or_reserved() {
        let level = |ephemeral, reserved| judge_snat(&(20000..=29999), ephemeral, reserved).level;
        assert_eq!(level("32768\t60999\n", "\n"), Level::Ok);
        assert_eq!(level("1024\t60999\n", "\n"), Level::Warn);
        assert_eq!(level("1024\t60999\n", "80,20000-29999\n"), Level::Ok);
        assert_eq!(level("1024\t60999\n", "20000-29998\n"), Level::Warn);
        assert_eq!(level("", ""), Level::Warn);
    }
}
