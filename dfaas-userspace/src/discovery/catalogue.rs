use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::provider::ListedFunction;
use super::valid_spelling;
use crate::config::FunctionOverride;

/// Time within which an answer is of use when nobody says otherwise.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(1);

/// A function of a gateway of this node with what labels and configuration say of it.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionInfo {
    /// Its name as its gateway lists it, without a namespace.
    pub name: String,
    /// Its namespace there.
    pub namespace: String,
    /// Every spelling by which callers name it, the canonical one first.
    pub spellings: Vec<String>,
    /// Most invocations a second served here.
    pub max_rate: Option<f64>,
    /// Most connections bound to the local gateway at one time.
    pub max_inflight: Option<u32>,
    /// Time within which an answer is of use.
    pub deadline: Duration,
    /// Whether invocations must stay here.
    pub local_only: bool,
    /// Replicas that are ready.
    pub available_replicas: u64,
    /// The gateway that serves it; `None`: the node's own.
    pub gateway: Option<String>,
}

/// The functions of gateways by canonical name, and what was odd about them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalogue {
    /// By canonical name: without the namespace if it is the gateway's default one.
    pub functions: BTreeMap<String, FunctionInfo>,
    /// Labels and names that were ignored, each with its reason.
    pub problems: Vec<String>,
}

impl Catalogue {
    /// Names each listed function, reads its labels and lays the configuration's overrides over them.
    pub fn new(
        listed: &[ListedFunction],
        default_namespace: &str,
        overrides: &BTreeMap<String, FunctionOverride>,
    ) -> Self {
        let mut catalogue = Self::default();
        let mut taken = BTreeSet::new();
        for function in listed {
            let namespace = function.namespace.as_deref().unwrap_or(default_namespace);
            let full = format!("{}.{namespace}", function.name);
            let mut spellings = vec![full.clone()];
            if namespace == default_namespace {
                spellings.insert(0, function.name.clone());
            }
            spellings.retain(|spelling| valid_spelling(spelling) && !taken.contains(spelling));
            let Some(canonical) = spellings.first().cloned() else {
                if !taken.contains(&full) {
                    catalogue.problems.push(format!("function {full:?}: its name cannot be steered"));
                }
                continue;
            };
            taken.extend(spellings.iter().cloned());
            let mut info = labelled(&canonical, function, &mut catalogue.problems);
            let chosen = spellings.iter().find_map(|spelling| overrides.get(spelling));
            overlay(&mut info, chosen.copied().unwrap_or_default());
            info.spellings = spellings;
            namespace.clone_into(&mut info.namespace);
            catalogue.functions.insert(canonical, info);
        }
        catalogue
    }

    /// Adds those functions of another gateway that no gateway before it has: a spelling is of the first that has it.
    pub fn add(&mut self, gateway: &str, other: &Self) {
        let taken: BTreeSet<String> =
            self.functions.values().flat_map(|info| info.spellings.iter().cloned()).collect();
        for info in other.functions.values() {
            let free = info.spellings.iter().filter(|spelling| !taken.contains(*spelling));
            let spellings: Vec<String> = free.cloned().collect();
            if let Some(canonical) = spellings.first().cloned() {
                let info = FunctionInfo { spellings, gateway: Some(gateway.to_owned()), ..info.clone() };
                self.functions.insert(canonical, info);
            }
        }
        let problems = other.problems.iter().map(|problem| format!("gateway {gateway}: {problem}"));
        self.problems.extend(problems);
    }
}

fn labelled(name: &str, function: &ListedFunction, problems: &mut Vec<String>) -> FunctionInfo {
    let label = |key: &str| function.labels.get(key).map(|text| text.trim());
    let mut bad = |key: &str, text: &str, right: &str| {
        problems.push(format!("function {name}: label {key} = {text:?} ignored: not {right}"));
    };
    let max_rate = label("dfaas.maxrate").and_then(|text| match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate >= 0.0 => Some(rate),
        _ => {
            bad("dfaas.maxrate", text, "a number of invocations a second");
            None
        }
    });
    let deadline = label("dfaas.timeout_ms").and_then(|text| match text.parse::<u32>() {
        Ok(millis) if millis > 0 => Some(Duration::from_millis(u64::from(millis))),
        _ => {
            bad("dfaas.timeout_ms", text, "a number of milliseconds");
            None
        }
    });
    let local_only = label("dfaas.local_only").and_then(|text| match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Some(true),
        "false" | "0" | "no" => Some(false),
        _ => {
            bad("dfaas.local_only", text, "true or false");
            None
        }
    });
    FunctionInfo {
        name: function.name.clone(),
        namespace: String::new(),
        spellings: Vec::new(),
        max_rate: max_rate.filter(|rate| *rate > 0.0),
        max_inflight: None,
        deadline: deadline.unwrap_or(DEFAULT_DEADLINE),
        local_only: local_only.unwrap_or(false),
        available_replicas: function.available_replicas,
        gateway: None,
    }
}

