//! Plans of a node, written by the test while its agent is held.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use aya::maps::{HashMap, Map, MapData, PerCpuArray};
use dfaas_common::ABI_VERSION;
use dfaas_common::address::{Address, from_bytes, mapped};
use dfaas_common::count::{DropReason, Event, PinReason, REJECT};
use dfaas_common::plan::{Name, Plan, mode, name_key};

use crate::site::Site;

/// Shares of nodes 1, 2 and 3, in 65,536ths.
pub type Shares = [u32; 3];

/// All of them.
pub const WHOLE: u32 = 65_536;

/// The plans of node 1.
pub struct Steering {
    plans: HashMap<MapData, u32, Plan>,
    functions: BTreeMap<String, u32>,
    /// Backend numbers of nodes 1, 2 and 3.
    backends: [u32; 3],
}

/// The monotonic clock, ns.
fn now() -> u64 {
    let text = std::fs::read_to_string("/proc/uptime").unwrap();
    let seconds: f64 = text.split(' ').next().unwrap().parse().unwrap();
    (seconds * 1e9) as u64
}

impl Steering {
    /// Of node 1, whose agent has told the data plane of these functions.
    pub fn new(site: &Site, functions: &[&str]) -> Self {
        let folder = site.lab.pin(1).join(format!("v{ABI_VERSION}"));
        let open = |name: &str| Map::HashMap(MapData::from_pin(folder.join(name)).unwrap());
        let names: HashMap<_, Name, u32> = open("NAMES").try_into().unwrap();
        let peers: HashMap<_, Address, u32> = open("PEER_NUMBERS").try_into().unwrap();
        let number_of = |name: &&str| ((*name).to_owned(), names.get(&name_key(name).unwrap(), 0).unwrap());
        let backend = |node: u8| {
            let address = match site.nodes[0].family().peer_address(node) {
                IpAddr::V4(four) => mapped(u32::from_ne_bytes(four.octets())),
                IpAddr::V6(six) => from_bytes(six.octets()),
            };
            peers.get(&address, 0).unwrap()
        };
        Self {
            functions: functions.iter().map(number_of).collect(),
            backends: [0, backend(2), backend(3)],
            plans: open("PLANS").try_into().unwrap(),
        }
    }

    /// Gives a function another plan, with independent draws.
    pub fn write(&mut self, function: &str, shares: Shares) {
        self.write_as(mode::SHARE, function, shares);
    }

    /// The same with this mode of drawing.
    pub fn write_as(&mut self, mode: u32, function: &str, shares: Shares) {
        self.write_rejecting(mode, function, shares, None);
    }

    /// The same, with a share that is answered here with 503; it may be 0.
    pub fn write_rejecting(&mut self, mode: u32, function: &str, shares: Shares, rejected: Option<u32>) {
        let mut plan = Plan { mode, ..Plan::EMPTY };
        plan.expires = now() + Duration::from_secs(3600).as_nanos() as u64;
        let shares = self.backends.into_iter().zip(shares).filter(|(_, share)| *share != 0);
        plan.set_shares(shares.chain(rejected.map(|share| (REJECT, share))));
        self.plans.insert(self.functions[function], plan, 0).unwrap();
    }
}

/// What happened in the data plane of node 1, why packets were dropped and connections pinned, without zeros.
pub fn happened(site: &Site) -> BTreeMap<&'static str, u64> {
    let folder = site.lab.pin(1).join(format!("v{ABI_VERSION}"));
    let open = |name: &str| -> PerCpuArray<MapData, u64> {
        Map::PerCpuArray(MapData::from_pin(folder.join(name)).unwrap()).try_into().unwrap()
    };
    let sum = |map: &PerCpuArray<MapData, u64>, index: u32| map.get(&index, 0).unwrap().iter().sum::<u64>();
    let (events, drops, pins) = (open("HAPPENED"), open("DROPS"), open("PINS"));
    let events = Event::ALL.iter().map(|(event, name)| (*name, sum(&events, *event as u32)));
    let drops = DropReason::ALL.iter().map(|(reason, name)| (*name, sum(&drops, *reason as u32)));
    let pins = PinReason::ALL.iter().map(|(reason, name)| (*name, sum(&pins, *reason as u32)));
    events.chain(drops).chain(pins).filter(|(_, count)| *count != 0).collect()
}
