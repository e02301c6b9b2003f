//! From what operators write to what the programs read.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use aya::maps::lpm_trie::Key;
use dfaas_common::address::{Address, Endpoint, from_bytes};
use dfaas_common::choice::NO_WAY;
use dfaas_common::config::{Peer as KernelPeer, Report};
use dfaas_common::plan::{MAX_CANDIDATES, MAX_TARGETS, Name, Plan, WHOLE, flag, mode};
use dfaas_common::units::{interval, micros, wait_limit};
use ipnet::IpNet;

use super::{Admission, DataPlaneError, FunctionPlan, PickMode, Wait};

/// An address as the maps have it.
pub fn address(ip: IpAddr) -> Address {
    match ip {
        IpAddr::V4(v4) => from_bytes(v4.to_ipv6_mapped().octets()),
        IpAddr::V6(v6) => from_bytes(v6.octets()),
    }
}

/// An address and port as the maps have them.
pub fn endpoint(at: SocketAddr) -> Endpoint {
    Endpoint { address: address(at.ip()), port: at.port().to_be(), padding: 0 }
}

/// Where the own gateway takes what peers send over IPv4 and over IPv6: its own address, or the first listen address, if
/// that is of that family; else the same port at whatever address the peer used.
pub fn gateways(listen: &[SocketAddr], gateway: Option<SocketAddr>) -> [Endpoint; 2] {
    [false, true].map(|v6| {
        let own = gateway.iter().chain(listen).find(|at| at.is_ipv6() == v6);
        let port = gateway.as_ref().or(listen.first()).map_or(0, |at| at.port());
        own.map_or(Endpoint { port: port.to_be(), ..Endpoint::default() }, |at| endpoint(*at))
    })
}

/// A prefix of the map of users: its length in bits, and its address.
type Prefix = (u32, Address);

