//! The bodies that go to a model server and come from it. No I/O.
//!
//! What goes: `{"node": "a", "functions": {"figlet": {"input_rate": 40.0, ...}}}`, for each function the observation keys
//! of the original's environment, those about a peer ending with its name: `previous_fwd_to_node_b`. Rates are
//! invocations a second, times milliseconds, `cpu_utilization` percent; what is not measured is 0.
//!
//! What comes: `{"figlet": {"local": 0.5, "reject": 0.1, "node_b": 0.4}}`, or without names of functions, as the original
//! has it, one such object for all of them.

use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_control::{Action, Forwarded, FunctionId, Observation};
use serde_json::{Map, Value, json};

use super::query::Names;

/// Stands before the name of a peer.
const PEER: &str = "node_";

/// The body of a question. Functions and peers without a name are left out.
pub(super) fn body(node: &str, observations: &BTreeMap<FunctionId, Observation>, names: &Names) -> String {
    let functions: Map<String, Value> = observations
        .iter()
        .filter_map(|(id, seen)| Some((names.functions.get(id)?.clone(), Value::Object(told(seen, names)))))
        .collect();
    json!({ "node": node, "functions": functions }).to_string()
}

fn told(seen: &Observation, names: &Names) -> Map<String, Value> {
    let mut told = Map::new();
    let mut put = |key: String, value: f64| {
        // What is no number cannot be written.
        told.insert(key, if value.is_finite() { value.into() } else { 0.into() });
    };
    put("input_rate".to_owned(), seen.input_rate);
    put("previous_input_rate".to_owned(), seen.previous_input_rate);
    put("reject_rate".to_owned(), seen.reject_rate);
    put("previous_reject_rate".to_owned(), seen.previous_reject_rate);
    put("avg_resp_time_loc".to_owned(), milliseconds(seen.response_time));
    put("previous_avg_resp_time_loc".to_owned(), milliseconds(seen.previous_response_time));
    put("cpu_utilization".to_owned(), seen.cpu.unwrap_or(0.0));
    put("previous_cpu_utilization".to_owned(), seen.previous_cpu.unwrap_or(0.0));
    put("n_replicas".to_owned(), seen.replicas.unwrap_or(0).into());
    put("previous_n_replicas".to_owned(), seen.previous_replicas.unwrap_or(0).into());
    for (node, Forwarded { rate, refused, response_time }) in &seen.peers {
        let Some(name) = names.nodes.get(node) else { continue };
        put(format!("previous_fwd_to_{PEER}{name}"), *rate);
        put(format!("previous_fwd_to_{PEER}{name}_rejected"), *refused);
        put(format!("previous_avg_resp_time_fwd_to_{PEER}{name}"), milliseconds(*response_time));
    }
    told
}

