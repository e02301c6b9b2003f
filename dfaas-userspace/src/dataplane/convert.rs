//! From what operators write to what the programs read.

use std::net::{IpAddr, SocketAddr};

use aya::maps::lpm_trie::Key;
use dfaas_common::address::{Address, Endpoint, from_bytes};
use dfaas_common::bucket;
use dfaas_common::plan::{MAX_TARGETS, Name, Plan, PlanTarget, WHOLE, mode};
use ipnet::IpNet;

use super::{DataPlaneError, FunctionPlan, PickMode};

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

/// A prefix as the map of users has it: IPv4 prefixes lie below the mapped range.
pub fn prefix(net: IpNet) -> Key<Address> {
    let bits = match net {
        IpNet::V4(v4) => 96 + u32::from(v4.prefix_len()),
        IpNet::V6(v6) => u32::from(v6.prefix_len()),
    };
    Key::new(bits, address(net.network()))
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
    let mut out = Plan { count: plan.shares.len() as u32, ..Plan::EMPTY };
    let mut cumulative = 0;
    for (slot, (target, share)) in out.targets.iter_mut().zip(&plan.shares) {
        cumulative += share;
        *slot = PlanTarget { backend: backend(target)?, cumulative };
    }
    out.mode = match plan.mode {
        PickMode::Share => mode::SHARE,
        PickMode::Smooth => mode::SMOOTH,
    };
    out.local_inflight = plan.local_inflight;
    out.local_interval = bucket::interval((plan.local_rate.max(0.0) * 1000.0).round() as u64);
    out.expires = now.saturating_add(plan.lifetime.as_nanos().min(u128::from(u64::MAX)) as u64);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dfaas_common::address::mapped;

    use super::*;
    use crate::dataplane::Target;

    #[test]
    fn every_ipv4_user_is_inside_the_prefix_of_all_and_no_ipv6_user_is() {
        let all = prefix("0.0.0.0/0".parse().expect("a prefix"));
        assert_eq!({ all.prefix_len() }, 96);
        assert_eq!(
            address("192.0.2.1".parse().expect("an address")),
            mapped(u32::from_ne_bytes([192, 0, 2, 1]))
        );
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
            local_inflight: 7,
            local_rate: 2.5,
            lifetime: Duration::from_millis(3500),
        };
        let made = plan(&wanted, 1000, number).expect("a sound plan");
        assert_eq!(
            (made.targets[0].cumulative, made.targets[1].cumulative, made.targets[1].backend),
            (16_384, WHOLE, 3)
        );
        assert_eq!((made.local_interval, made.expires, made.local_inflight), (400_000_000, 3_500_001_000, 7));
        wanted.shares.pop();
        assert!(plan(&wanted, 0, number).is_err());
    }
}
