//! The JSON of OpenFaaS's `/system` routes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// String to string, as labels, annotations and environment variables are.
pub type StringMap = BTreeMap<String, String>;

/// What a client sends to deploy or update a function, and what is given back of it. Fields that do not matter
/// here are kept and shown again; unknown ones are ignored, as OpenFaaS does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Deployment {
    /// The function's name; in answers it is called `name`.
    #[serde(skip_serializing)]
    pub service: String,
    /// The container image; here it names a built-in function, `dfaas/echo` for example.
    pub image: String,
    /// The namespace; empty or absent: the default one.
    #[serde(skip_serializing)]
    pub namespace: Option<String>,
    /// The process that the image runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env_process: Option<String>,
    /// Environment variables; `DFAAS_*` choose what the built-in function does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env_vars: Option<StringMap>,
    /// Placement constraints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Vec<String>>,
    /// Names of secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Vec<String>>,
    /// Labels, which the DFaaS agent reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<StringMap>,
    /// Annotations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<StringMap>,
    /// Resource limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Value>,
    /// Resource requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<Value>,
    /// Whether the root file system is read-only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only_root_filesystem: bool,
}

/// One function in the answers of `/system/functions` and `/system/function/NAME`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionStatus {
    /// The function's name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// What was deployed.
    #[serde(flatten)]
    pub deployment: Deployment,
    /// Finished invocations since the gateway started, whatever their status; absent when 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub invocation_count: f64,
    /// Replicas asked for; absent when 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// Replicas that answer; here always those asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_replicas: Option<u32>,
    /// When the function was first deployed, RFC 3339.
    pub created_at: String,
}

fn is_zero(count: &f64) -> bool {
    *count == 0.0
}

/// What a client sends to remove a function.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Removal {
    /// The function's name.
    pub function_name: String,
    /// Its namespace.
    pub namespace: Option<String>,
}

/// What a client sends to set the number of replicas.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scaling {
    /// Replicas wanted.
    pub replicas: u32,
    /// The namespace, when the path does not name it.
    #[serde(default)]
    pub namespace: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_with_nulls_and_unknown_fields_is_read() {
        let json = r#"{"service":"figlet","image":"dfaas/echo","network":"func_functions","labels":null,
                       "envVars":{"A":"b"},"registryAuth":"","readOnlyRootFilesystem":true}"#;
        let deployment: Deployment = serde_json::from_str(json).unwrap();
        assert_eq!(deployment.service, "figlet");
        assert_eq!(deployment.labels, None);
        assert_eq!(deployment.env_vars.unwrap()["A"], "b");
        assert!(deployment.read_only_root_filesystem);
    }

    #[test]
    fn zeros_and_empty_fields_are_absent_from_a_status() {
        let status = FunctionStatus {
            name: "figlet".into(),
            namespace: "openfaas-fn".into(),
            deployment: Deployment { image: "dfaas/echo".into(), ..Deployment::default() },
            invocation_count: 0.0,
            replicas: None,
            available_replicas: None,
            created_at: "2026-01-01T00:00:00Z".into(),
        };
        let value = serde_json::to_value(status).unwrap();
        let keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["createdAt", "image", "name", "namespace"]);
    }
}
