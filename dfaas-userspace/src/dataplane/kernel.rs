//! The data plane in the kernel: the maps that this process writes.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use aya::maps::lpm_trie::LpmTrie;
use aya::maps::{Array, HashMap, MapData, MapError, PerCpuArray, PerCpuHashMap, Queue, RingBuf};
use aya::programs::{TestRun as _, TestRunOptions};
use dfaas_common::address::{Address, Endpoint};
use dfaas_common::config::{Config, Peer as KernelPeer};
use dfaas_common::count::{CountKey, LOCAL, MoveKey, PeerCounts, REJECT, Tally};
use dfaas_common::flow::Flow;
use dfaas_common::plan::{FunctionState, Name, Plan};
use nix::time::{ClockId, clock_gettime};

use super::functions::Known;
use super::numbers::Numbers;
use super::object::Object;
use super::waits::Reports;
use super::{
    DataPlane, DataPlaneError, Explanation, FlowView, Function, FunctionPlan, Gateway, Left, Peer, Question,
    Settings, Snapshot, Taken, Target, Waits, bpffs, convert, destroy, loopback, sysctl,
};

/// The state that is written from here, and what is known of it.
pub struct Kernel {
    pub(super) object: Object,
    pub(super) settings: Settings,
    pub(super) folder: PathBuf,
    pub(super) config: Array<MapData, Config>,
    pub(super) places: HashMap<MapData, Endpoint, u32>,
    pub(super) users: LpmTrie<MapData, Address, u32>,
    pub(super) free: Queue<MapData, u32>,
    pub(super) peers: Array<MapData, KernelPeer>,
    pub(super) peer_numbers: HashMap<MapData, Address, u32>,
    pub(super) paths: Array<MapData, u64>,
    pub(super) homes: Array<MapData, u32>,
    pub(super) names: HashMap<MapData, Name, u32>,
    pub(super) plans: HashMap<MapData, u32, Plan>,
    pub(super) cursors: Array<MapData, u64>,
    pub(super) tallies: PerCpuHashMap<MapData, CountKey, Tally>,
    pub(super) bound: HashMap<MapData, CountKey, u64>,
    pub(super) peer_rates: Array<MapData, u64>,
    pub(super) admissions: Array<MapData, u64>,
    pub(super) peer_bound: Array<MapData, u64>,
    pub(super) peer_counts: PerCpuArray<MapData, PeerCounts>,
    pub(super) reports: Reports,
    pub(super) drops: PerCpuArray<MapData, u64>,
    pub(super) happened: PerCpuArray<MapData, u64>,
    pub(super) pins: PerCpuArray<MapData, u64>,
    pub(super) moves: PerCpuHashMap<MapData, MoveKey, u64>,
    pub(super) functions: Array<MapData, FunctionState>,
    pub(super) table: Array<MapData, Flow>,
    pub(super) ring: RingBuf<MapData>,
    /// Reports that were lost until they were last asked for.
    pub(super) lost_before: u64,
    pub(super) function_numbers: Numbers,
    pub(super) peer_labels: Numbers,
    pub(super) gateway_labels: Numbers,
    /// Peers in force, by number.
    pub(super) known_peers: BTreeMap<u32, Peer>,
    /// Whether the maps have exactly these; they may have those of an earlier agent.
    pub(super) peers_written: bool,
    /// Gateways at addresses of their own, by backend number.
    pub(super) known_gateways: BTreeMap<u32, Gateway>,
    /// Whether the maps have exactly these.
    pub(super) gateways_written: bool,
    /// Functions in force, by canonical name.
    pub(super) known_functions: BTreeMap<String, Known>,
    /// Addresses at which peers reach the data port, as they are written.
    pub(super) data_addresses: Vec<IpAddr>,
    /// Segment size that clients are told, as it is written.
    pub(super) segment_size: u32,
    /// What stands in the way of backends; see [`Snapshot::problems`].
    pub(super) problems: Vec<String>,
}

pub(super) fn map_error(map: &'static str) -> impl Fn(MapError) -> DataPlaneError {
    move |e| DataPlaneError::Map { map, cause: e.to_string() }
}

/// The clock of the programs, ns.
pub(super) fn monotonic() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap_or_else(|_| nix::sys::time::TimeSpec::new(0, 0));
    now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
}

impl Kernel {
    fn backend(&self, target: &Target) -> Result<u32, DataPlaneError> {
        match target {
            Target::Local => Ok(LOCAL),
            Target::Reject => Ok(REJECT),
            Target::Peer(name) => self
                .known_peers
                .iter()
                .find(|(_, peer)| peer.name == *name)
                .map(|(number, _)| *number)
                .ok_or_else(|| DataPlaneError::Map { map: "PLANS", cause: format!("{name} is not a peer") }),
        }
    }

