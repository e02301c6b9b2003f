//! What the metrics of an OpenFaaS gateway say of its functions.

use std::collections::BTreeMap;
use std::time::Duration;

use super::exposition::{Sample, samples};
use crate::discovery::{Counts, FunctionCounts, valid_spelling};

/// Functions that are read of one answer, at most: callers who make up names have series too.
const MOST: usize = 16_384;

/// Reads `gateway_function_invocation_total`, `gateway_functions_seconds_sum` and `gateway_service_count`.
pub(super) fn counts(text: &str) -> Counts {
    let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
    for sample in samples(text) {
        let Some(name) = sample.labels.get("function_name").filter(|name| valid_spelling(name)) else {
            continue;
        };
        let usable = sample.value.is_finite() && sample.value >= 0.0;
        if !usable || (sums.len() >= MOST && !sums.contains_key(name)) {
            continue;
        }
        match sample.name {
            "gateway_function_invocation_total" if answered(&sample) => {
                sums.entry(name.clone()).or_default().completed += sample.value;
            }
            "gateway_functions_seconds_sum" if answered(&sample) => {
                sums.entry(name.clone()).or_default().seconds += sample.value;
            }
            "gateway_service_count" => {
                sums.entry(name.clone()).or_default().replicas = Some(sample.value as u32);
            }
            _ => {}
        }
    }
    Counts { functions: sums.into_iter().map(|(name, sums)| (name, sums.counts())).collect() }
}

/// Whether it is about answers of the function itself: 5xx, and 499 for callers that went away, say nothing of it.
fn answered(sample: &Sample<'_>) -> bool {
    sample.labels.get("code").and_then(|code| code.parse::<u16>().ok()).is_some_and(|code| code < 499)
}

#[derive(Debug, Default)]
struct Sums {
    completed: f64,
    seconds: f64,
    replicas: Option<u32>,
}

impl Sums {
    fn counts(self) -> FunctionCounts {
        FunctionCounts {
            completed: self.completed as u64,
            busy: Duration::try_from_secs_f64(self.seconds).unwrap_or_default(),
            replicas: self.replicas,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOLD: &str = r#"
# TYPE gateway_function_invocation_total counter
gateway_function_invocation_total{code="200",function_name="figlet.openfaas-fn"} 40
gateway_function_invocation_total{code="404",function_name="figlet.openfaas-fn"} 2
gateway_function_invocation_total{code="502",function_name="figlet.openfaas-fn"} 9
gateway_function_invocation_total{code="200",function_name="figlet"} 8
gateway_functions_seconds_bucket{code="200",function_name="figlet",le="+Inf"} 8
gateway_functions_seconds_sum{code="200",function_name="figlet"} 1.25
gateway_functions_seconds_sum{code="502",function_name="figlet"} 60
gateway_functions_seconds_count{code="200",function_name="figlet"} 8
gateway_service_count{function_name="figlet.openfaas-fn"} 3
gateway_service_count{function_name="not a name"} 1
http_request_duration_seconds_count{code="200",method="GET",path="system"} 7
"#;

    #[test]
    fn answers_times_and_replicas_are_read_by_name_and_failures_are_left_out() {
        let counts = counts(TOLD);
        let names: Vec<&str> = counts.functions.keys().map(String::as_str).collect();
        assert_eq!(names, ["figlet", "figlet.openfaas-fn"]);
        let full = counts.functions["figlet.openfaas-fn"];
        assert_eq!((full.completed, full.replicas), (42, Some(3)));
        let short = counts.functions["figlet"];
        assert_eq!((short.completed, short.busy), (8, Duration::from_millis(1250)));
    }

    #[test]
    fn names_that_callers_made_up_do_not_fill_the_memory() {
        let line =
            |n| format!("gateway_function_invocation_total{{code=\"200\",function_name=\"f{n}\"}} 1\n");
        let text: String = (0..MOST + 100).map(line).collect();
        assert_eq!(counts(&text).functions.len(), MOST);
    }

    proptest! {
        #[test]
        fn whatever_is_told_makes_no_number_that_cannot_be(value: f64, code: u16, huge in "[0-9]{1,400}") {
            for value in [value.to_string(), huge] {
                let text = format!(
                    "gateway_function_invocation_total{{code=\"{code}\",function_name=\"a\"}} {value}\n\
                     gateway_functions_seconds_sum{{code=\"{code}\",function_name=\"a\"}} {value}\n\
                     gateway_service_count{{function_name=\"a\"}} {value}\n"
                );
                counts(&text);
            }
        }
    }
}
