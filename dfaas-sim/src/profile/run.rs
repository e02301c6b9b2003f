use std::collections::BTreeMap;
use std::io::{Read, Write};

use serde::{Deserialize, Serialize};

use crate::input::{InputError, from_json};

/// Fields of a run's input that end in this say how many replicas a function has.
const REPLICAS: &str = "_num";
/// Fields of a run's input that end in this say how many requests a second a function gets.
const WORKLOAD: &str = "_wl";

/// A node under a given load, measured once a minute.
///
/// As a file it is JSON: `{"input": {"node": "node_2", "funca_num": 3, "funca_wl": 6, ...}, "output": [instant, ...]}`.
/// Fields that it does not name are errors, but `power_usage` and the times `p50`, `p95` and `p99` may be absent: the
/// published files have none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasuredRun {
    /// What the run was started with.
    pub input: Load,
    /// What was measured in successive minutes: the first before the load begins.
    pub output: Vec<Instant>,
}

/// The load of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, serde_json::Value>", into = "BTreeMap<String, serde_json::Value>")]
pub struct Load {
    /// The node, or the kind of node.
    pub node: String,
    /// Replicas of each function; 0 if it is not deployed.
    pub replicas: BTreeMap<String, u32>,
    /// Requests a second for each function.
    pub workload: BTreeMap<String, f64>,
}

/// What a node and its functions did in one minute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instant {
    /// Memory in use, as part of what the node has.
    pub ram_usage: f64,
    /// Processor time in use, as part of all cores of the node.
    pub cpu_usage: f64,
    /// Power in use, in watts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_usage: Option<f64>,
    /// Each function that is deployed.
    pub functions: Vec<MeasuredFunction>,
}

/// What a function did in one minute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasuredFunction {
    /// Its name.
    pub name: String,
    /// Its replicas.
    pub service_count: u32,
    /// Requests a second that it could still take: `max_rate - invoc_rate`, at least 0.
    pub margin: f64,
    /// Requests a second that came, over the last moments of the minute.
    pub invoc_rate: f64,
    /// Mean execution time of a request, in seconds; 0 without requests.
    pub afet: f64,
    /// Its memory, as part of what the node has.
    pub ram_xfunc: f64,
    /// Its processor time, as part of all cores of the node.
    pub cpu_xfunc: f64,
    /// Requests a second that it is allowed to serve.
    pub max_rate: f64,
    /// Whether more came than it is allowed to serve.
    pub state: FunctionState,
    /// Requests a second that were served, on average over the minute.
    pub prom_invoc_rate: f64,
    /// Time from asking to the answer that half of the requests did not exceed, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50: Option<f64>,
    /// The same of 95 %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95: Option<f64>,
    /// The same of 99 %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99: Option<f64>,
}

/// Whether a function has room left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FunctionState {
    /// It has.
    Underload,
    /// It has not: `invoc_rate >= max_rate`.
    Overload,
}

impl MeasuredFunction {
    /// Part of the requests that were served: 1 while as many are served as come. More may be served than come, as the two
    /// rates are measured at different times; that is 1 too.
    pub fn success(&self) -> f64 {
        if self.invoc_rate > self.prom_invoc_rate { self.prom_invoc_rate / self.invoc_rate } else { 1.0 }
    }
}

impl MeasuredRun {
    /// Reads a file; `file` is its name, for errors.
    ///
    /// # Errors
    /// [`InputError`] with the place of what is wrong, or with the minute and the function whose numbers have no meaning.
    pub fn read(file: &str, reader: impl Read) -> Result<Self, InputError> {
        let run: Self = from_json(file, reader)?;
        run.check().map_err(|reason| InputError::whole(file, reason))?;
        Ok(run)
    }

    /// Writes a file, which is read back exactly.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, mut to: impl Write) -> std::io::Result<()> {
        serde_json::to_writer_pretty(&mut to, self)?;
        to.write_all(b"\n")
    }

    /// Whether all numbers have a meaning.
    fn check(&self) -> Result<(), String> {
        for (minute, instant) in self.output.iter().enumerate() {
            let part = |name: &str, value: f64| {
                // Processor time is sampled, and may be a little more than there is.
                let good = (0.0..=1.05).contains(&value);
                if good {
                    Ok(())
                } else {
                    Err(format!("output[{minute}].{name} is {value}, and must be in 0 to 1"))
                }
            };
            part("ram_usage", instant.ram_usage)?;
            part("cpu_usage", instant.cpu_usage)?;
            amount(instant.power_usage.unwrap_or(0.0), || format!("output[{minute}].power_usage"))?;
            for (at, function) in instant.functions.iter().enumerate() {
                let earlier = &instant.functions[..at];
                if earlier.iter().any(|other| other.name == function.name) {
                    return Err(format!("output[{minute}] has function {} twice", function.name));
                }
                for (name, value) in [
                    ("margin", function.margin),
                    ("invoc_rate", function.invoc_rate),
                    ("afet", function.afet),
                    ("ram_xfunc", function.ram_xfunc),
                    ("cpu_xfunc", function.cpu_xfunc),
                    ("max_rate", function.max_rate),
                    ("prom_invoc_rate", function.prom_invoc_rate),
                    ("p50", function.p50.unwrap_or(0.0)),
                    ("p95", function.p95.unwrap_or(0.0)),
                    ("p99", function.p99.unwrap_or(0.0)),
                ] {
                    amount(value, || format!("output[{minute}], function {}: {name}", function.name))?;
                }
            }
        }
        Ok(())
    }
}

fn amount(value: f64, name: impl Fn() -> String) -> Result<(), String> {
    let good = value.is_finite() && value >= 0.0;
    if good { Ok(()) } else { Err(format!("{} is {value}, and must be finite and not negative", name())) }
}

impl TryFrom<BTreeMap<String, serde_json::Value>> for Load {
    type Error = String;

    fn try_from(fields: BTreeMap<String, serde_json::Value>) -> Result<Self, String> {
        let mut load = Self::default();
        let node = fields.get("node").and_then(serde_json::Value::as_str);
        node.ok_or("node is missing, or no text")?.clone_into(&mut load.node);
        for (name, value) in fields.iter().filter(|(name, _)| *name != "node") {
            let wrong = |what: &str| format!("{name} is {value}, and must be {what}");
            if let Some(function) = name.strip_suffix(REPLICAS) {
                let replicas = value.as_u64().and_then(|count| u32::try_from(count).ok());
                let replicas = replicas.ok_or_else(|| wrong("a number of replicas"))?;
                load.replicas.insert(function.to_owned(), replicas);
            } else if let Some(function) = name.strip_suffix(WORKLOAD) {
                let rate = value.as_f64().filter(|rate| rate.is_finite() && *rate >= 0.0);
                let rate = rate.ok_or_else(|| wrong("requests a second, not negative"))?;
                load.workload.insert(function.to_owned(), rate);
            } else {
                return Err(format!("{name} is unknown; there are node, <function>_num and <function>_wl"));
            }
        }
        Ok(load)
    }
}

impl From<Load> for BTreeMap<String, serde_json::Value> {
    fn from(load: Load) -> Self {
        let replicas = load.replicas.into_iter().map(|(name, count)| (name + REPLICAS, count.into()));
        let workload = load.workload.into_iter().map(|(name, rate)| (name + WORKLOAD, rate.into()));
        replicas.chain(workload).chain([("node".to_owned(), load.node.into())]).collect()
    }
}
