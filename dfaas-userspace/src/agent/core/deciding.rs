//! From readings to a decision of the strategy.

use std::collections::BTreeMap;

use dfaas_control::{FunctionId, Measurements, Random, Time};

use super::Core;
use crate::agent::counted::Counted;
use crate::agent::history::Sample;
use crate::agent::state::Rates;
use crate::agent::{measure, measure_machine};
use crate::dataplane::Snapshot;
use crate::discovery::{Counts, FunctionInfo};
use crate::machine::{FunctionName, Reading};

impl Core {
    /// Takes what a gateway counted.
    pub(in crate::agent) fn counted(&mut self, now: Time, gateway: Option<&str>, counts: Counts) {
        self.counts.take(now, gateway, counts);
    }

    /// Functions whose containers are on this machine: those of the own gateway.
    pub(in crate::agent) fn to_measure(&self) -> Vec<FunctionName> {
        let functions = self.catalogue.iter().flat_map(|catalogue| &catalogue.functions);
        let own = functions.filter(|(_, info)| info.gateway.is_none());
        own.map(|(canonical, info)| FunctionName {
            canonical: canonical.clone(),
            name: info.name.clone(),
            namespace: info.namespace.clone(),
        })
        .collect()
    }

    /// Asks the strategy, with a new reading of the counters if there is one, and one of the machine. Nothing until the
    /// gateway told its functions.
    pub(in crate::agent) fn decide(
        &mut self,
        now: Time,
        snapshot: Option<Snapshot>,
        machine: Reading,
        random: &mut dyn Random,
    ) {
        // Without a new reading the old one stands, with no growth since.
        let before = || self.history.newest().map(|sample| sample.snapshot.clone());
        let snapshot = snapshot.or_else(before).unwrap_or_default();
        self.history.keep(now, Sample { snapshot, machine });
        let (Some(catalogue), Some(newest)) = (&self.catalogue, self.history.newest()) else { return };
        let peers = self.roster(now);
        let foreign = self.foreign(&peers);
        let mut measured = measure::measurements(catalogue, &foreign, &peers, self.history.base(), newest);
        let counted =
            |(name, info): (&String, &FunctionInfo)| Some((name.clone(), self.counts.of(now, info)?));
        let counted: BTreeMap<String, Counted> = catalogue.functions.iter().filter_map(counted).collect();
        let totals = measure_machine::totals(catalogue, newest, &counted);
        let cpu_times = self.cpu_times.take(now, &totals);
        measure_machine::add(&mut measured, catalogue, &counted, &cpu_times);
        self.counted = counted;
        let names = catalogue.functions.keys().chain(&foreign);
        self.rates = names.filter_map(|name| Some((name.clone(), rates(name, &measured)?))).collect();
        let commands = self.strategy.on_tick(now, &measured, random);
        self.carry_out(now, commands);
        for (from, message) in std::mem::take(&mut self.inbox) {
            self.on_message(now, from, &message);
        }
    }
}

fn rates(name: &str, measured: &Measurements) -> Option<Rates> {
    let function = measured.functions.get(&FunctionId::from_name(name))?;
    Some(Rates { user: function.user_rate, peer: function.peer_rate, reject: function.reject_rate })
}