fn overlay(info: &mut FunctionInfo, chosen: FunctionOverride) {
    if let Some(rate) = chosen.max_rate {
        info.max_rate = (rate > 0.0).then_some(rate);
    }
    if let Some(inflight) = chosen.max_inflight {
        info.max_inflight = (inflight > 0).then_some(inflight);
    }
    info.deadline = chosen.timeout.unwrap_or(info.deadline);
    info.local_only = chosen.local_only.unwrap_or(info.local_only);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str, namespace: Option<&str>, labels: &[(&str, &str)]) -> ListedFunction {
        ListedFunction {
            name: name.to_owned(),
            namespace: namespace.map(str::to_owned),
            labels: labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            available_replicas: 1,
        }
    }

    #[test]
    fn the_default_namespace_gives_two_spellings_and_others_one() {
        let listed = [
            function("figlet", Some("openfaas-fn"), &[]),
            function("figlet", Some("prod"), &[]),
            function("nons", None, &[]),
        ];
        let catalogue = Catalogue::new(&listed, "openfaas-fn", &BTreeMap::new());
        let spellings: Vec<_> = catalogue.functions.values().map(|info| info.spellings.join(" ")).collect();
        assert_eq!(spellings, ["figlet figlet.openfaas-fn", "figlet.prod", "nons nons.openfaas-fn"]);
    }

    #[test]
    fn labels_are_read_and_bad_ones_are_ignored_with_a_word() {
        let good = [("dfaas.maxrate", "12.5"), ("dfaas.timeout_ms", "250"), ("dfaas.local_only", "true")];
        let bad = [("dfaas.maxrate", "fast"), ("dfaas.timeout_ms", "-1"), ("dfaas.local_only", "maybe")];
        let listed = [function("good", None, &good), function("bad", None, &bad)];
        let catalogue = Catalogue::new(&listed, "openfaas-fn", &BTreeMap::new());
        let good = &catalogue.functions["good"];
        assert_eq!(
            (good.max_rate, good.deadline, good.local_only),
            (Some(12.5), Duration::from_millis(250), true)
        );
        let bad = &catalogue.functions["bad"];
        assert_eq!((bad.max_rate, bad.deadline, bad.local_only), (None, DEFAULT_DEADLINE, false));
        assert_eq!(catalogue.problems.len(), 3);
        assert!(catalogue.problems[0].contains("function bad: label dfaas.maxrate = \"fast\""));
    }

    #[test]
    fn configuration_overrides_labels_in_any_spelling() {
        let listed = [function("figlet", None, &[("dfaas.maxrate", "10")])];
        let lifted = FunctionOverride { max_rate: Some(0.0), max_inflight: Some(3), ..Default::default() };
        let overrides = BTreeMap::from([("figlet.openfaas-fn".to_owned(), lifted)]);
        let catalogue = Catalogue::new(&listed, "openfaas-fn", &overrides);
        let figlet = &catalogue.functions["figlet"];
        assert_eq!((figlet.max_rate, figlet.max_inflight), (None, Some(3)));
    }

    #[test]
    fn a_name_that_no_caller_can_write_is_left_out_with_a_word() {
        let long = "x".repeat(64);
        let listed = [function("a b", None, &[]), function(&long, None, &[]), function("ok", None, &[])];
        let catalogue = Catalogue::new(&listed, "openfaas-fn", &BTreeMap::new());
        assert_eq!(catalogue.functions.keys().collect::<Vec<_>>(), ["ok"]);
        assert_eq!(catalogue.problems.len(), 2);
    }

    #[test]
    fn a_function_of_several_gateways_is_the_firsts_and_keeps_what_only_the_others_call_it() {
        let of = |namespace: &str, names: &[&str]| {
            let listed: Vec<_> = names.iter().map(|name| function(name, None, &[])).collect();
            Catalogue::new(&listed, namespace, &BTreeMap::new())
        };
        let mut all = of("openfaas-fn", &["figlet"]);
        all.add("b", &of("openfaas-fn", &["figlet", "env"]));
        all.add("c", &of("prod", &["env", "pay"]));
        let found: Vec<_> = all
            .functions
            .iter()
            .map(|(name, info)| (name.as_str(), info.gateway.as_deref(), info.spellings.join(" ")))
            .collect();
        assert_eq!(
            found,
            [
                ("env", Some("b"), "env env.openfaas-fn".to_owned()),
                ("env.prod", Some("c"), "env.prod".to_owned()),
                ("figlet", None, "figlet figlet.openfaas-fn".to_owned()),
                ("pay", Some("c"), "pay pay.prod".to_owned()),
            ]
        );
    }

    #[test]
    fn what_is_odd_about_a_gateways_functions_names_the_gateway() {
        let mut all = Catalogue::default();
        all.add("b", &Catalogue::new(&[function("a b", None, &[])], "openfaas-fn", &BTreeMap::new()));
        assert_eq!(all.problems.len(), 1);
        assert!(all.problems[0].starts_with("gateway b: function "), "{:?}", all.problems);
    }

    #[test]
    fn a_function_listed_twice_is_one_function() {
        let listed = [function("a", None, &[]), function("a", Some("openfaas-fn"), &[])];
        let catalogue = Catalogue::new(&listed, "openfaas-fn", &BTreeMap::new());
        assert_eq!(catalogue.functions.len(), 1);
        assert!(catalogue.problems.is_empty());
    }
}
