//! What the maps of a bench say.

use std::collections::BTreeMap;
use std::time::Duration;

use aya::maps::{MapData, PerCpuArray};
use dfaas_common::config::cursor;
use dfaas_common::count::{DropReason, Event, PeerOutcome, PinReason, Tally};
use dfaas_common::event::InvocationEvent;
use dfaas_common::flow::Flow;
use dfaas_common::steps::STEPS;

use crate::bench::{Bench, FIGLET};
use crate::loaded::ENTRIES;

impl Bench {
    /// The flows in use.
    pub fn flows(&self) -> Vec<Flow> {
        self.table.iter().map(|f| f.expect("a flow")).filter(|f| f.state != 0).collect()
    }

    /// Invocations that were reported since the last look.
    pub fn reports(&mut self) -> Vec<InvocationEvent> {
        let mut reports = Vec::new();
        while let Some(item) = self.ring.next() {
            reports.push(InvocationEvent::from_bytes(&item).expect("a whole event"));
        }
        reports
    }

    /// The number of flows in use as the programs count it.
    pub fn live(&self) -> u64 {
        self.cursors.get(&cursor::LIVE, 0).expect("a number")
    }

    /// Counters of invocations by (function, backend, origin).
    pub fn invocations(&self) -> BTreeMap<(u32, u16, u16), u64> {
        self.tallies().into_iter().map(|(key, tally)| (key, tally.invocations)).collect()
    }

    /// All that is counted of invocations, by (function, backend, origin).
    pub fn tallies(&self) -> BTreeMap<(u32, u16, u16), Tally> {
        let entries = self.tallies.iter().map(|e| e.expect("counters"));
        entries
            .map(|(key, values)| {
                let mut total = Tally::EMPTY;
                values.iter().for_each(|value| total.add(value));
                ((key.function, key.backend, key.origin), total)
            })
            .collect()
    }

    /// Connections bound now by (function, backend), without zeros.
    pub fn bound(&self) -> BTreeMap<(u32, u16), u64> {
        let entries = self.bound.iter().map(|e| e.expect("a gauge")).filter(|(_, v)| *v != 0);
        entries.map(|(k, v)| ((k.function, k.backend), v)).collect()
    }

    /// Kept connections that went on with another backend, by (from, to).
    pub fn moved(&self) -> BTreeMap<(u16, u16), u64> {
        let entries = self.moves.iter().map(|e| e.expect("a counter"));
        entries.map(|(key, values)| ((key.from, key.to), values.iter().sum())).collect()
    }

    /// Connections that can no longer move, by reason, without zeros.
    pub fn pins(&self) -> BTreeMap<&'static str, u64> {
        let of = |reason: PinReason| self.pins.get(&(reason as u32), 0).expect("a counter").iter().sum();
        PinReason::ALL.iter().map(|(reason, name)| (*name, of(*reason))).filter(|(_, n)| *n != 0).collect()
    }

    /// Answers by (function, backend): the buckets that are not empty, and the sum of the times.
    pub fn first_bytes(&self) -> BTreeMap<(u32, u16), (BTreeMap<usize, u64>, Duration)> {
        self.tallies()
            .into_iter()
            .filter(|(_, tally)| tally.first_byte.buckets.iter().any(|count| *count != 0))
            .map(|((function, backend, _), Tally { first_byte, .. })| {
                let buckets = first_byte.buckets.into_iter().enumerate().filter(|(_, count)| *count != 0);
                ((function, backend), (buckets.collect(), Duration::from_nanos(first_byte.sum)))
            })
            .collect()
    }

    /// What became of connections with a peer, without zeros.
    pub fn outcomes(&self, peer: u32) -> BTreeMap<&'static str, u64> {
        let counts = self.peer_counts.get(&peer, 0).expect("counters");
        let sum = |outcome: PeerOutcome| counts.iter().map(|cpu| cpu[outcome as usize]).sum::<u64>();
        PeerOutcome::ALL.iter().map(|(o, name)| (*name, sum(*o))).filter(|(_, count)| *count != 0).collect()
    }

    /// Connections of a peer that are bound now.
    pub fn bound_of_peer(&self, peer: u32) -> u64 {
        self.peer_bound.get(&peer, 0).expect("a gauge")
    }

    /// Drops by reason, without zeros.
    pub fn drops(&self) -> BTreeMap<&'static str, u64> {
        nonzero(&self.drops, DropReason::ALL.iter().map(|(r, n)| (*r as u32, *n)))
    }

    /// Events by name, without zeros.
    pub fn events(&self) -> BTreeMap<&'static str, u64> {
        nonzero(&self.happened, Event::ALL.iter().map(|(e, n)| (*e as u32, *n)))
    }

    /// Draws made for `figlet`.
    pub fn draws(&self) -> u64 {
        self.functions.get(&FIGLET, 0).expect("a state").draws
    }

    /// Verified instructions by program.
    pub fn verified(&self) -> Vec<(&'static str, u32)> {
        ENTRIES
            .iter()
            .chain(STEPS)
            .copied()
            .map(|name| {
                let info = self.object.program(name).expect("a program").info().expect("its description");
                (name, info.verified_instruction_count().expect("the kernel tells"))
            })
            .collect()
    }
}

fn nonzero(
    map: &PerCpuArray<MapData, u64>,
    names: impl Iterator<Item = (u32, &'static str)>,
) -> BTreeMap<&'static str, u64> {
    let sum = |index: u32| map.get(&index, 0).expect("a counter").iter().sum::<u64>();
    names.map(|(index, name)| (name, sum(index))).filter(|(_, count)| *count != 0).collect()
}

impl Drop for Bench {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("state of the data plane at the failure:");
            eprintln!("  invocations {:?}", self.invocations());
            eprintln!("  bound {:?}  live {}", self.bound(), self.live());
            eprintln!("  first bytes {:?}", self.first_bytes());
            for peer in 1..=2 {
                eprintln!("  peer {peer}: {:?}, bound {}", self.outcomes(peer), self.bound_of_peer(peer));
            }
            eprintln!("  drops {:?}", self.drops());
            eprintln!("  events {:?}", self.events());
            for flow in self.flows().iter().take(4) {
                eprintln!("  {flow:?}");
            }
        }
    }
}
