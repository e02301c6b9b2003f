//! The counts that the OpenFaaS gateway exports, under its names.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::Registry;
use tokio::sync::OwnedSemaphorePermit;

use super::functions::Functions;

/// Upper bounds of the duration histogram, in seconds.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Names that are not deployed get series of their own up to this many, so that callers who make up names
/// cannot fill the memory.
const MAX_UNKNOWN: usize = 1000;

/// What is counted for invocations whose caller went away before the answer began.
const ABANDONED: u16 = 499;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByName {
    function_name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    code: u32,
    function_name: String,
}

/// A counter without the suffix `_total`, which this one of OpenFaaS's metrics does not have.
#[derive(Debug, Clone, Default)]
struct Started(Arc<AtomicU64>);

impl TypedMetric for Started {
    const TYPE: MetricType = MetricType::Unknown;
}

impl EncodeMetric for Started {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_gauge(&self.0.load(Ordering::Relaxed))
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

/// Reads replicas from the deployed functions at each scrape.
#[derive(Debug)]
struct ServiceCount(Arc<Functions>);

impl Collector for ServiceCount {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut metric = encoder.encode_descriptor(
            "gateway_service_count",
            "Replicas of the function",
            None,
            MetricType::Gauge,
        )?;
        for (name, function) in self.0.all() {
            let labels = ByName { function_name: name.to_string() };
            metric.encode_family(&labels)?.encode_gauge(&function.replicas())?;
        }
        Ok(())
    }
}

/// All metrics of one gateway.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    started: Family<ByName, Started>,
    outcomes: Family<ByOutcome, Counter>,
    seconds: Family<ByOutcome, Histogram, fn() -> Histogram>,
    finished: Family<ByName, Counter>,
    unknown: Mutex<HashSet<String>>,
}

impl Metrics {
    /// Metrics of a gateway with these functions.
    pub fn new(functions: Arc<Functions>) -> Self {
        let mut registry = Registry::default();
        let started = Family::default();
        let outcomes = Family::default();
        let seconds = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        let name = "gateway_function_invocation";
        registry.register(format!("{name}_started"), "Invocations begun", started.clone());
        registry.register(name, "Invocations finished, by status", outcomes.clone());
        registry.register(
            "gateway_functions_seconds",
            "Time from an invocation's head to the end of its answer",
            seconds.clone(),
        );
        registry.register_collector(Box::new(ServiceCount(functions)));
        Self { registry, started, outcomes, seconds, finished: Family::default(), unknown: Mutex::default() }
    }

    /// Notes that an invocation began. `called` is the name as the caller wrote it.
    pub fn begin(self: &Arc<Self>, called: &str, deployed: bool) -> Invocation {
        let labels = ByName { function_name: called.to_owned() };
        let counted = deployed || self.counts_unknown(called);
        if counted {
            self.started.get_or_create(&labels).0.fetch_add(1, Ordering::Relaxed);
        }
        Invocation {
            metrics: counted.then(|| Arc::clone(self)),
            called: labels,
            begun: Instant::now(),
            code: ABANDONED,
            place: None,
        }
    }

    /// Whether a name that is not deployed has, or may still have, series of its own.
    fn counts_unknown(&self, called: &str) -> bool {
        let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        unknown.contains(called) || (unknown.len() < MAX_UNKNOWN && unknown.insert(called.to_owned()))
    }

    fn finish(&self, called: &ByName, code: u16, time: Duration) {
        let labels = ByOutcome { code: code.into(), function_name: called.function_name.clone() };
        self.outcomes.get_or_create(&labels).inc();
        self.seconds.get_or_create(&labels).observe(time.as_secs_f64());
        self.finished.get_or_create(called).inc();
    }

    /// Invocations that finished under any of these spellings of a name.
    pub fn finished(&self, spellings: &[String]) -> u64 {
        let count = |called: &String| {
            let labels = ByName { function_name: called.clone() };
            self.finished.get(&labels).map_or(0, |counter| counter.get())
        };
        spellings.iter().map(count).sum()
    }

    /// All metrics in the text format of OpenMetrics, which Prometheus reads.
    ///
    /// # Errors
    /// Never in practice: writing to a string does not fail.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// One invocation, from its head to the end of its answer. It counts itself when dropped.
#[derive(Debug)]
pub struct Invocation {
    metrics: Option<Arc<Metrics>>,
    called: ByName,
    begun: Instant,
    code: u16,
    place: Option<OwnedSemaphorePermit>,
}

impl Invocation {
    /// Notes the status of the answer.
    pub fn answered(&mut self, status: StatusCode) {
        self.code = status.as_u16();
    }

    /// Keeps a place among those that run at one time until the invocation ends.
    pub fn hold(&mut self, place: Option<OwnedSemaphorePermit>) {
        self.place = place;
    }
}

impl Drop for Invocation {
    fn drop(&mut self) {
        if let Some(metrics) = &self.metrics {
            metrics.finish(&self.called, self.code, self.begun.elapsed());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics() -> Arc<Metrics> {
        Arc::new(Metrics::new(Arc::default()))
    }

    #[test]
    fn an_invocation_is_counted_once_under_the_name_that_the_caller_wrote() {
        let metrics = metrics();
        let mut invocation = metrics.begin("figlet.openfaas-fn", true);
        invocation.answered(StatusCode::OK);
        assert_eq!(metrics.finished(&["figlet.openfaas-fn".into()]), 0);
        drop(invocation);
        drop(metrics.begin("figlet", true));
        assert_eq!(metrics.finished(&["figlet.openfaas-fn".into(), "figlet".into()]), 2);
        let text = metrics.text().unwrap();
        for line in [
            r#"gateway_function_invocation_started{function_name="figlet"} 1"#,
            r#"gateway_function_invocation_total{code="200",function_name="figlet.openfaas-fn"} 1"#,
            r#"gateway_function_invocation_total{code="499",function_name="figlet"} 1"#,
            r#"gateway_functions_seconds_count{code="200",function_name="figlet.openfaas-fn"} 1"#,
        ] {
            assert!(text.lines().any(|have| have == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn callers_who_make_up_names_cannot_fill_the_memory() {
        let metrics = metrics();
        for n in 0..2 * MAX_UNKNOWN {
            drop(metrics.begin(&format!("made-up-{n}"), false));
        }
        drop(metrics.begin("figlet", true));
        let text = metrics.text().unwrap();
        let series = text.lines().filter(|line| line.starts_with("gateway_function_invocation_started{"));
        assert_eq!(series.count(), MAX_UNKNOWN + 1);
        assert_eq!(metrics.finished(&["figlet".into()]), 1);
    }
}