fn milliseconds(time: Option<Duration>) -> f64 {
    time.map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

/// The actions of an answer about the functions that were `asked` for.
///
/// # Errors
/// What is wrong with it.
pub(super) fn actions(
    answer: &[u8],
    asked: impl Iterator<Item = FunctionId>,
    names: &Names,
) -> Result<BTreeMap<FunctionId, Action>, String> {
    let answer: Map<String, Value> =
        serde_json::from_slice(answer).map_err(|cause| format!("the answer is no JSON object: {cause}"))?;
    if answer.values().any(Value::is_number) {
        let action = action(&answer, names).map_err(|why| format!("the answer: {why}"))?;
        return Ok(asked.map(|id| (id, action.clone())).collect());
    }
    let mut actions = BTreeMap::new();
    for id in asked {
        let Some(named) = names.functions.get(&id).and_then(|name| Some((name, answer.get(name)?))) else {
            continue;
        };
        let (name, parts) = named;
        let parts =
            parts.as_object().ok_or_else(|| format!("the answer for {name} is no object of parts"))?;
        let action = action(parts, names).map_err(|why| format!("the answer for {name}: {why}"))?;
        actions.insert(id, action);
    }
    if actions.is_empty() {
        return Err("the answer names neither parts nor any of the functions".to_owned());
    }
    Ok(actions)
}

fn action(parts: &Map<String, Value>, names: &Names) -> Result<Action, String> {
    let mut action = Action::default();
    for (key, value) in parts {
        let part = value.as_f64().ok_or_else(|| format!("\"{}\" is no number", short(key)))?;
        match key.as_str() {
            "local" => action.local = part,
            "reject" => action.reject = part,
            _ => {
                let peer = key.strip_prefix(PEER);
                let node =
                    names.nodes.iter().find(|(_, name)| peer == Some(name.as_str())).map(|(node, _)| *node);
                match node {
                    Some(node) => {
                        action.peers.insert(node, part);
                    }
                    // A peer may have gone since it was asked, and nothing for nobody harms nobody.
                    None if peer.is_some() && part == 0.0 => {}
                    None => {
                        return Err(format!(
                            "\"{}\" is neither local, reject nor {PEER} and a peer",
                            short(key)
                        ));
                    }
                }
            }
        }
    }
    action.check().map_err(|error| error.to_string())?;
    Ok(action)
}

/// As much of a key as is of use in a message.
fn short(key: &str) -> String {
    key.chars().take(80).filter(|char| !char.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use dfaas_control::NodeId;

    use super::*;

    const FIGLET: FunctionId = FunctionId(7);
    const ENV: FunctionId = FunctionId(8);

    fn names() -> Names {
        Names {
            functions: [(FIGLET, "figlet".to_owned()), (ENV, "env".to_owned())].into(),
            nodes: [(NodeId(2), "b".to_owned()), (NodeId(3), "c".to_owned())].into(),
        }
    }

    fn read(answer: &str) -> Result<BTreeMap<FunctionId, Action>, String> {
        actions(answer.as_bytes(), [FIGLET, ENV].into_iter(), &names())
    }

    #[test]
    fn observations_have_the_keys_of_the_original_with_the_names_of_peers() {
        let forwarded = Forwarded { rate: 4.0, refused: 1.0, response_time: Some(Duration::from_millis(9)) };
        let seen = Observation {
            input_rate: 10.0,
            previous_input_rate: f64::NAN,
            response_time: Some(Duration::from_micros(1500)),
            cpu: Some(25.0),
            replicas: Some(3),
            peers: [(NodeId(2), forwarded), (NodeId(9), forwarded)].into(),
            ..Observation::default()
        };
        let text = body("a", &[(FIGLET, seen), (FunctionId(99), Observation::default())].into(), &names());
        let expected = json!({ "node": "a", "functions": { "figlet": {
            "input_rate": 10.0, "previous_input_rate": 0, "reject_rate": 0.0, "previous_reject_rate": 0.0,
            "avg_resp_time_loc": 1.5, "previous_avg_resp_time_loc": 0.0,
            "cpu_utilization": 25.0, "previous_cpu_utilization": 0.0, "n_replicas": 3.0, "previous_n_replicas": 0.0,
            "previous_fwd_to_node_b": 4.0, "previous_fwd_to_node_b_rejected": 1.0,
            "previous_avg_resp_time_fwd_to_node_b": 9.0,
        } } });
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    }

    #[test]
    fn an_answer_is_for_each_function_or_one_for_all() {
        let halves = Action { local: 0.5, reject: 0.1, peers: [(NodeId(2), 0.4)].into() };
        let one = r#"{"figlet": {"local": 0.5, "reject": 0.1, "node_b": 0.4}, "other": 7.5e}"#;
        assert!(read(one).is_err(), "that is no JSON");
        let one = r#"{"figlet": {"local": 0.5, "reject": 0.1, "node_b": 0.4}, "other": {"local": 9}}"#;
        assert_eq!(read(one), Ok([(FIGLET, halves.clone())].into()));
        let all = r#"{"local": 0.5, "reject": 0.1, "node_b": 0.4, "node_gone": 0}"#;
        assert_eq!(read(all), Ok([(FIGLET, halves.clone()), (ENV, halves)].into()));
    }

    #[test]
    fn what_cannot_be_done_is_told_with_its_function_and_key() {
        for (answer, told) in [
            ("", "no JSON object"),
            ("[0.5, 0.5]", "no JSON object"),
            ("{}", "neither parts nor any of the functions"),
            (r#"{"figlet": [1]}"#, "for figlet is no object"),
            (r#"{"figlet": {"local": "all"}}"#, "\"local\" is no number"),
            (r#"{"figlet": {"local": 0.5}}"#, "for figlet: the parts sum to 0.5"),
            (r#"{"local": 1.5, "reject": -0.5}"#, "-0.5 is not a part"),
            (r#"{"local": 0.5, "node_x": 0.5}"#, "\"node_x\" is neither"),
            (r#"{"local": 0.5, "b": 0.5}"#, "\"b\" is neither"),
        ] {
            let error = read(answer).unwrap_err();
            assert!(error.contains(told), "{answer}: {error}");
        }
    }
}