/// The users as the map has them: 1 admits, 0 does not, and the longest prefix that fits decides.
///
/// IPv4 prefixes lie inside `::ffff:0:0/96`. Without an entry of its own there, `::/0` would admit all of IPv4.
pub fn users(nets: &[IpNet]) -> BTreeMap<Prefix, u32> {
    let ipv4_range = (96, address(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
    let admitted = nets.iter().map(|net| {
        let bits = match net {
            IpNet::V4(v4) => 96 + u32::from(v4.prefix_len()),
            IpNet::V6(v6) => u32::from(v6.prefix_len()),
        };
        ((bits, address(net.network())), 1)
    });
    [(ipv4_range, 0)].into_iter().chain(admitted).collect()
}

/// The key of a prefix.
pub fn prefix_key((bits, address): Prefix) -> Key<Address> {
    Key::new(bits, address)
}

/// A label of at most 63 bytes; longer ones are cut, as they only serve to be shown.
pub fn label(text: &str) -> Name {
    let mut name: Name = [0; 64];
    let mut end = text.len().min(63);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].copy_from_slice(&text.as_bytes()[..end]);
    name
}

/// The text of a label.
pub fn unlabel(name: &Name) -> String {
    let end = name.iter().position(|&b| b == 0).unwrap_or(name.len());
    String::from_utf8_lossy(&name[..end]).into_owned()
}

/// What a backend has said, to which its load is added from `sent` on.
pub fn report(wait: &Wait, sent: u32) -> Report {
    Report::of(wait.wait, wait.cores, sent)
}

/// The entry of a peer with what is taken from it.
pub fn admission(admission: Option<Admission>, peer: KernelPeer) -> KernelPeer {
    match admission {
        None => peer.without_limits(),
        Some(Admission { inflight, rate, burst, wait }) => peer.with_limits(inflight, rate, burst, wait),
    }
}

/// A plan as the programs read it; `backend` gives the numbers of targets, `now` is the monotonic clock in ns.
pub fn plan(
    plan: &FunctionPlan,
    now: u64,
    backend: impl Fn(&super::Target) -> Result<u32, DataPlaneError>,
) -> Result<Plan, DataPlaneError> {
    if plan.shares.len() > MAX_TARGETS {
        return Err(DataPlaneError::Full { what: "targets of a plan".to_owned(), limit: MAX_TARGETS });
    }
    let total: u64 = plan.shares.iter().map(|(_, share)| u64::from(*share)).sum();
    if total != u64::from(WHOLE) {
        return Err(DataPlaneError::Map {
            map: "PLANS",
            cause: format!("shares sum to {total} instead of {WHOLE}"),
        });
    }
    let shares: Vec<(u32, u32)> = plan
        .shares
        .iter()
        .map(|(target, share)| Ok((backend(target)?, *share)))
        .collect::<Result<_, DataPlaneError>>()?;
    let mut out = Plan::EMPTY;
    out.set_shares(shares.into_iter());
    out.mode = match plan.mode {
        PickMode::Share => mode::SHARE,
        PickMode::Smooth => mode::SMOOTH,
    };
    if plan.local_first {
        out.flags |= flag::LOCAL_FIRST;
    }
    for (target, _) in &plan.shares {
        if let super::Target::Peer(name) = target
            && let Some(rate) = plan.peer_rate.get(name)
        {
            out.limit(backend(target)?, interval(*rate));
        }
    }
    if plan.overflow.len() > MAX_CANDIDATES {
        return Err(DataPlaneError::Full {
            what: "overflow candidates of a plan".to_owned(),
            limit: MAX_CANDIDATES,
        });
    }
    let candidates: Vec<u16> = plan
        .overflow
        .iter()
        .map(|name| Ok(backend(&super::Target::Peer(name.clone()))? as u16))
        .collect::<Result<_, DataPlaneError>>()?;
    out.set_candidates(candidates.into_iter());
    out.work = micros(plan.work);
    out.overflow_above = plan.overflow_above.map_or(NO_WAY, micros);
    out.peers_interval = plan.peers_rate.map_or(0, interval);
    out.local_inflight = plan.local_inflight;
    out.local_wait = wait_limit(plan.local_wait);
    out.local_interval = if plan.local_rate > 0.0 { interval(plan.local_rate) } else { 0 };
    out.expires = now.saturating_add(plan.lifetime.as_nanos().min(u128::from(u64::MAX)) as u64);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dfaas_common::address::mapped;
    use dfaas_common::bucket;

    use super::*;
    use crate::dataplane::Target;

    /// What the map would say of an address: the value of the longest prefix that fits.
    fn admits(nets: &[&str], user: &str) -> bool {
        let nets: Vec<IpNet> = nets.iter().map(|n| n.parse().expect("a prefix")).collect();
        let bits = |a: &Address| u128::from_be_bytes(dfaas_common::address::to_bytes(a));
        let user = bits(&address(user.parse().expect("an address")));
        let fits = |(length, prefix): &Prefix| *length == 0 || (bits(prefix) ^ user) >> (128 - length) == 0;
        users(&nets)
            .iter()
            .filter(|(p, _)| fits(p))
            .max_by_key(|((length, _), _)| *length)
            .is_some_and(|(_, v)| *v == 1)
    }

    #[test]
    fn each_family_is_admitted_by_its_own_prefixes_only() {
        assert!(admits(&["0.0.0.0/0", "::/0"], "192.0.2.1"));
        assert!(admits(&["0.0.0.0/0", "::/0"], "2001:db8::1"));
        assert!(admits(&["10.0.0.0/8", "::/0"], "10.1.2.3"));
        assert!(!admits(&["10.0.0.0/8", "::/0"], "192.0.2.1"), "::/0 says nothing of IPv4");
        assert!(!admits(&["0.0.0.0/0"], "2001:db8::1"));
        assert!(!admits(&[], "192.0.2.1"));
        assert_eq!(
            address("192.0.2.1".parse().expect("an address")),
            mapped(u32::from_ne_bytes([192, 0, 2, 1]))
        );
    }

    #[test]
    fn what_peers_send_begins_at_the_gateways_own_address_else_where_users_call() {
        let at = |text: &str| endpoint(text.parse().expect("an address"));
        let (v4, v6) = ("192.0.2.1:8080", "[2001:db8::1]:8081");
        let anywhere = |port: u16| Endpoint { port: port.to_be(), ..Endpoint::default() };
        let parse =
            |all: &[&str]| all.iter().map(|text| text.parse().expect("an address")).collect::<Vec<_>>();
        assert_eq!(gateways(&parse(&[v4]), None), [at(v4), anywhere(8080)]);
        assert_eq!(gateways(&parse(&[v4, v6]), None), [at(v4), at(v6)]);
        let own = "10.62.0.5:31112";
        assert_eq!(gateways(&parse(&[v4]), own.parse().ok()), [at(own), anywhere(31112)]);
        assert_eq!(gateways(&parse(&[v4, v6]), own.parse().ok()), [at(own), at(v6)]);
    }

    #[test]
    fn a_label_is_cut_between_characters() {
        assert_eq!(unlabel(&label(&"é".repeat(40))).chars().count(), 31);
        assert_eq!(unlabel(&label("figlet")), "figlet");
    }

    #[test]
    fn shares_become_cumulative_and_must_be_whole() {
        let number = |t: &Target| Ok(if *t == Target::Local { 0 } else { 3 });
        let shares = vec![(Target::Local, 16_384), (Target::Peer("b".into()), 49_152)];
        let mut wanted = FunctionPlan {
            mode: PickMode::Smooth,
            shares,
            local_first: false,
            peer_rate: BTreeMap::new(),
            local_inflight: 7,
            local_rate: 2.5,
            local_wait: Some(Duration::from_millis(450)),
            peers_rate: Some(4.0),
            work: Duration::from_nanos(30_000_001),
            overflow_above: Some(Duration::from_millis(20)),
            overflow: vec!["b".into(), "c".into()],
            lifetime: Duration::from_millis(3500),
        };
        let made = plan(&wanted, 1000, number).expect("a sound plan");
        assert_eq!(
            (made.targets[0].cumulative, made.targets[1].cumulative, made.targets[1].backend),
            (16_384, WHOLE, 3)
        );
        assert_eq!((made.local_interval, made.expires), (400_000_000, 3_500_001_000));
        assert_eq!((made.local_inflight, made.local_wait), (7, 450_000));
        assert_eq!((made.flags, made.locals, made.intervals), (0, 1, [0; MAX_TARGETS]), "no more limits");
        assert_eq!((made.work, made.overflow_above, made.peers_interval), (30_001, 20_000, 250_000_000));
        assert_eq!((made.candidates, made.candidate[..3].to_vec()), (2, vec![3, 3, 0]));
        wanted.shares.pop();
        assert!(plan(&wanted, 0, number).is_err());
    }

    #[test]
    fn limits_of_peers_stand_beside_their_shares_and_a_rate_of_nothing_lets_nothing_through() {
        let half = WHOLE / 2;
        let peer = |name: &str| Target::Peer(name.to_owned());
        let wanted = FunctionPlan {
            mode: PickMode::Smooth,
            shares: vec![(peer("b"), half), (peer("c"), half / 2), (peer("d"), half / 2)],
            local_first: true,
            peer_rate: [("c", 4.0), ("d", 0.0), ("no target", 1.0)].map(|(n, r)| (n.to_owned(), r)).into(),
            local_inflight: 0,
            local_rate: 0.0,
            local_wait: None,
            peers_rate: None,
            work: Duration::ZERO,
            overflow_above: None,
            overflow: Vec::new(),
            lifetime: Duration::from_secs(1),
        };
        let number = |t: &Target| match t {
            Target::Peer(name) => Ok(u32::from(name.as_bytes()[0] - b'a')),
            _ => panic!("only peers are targets"),
        };
        let made = plan(&wanted, 0, number).expect("a sound plan");
        assert_eq!((made.flags, made.locals), (flag::LOCAL_FIRST, 0));
        assert_eq!((made.local_interval, made.local_wait), (0, 0), "no limits");
        assert_eq!(made.intervals[..4], [0, 250_000_000, bucket::NEVER, 0]);
    }

    #[test]
    fn a_report_tells_the_wait_and_what_work_adds_to_it() {
        let wait = |millis, cores| {
            let report = report(&Wait { wait: Duration::from_millis(millis), cores, report: 1 }, 77);
            (report.wait, report.pace, report.sent)
        };
        assert_eq!(wait(3, 2.0), (3_000, 32_768, 77));
        assert_eq!(wait(3, 0.0), (3_000, u32::MAX, 77), "nothing is done there");
        assert_eq!(wait(3, f64::NAN), (3_000, 0, 77));
        assert_eq!(wait(1 << 40, 1e9), (NO_WAY - 1, 0, 77));
    }

    #[test]
    fn admission_is_by_places_rate_and_burst() {
        let limits = |inflight, rate, burst| {
            let made =
                admission(Some(Admission { inflight, rate, burst, wait: None }), KernelPeer::default());
            (made.inflight, made.interval, made.tolerance)
        };
        assert_eq!(limits(8, 10.0, 3.0), (8, 100_000_000, 300_000_000));
        assert_eq!(limits(8, 10.0, 0.0), (8, 100_000_000, 100_000_000), "one at a time, but not none");
        assert_eq!(limits(0, 10.0, 3.0).1, bucket::NEVER);
        assert_eq!(limits(8, 0.0, 3.0).1, bucket::NEVER);
        assert_eq!(limits(8, f64::NAN, f64::NAN).1, bucket::NEVER);
        assert_eq!(limits(8, f64::INFINITY, 1.0), (8, 0, 0), "no limit of the rate");
        assert_eq!(limits(8, 0.001, 1e300), (8, 1_000_000_000_000, 86_400_000_000_000));
        let waiting = |wait| Admission { inflight: 8, rate: 1.0, burst: 1.0, wait: Some(wait) };
        let wait = |wait| admission(Some(waiting(wait)), KernelPeer::default()).wait;
        assert_eq!((wait(Duration::from_millis(300)), wait(Duration::ZERO)), (300_000, 1), "0 is no limit");
        assert_eq!(admission(None, KernelPeer::default()), KernelPeer::default());
    }

    #[test]
    fn the_bounds_of_the_kernels_buckets_are_those_that_are_told() {
        let told = crate::dataplane::FIRST_BYTE_BOUNDS.map(|seconds| (seconds * 1e9).round() as u64);
        assert_eq!(told, dfaas_common::first_byte::BOUNDS);
    }
}
