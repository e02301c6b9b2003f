use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeMetric as _, MetricEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::{kernel_metrics, lease_metrics, overlay_metrics, query_metrics, traffic_metrics};
use crate::agent::{State, backend, origin};
use crate::dataplane::Snapshot;

/// What scrapers are told the text is.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How long the strategy took, in seconds.
pub type TickHistogram = Histogram;

/// An empty histogram of 10 us to 0.3 s.
pub fn tick_histogram() -> TickHistogram {
    Histogram::new(exponential_buckets(1e-5, 2.0, 16))
}

/// The text of `/metrics`.
///
/// # Errors
/// Never in practice: writing to a string does not fail.
pub fn encode(state: Arc<State>, snapshot: Snapshot, ticks: &TickHistogram) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register(
        "dfaas_build",
        "Version of the agent",
        Info::new([("version", env!("CARGO_PKG_VERSION"))]),
    );
    registry.register(
        "dfaas_strategy_tick_seconds",
        "Time that the strategy took for one tick",
        ticks.clone(),
    );
    registry.register_collector(Box::new(Reading { state, snapshot }));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    Ok(text)
}

/// One reading of agent and data plane; the kernel keeps the counters, so nothing is counted twice here.
#[derive(Debug)]
struct Reading {
    state: Arc<State>,
    snapshot: Snapshot,
}

impl Collector for Reading {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let encoder = &mut encoder;
        counter(
            encoder,
            "dfaas_retries",
            "Invocations sent elsewhere as the first backend refused",
            self.snapshot.retries,
        )?;
        counter(
            encoder,
            "dfaas_plan_changes",
            "Times that a function's plan said something new",
            self.state.plan_changes,
        )?;
        counter(
            encoder,
            "dfaas_dataplane_errors",
            "Data plane calls that failed",
            self.state.dataplane_errors,
        )?;
        gauge(encoder, "dfaas_flows", "Entries of the flow table in use", self.snapshot.flows)?;
        let armed = u64::from(self.snapshot.armed);
        gauge(encoder, "dfaas_dataplane_armed", "1 if new connections are steered", armed)?;
        let draining = u64::from(self.state.draining);
        gauge(encoder, "dfaas_draining", "1 if the node takes nothing from peers", draining)?;
        self.families(encoder)?;
        kernel_metrics::encode(&self.snapshot, encoder)?;
        traffic_metrics::encode(&self.snapshot, encoder)?;
        query_metrics::encode(&self.state, encoder)?;
        lease_metrics::encode(&self.state, encoder)?;
        overlay_metrics::encode(&self.state, encoder)
    }
}

impl Reading {
    fn families(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help = "Invocations by who called and who served";
        let mut family = encoder.encode_descriptor("dfaas_invocations", help, None, MetricType::Counter)?;
        for line in &self.snapshot.invocations {
            let labels = [
                ("function", line.function.as_str()),
                ("origin", origin(line.origin)),
                ("backend", line.backend.as_str()),
            ];
            count(&mut family, &labels, line.count)?;
        }
        let mut family =
            encoder.encode_descriptor("dfaas_drops", "Packets dropped", None, MetricType::Counter)?;
        for line in &self.snapshot.drops {
            count(&mut family, &[("reason", line.reason)], line.count)?;
        }
        let mut family =
            encoder.encode_descriptor("dfaas_inflight", "Invocations under way", None, MetricType::Gauge)?;
        for line in &self.snapshot.inflight {
            let labels = [("function", line.function.as_str()), ("backend", line.backend.as_str())];
            // A gauge of more connections than i64 holds does not exist.
            family.encode_family(&labels)?.encode_gauge(&i64::try_from(line.count).unwrap_or(i64::MAX))?;
        }
        let help = "Part of a function's invocations that the plan gives a backend, 0 to 1";
        let mut family = encoder.encode_descriptor("dfaas_weight", help, None, MetricType::Gauge)?;
        for (function, written) in &self.state.plans {
            for (target, part) in &written.plan.shares {
                let labels = [("function", function.as_str()), ("backend", backend(target))];
                family.encode_family(&labels)?.encode_gauge(&(f64::from(*part) / 65_536.0))?;
            }
        }
        let help = "1 if invocations are sent to the gateway at an address of its own";
        let mut family = encoder.encode_descriptor("dfaas_gateway_healthy", help, None, MetricType::Gauge)?;
        for gateway in &self.state.gateways {
            let labels = [("gateway", gateway.name.as_str())];
            family.encode_family(&labels)?.encode_gauge(&i64::from(gateway.away.is_none()))?;
        }
        Ok(())
    }
}

pub(super) fn count(
    family: &mut MetricEncoder<'_>,
    labels: &impl EncodeLabelSet,
    count: u64,
) -> Result<(), fmt::Error> {
    family.encode_family(labels)?.encode_counter::<NoLabelSet, u64, u64>(&count, None)
}

pub(super) fn counter(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: u64,
) -> Result<(), fmt::Error> {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    metric.encode_counter::<NoLabelSet, u64, u64>(&value, None)
}

pub(super) fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: u64,
) -> Result<(), fmt::Error> {
    let gauge = prometheus_client::metrics::gauge::ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
    gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
}
