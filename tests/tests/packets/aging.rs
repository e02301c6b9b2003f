//! Time passes for the flows of a bench.

use std::time::Duration;

use dfaas_common::flow::Flow;

use crate::bench::{Bench, FLOWS, run};

impl Bench {
    /// Frees dead flows, as the agent does every second.
    pub fn sweep(&mut self) {
        run(&self.object, "dfaas_sweep", &[0; 64]);
    }

    fn change_flows(&mut self, change: impl Fn(&mut Flow)) {
        for index in 0..FLOWS {
            let mut flow = self.table.get(&index, 0).expect("a flow");
            change(&mut flow);
            self.table.set(index, flow, 0).expect("a flow");
        }
    }

    /// Makes every flow look as if its last packet had come this long ago.
    pub fn age(&mut self, by: Duration) {
        self.change_flows(|flow| flow.last_seen = flow.last_seen.saturating_sub(by.as_nanos() as u64));
    }

    /// Sets marks of every flow.
    pub fn mark_flows(&mut self, bits: u64) {
        self.change_flows(|flow| flow.marks |= bits);
    }

    /// Makes every backend that was asked look as if that had been this much longer ago.
    pub fn wait_for_answers(&mut self, by: Duration) {
        self.change_flows(|flow| flow.asked = flow.asked.saturating_sub(by.as_nanos() as u64));
    }
}
