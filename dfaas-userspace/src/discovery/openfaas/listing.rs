//! The gateway's JSON, read with all the tolerance that real gateways need.

use serde_json::Value;

use crate::discovery::ListedFunction;

/// Reads the answer of `/system/functions`. `null` is an empty list (Go writes one so); entries without a name are
/// left out.
///
/// # Errors
/// If the text is not a JSON array.
pub(super) fn functions(body: &[u8]) -> Result<Vec<ListedFunction>, String> {
    Ok(array(body)?.iter().filter_map(listed).collect())
}

/// Reads the answer of `/system/namespaces`.
///
/// # Errors
/// If the text is not a JSON array.
pub(super) fn namespaces(body: &[u8]) -> Result<Vec<String>, String> {
    Ok(array(body)?.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

fn array(body: &[u8]) -> Result<Vec<Value>, String> {
    match serde_json::from_slice(body) {
        Ok(Value::Array(items)) => Ok(items),
        Ok(Value::Null) => Ok(Vec::new()),
        Ok(_) => Err("not a JSON array".to_owned()),
        Err(cause) => Err(format!("not JSON: {cause}")),
    }
}

fn listed(item: &Value) -> Option<ListedFunction> {
    let text = |key: &str| item.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let labels = item.get("labels").and_then(Value::as_object);
    Some(ListedFunction {
        name: text("name")?.to_owned(),
        namespace: text("namespace").map(str::to_owned),
        labels: labels.into_iter().flatten().filter_map(label).collect(),
        available_replicas: item
            .get("availableReplicas")
            .and_then(Value::as_f64)
            .map_or(0, |count| count as u64),
    })
}

/// Labels are strings; a provider that writes numbers or booleans means their text.
fn label((key, value): (&String, &Value)) -> Option<(String, String)> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return None,
    };
    Some((key.clone(), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_and_null_fields_are_nothing_special() {
        let body = br#"[{"name":"a","labels":null,"annotations":null},
            {"name":"b","namespace":"prod","labels":{"dfaas.maxrate":"10","n":7,"x":null},"availableReplicas":2.0}]"#;
        let list = functions(body).unwrap();
        assert_eq!(list[0], ListedFunction { name: "a".into(), ..ListedFunction::default() });
        assert_eq!(list[1].namespace.as_deref(), Some("prod"));
        assert_eq!(list[1].available_replicas, 2);
        let labels: Vec<_> = list[1].labels.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(labels, [("dfaas.maxrate", "10"), ("n", "7")]);
    }

    #[test]
    fn an_empty_go_slice_is_an_empty_list() {
        assert_eq!(functions(b"null"), Ok(vec![]));
        assert_eq!(functions(b"[]"), Ok(vec![]));
    }

    #[test]
    fn entries_that_are_no_functions_are_left_out() {
        assert_eq!(functions(br#"[1, null, {}, {"name":""}, {"name":5}, {"name":"a"}]"#).unwrap().len(), 1);
    }

    #[test]
    fn other_answers_are_errors() {
        for body in [&b""[..], b"invalid credentials", b"{}", b"[{", b"\xff\xfe", b"7"] {
            assert!(functions(body).is_err(), "{body:?}");
        }
    }
}