    /// Runs the program that frees dead flows.
    fn sweep(&self) -> Result<(), DataPlaneError> {
        let failed = |cause: String| DataPlaneError::Setup {
            what: "running program dfaas_sweep".to_owned(),
            cause,
            hint: "dead flows are freed by new connections meanwhile",
        };
        let program = self.object.program("dfaas_sweep").ok_or_else(|| failed("not loaded".to_owned()))?;
        // The program ignores its packet, but there must be one, of at least an Ethernet header.
        let packet = [0u8; 64];
        program
            .test_run(TestRunOptions { data_in: Some(&packet), ..TestRunOptions::default() })
            .map_err(|e| failed(e.to_string()))?;
        Ok(())
    }

    pub(super) fn set_config(&mut self, change: impl FnOnce(&mut Config)) -> Result<(), DataPlaneError> {
        let mut config = self.config.get(&0, 0).map_err(map_error("CONFIG"))?;
        change(&mut config);
        self.config.set(0, config, 0).map_err(map_error("CONFIG"))
    }

    /// Connections bound now.
    fn bound_now(&self) -> Result<u64, DataPlaneError> {
        let mut sum = 0u64;
        for entry in self.bound.iter() {
            sum += entry.map_err(map_error("BOUND"))?.1;
        }
        Ok(sum)
    }
}

impl DataPlane for Kernel {
    fn earlier_peers(&self) -> Result<Vec<String>, DataPlaneError> {
        self.peers_left()
    }

    fn set_peers(&mut self, peers: &[Peer]) -> Result<(), DataPlaneError> {
        self.put_peers(peers)
    }

    fn set_gateways(&mut self, gateways: &[Gateway]) -> Result<(), DataPlaneError> {
        self.put_gateways(gateways)
    }

    fn set_functions(&mut self, functions: &[Function]) -> Result<(), DataPlaneError> {
        self.put_functions(functions)
    }

    fn write_plan(&mut self, function: &str, plan: &FunctionPlan) -> Result<(), DataPlaneError> {
        let unknown =
            || DataPlaneError::Map { map: "PLANS", cause: format!("{function} is not a known function") };
        let number = self.known_functions.get(function).ok_or_else(unknown)?.number;
        let value = convert::plan(plan, monotonic(), |target| self.backend(target))?;
        self.plans.insert(number, value, 0).map_err(map_error("PLANS"))
    }

    fn set_waits(&mut self, waits: &Waits) -> Result<(), DataPlaneError> {
        self.put_waits(waits)
    }

    fn set_armed(&mut self, armed: bool) -> Result<(), DataPlaneError> {
        self.set_config(|config| config.armed = u32::from(armed))
    }

    fn maintain(&mut self) -> Result<(), DataPlaneError> {
        self.follow_addresses()?;
        self.follow_routes()?;
        self.sweep()
    }

    fn snapshot(&self) -> Result<Snapshot, DataPlaneError> {
        self.read_snapshot()
    }

    fn set_sample(&mut self, sample: u32) -> Result<(), DataPlaneError> {
        self.put_sample(sample)
    }

    fn take_seen(&mut self, most: usize) -> Result<Taken, DataPlaneError> {
        self.take_reports(most)
    }

    fn flows(&self) -> Result<Vec<FlowView>, DataPlaneError> {
        self.read_flows()
    }

    fn explain(&self, question: &Question) -> Result<Explanation, DataPlaneError> {
        self.explanation(question)
    }

    fn leave(mut self: Box<Self>, limit: Duration) -> Result<Left, DataPlaneError> {
        self.set_armed(false)?;
        let start = Instant::now();
        let mut abandoned = self.bound_now()?;
        while abandoned > 0 && start.elapsed() < limit {
            std::thread::sleep(Duration::from_millis(50));
            self.sweep()?;
            abandoned = self.bound_now()?;
        }
        if abandoned > 0
            && let Err(e) = destroy::reset_local(&self.folder)
        {
            tracing::warn!("connections to the gateway cannot be reset: {e}; their ends wait for a time-out");
        }
        // A connection leaves the gauge with its first FIN; the last packets still need translation.
        std::thread::sleep(Duration::from_millis(500));
        sysctl::release_ports(&self.settings.snat_ports);
        loopback::close(&self.folder);
        bpffs::remove(&self.settings.pin)?;
        tracing::info!(abandoned, "detached from {}", self.folder.display());
        Ok(Left { abandoned })
    }
}
