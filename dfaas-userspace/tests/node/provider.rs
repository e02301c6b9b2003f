//! The agent over a provider that is no gateway at all.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use dfaas_userspace::agent::Provided;
use dfaas_userspace::discovery::{Counts, DiscoveryError, FunctionCounts, ListedFunction, Listing, Provider};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tempfile::TempDir;

use crate::double::Double;
use crate::external::Model;
use crate::harness::{Node, eventually};
use crate::scripted::Gateway;

/// Functions that a test deploys by writing them down.
#[derive(Debug)]
struct Told {
    functions: Result<Vec<ListedFunction>, String>,
    counts: FunctionCounts,
}

#[derive(Debug, Clone)]
struct InMemory(Arc<Mutex<Told>>);

fn figlet() -> ListedFunction {
    let labels = [("dfaas.maxrate".to_owned(), "10".to_owned())].into();
    ListedFunction { name: "figlet".to_owned(), labels, ..ListedFunction::default() }
}

impl InMemory {
    fn new() -> Self {
        let told = Told { functions: Ok(vec![figlet()]), counts: FunctionCounts::default() };
        Self(Arc::new(Mutex::new(told)))
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().expect("no test panics while it holds this")
    }

    /// An agent that knows no other gateway.
    async fn node(&self, more: &str) -> Node {
        let provided = Provided { gateway: None, provider: Arc::new(self.clone()) };
        let folder = TempDir::new().unwrap();
        // The configuration names a gateway, but nobody asks it.
        let gateway = Gateway::start(&["never-asked"]).await;
        let node = Node::provided(vec![provided], folder, Double::default(), gateway, more).ready().await;
        assert!(node.gateway.seen().is_empty());
        node
    }
}

impl Provider for InMemory {
    fn address(&self) -> &str {
        "memory"
    }

    fn list<'a>(&'a self, _: Option<&'a Listing>) -> BoxFuture<'a, Result<Listing, DiscoveryError>> {
        let functions = self.told().functions.clone();
        let listed = functions
            .map(|functions| Listing { gateway: "memory".to_owned(), namespaces: Vec::new(), functions })
            .map_err(|cause| DiscoveryError::Unreachable { url: "memory".to_owned(), cause });
        std::future::ready(listed).boxed()
    }

    fn counts(&self) -> Option<BoxFuture<'_, Result<Counts, DiscoveryError>>> {
        let counts = Counts { functions: [("figlet".to_owned(), self.told().counts)].into() };
        Some(std::future::ready(Ok(counts)).boxed())
    }
}

#[tokio::test]
async fn functions_of_any_provider_are_planned_followed_and_kept_while_it_fails() {
    let provider = InMemory::new();
    let node = provider.node("").await;
    assert_eq!(node.dataplane.memory().plans["figlet"].local_rate, 10.0);
    let env = ListedFunction { name: "env".to_owned(), ..ListedFunction::default() };
    provider.told().functions = Ok(vec![figlet(), env]);
    eventually("env is planned", async || node.dataplane.memory().plans.len() == 2).await;
    provider.told().functions = Err("asleep".to_owned());
    let reason = node.health("gateway", false).await;
    assert!(reason.contains("memory: no answer: asleep"), "{reason}");
    assert_eq!(node.dataplane.memory().plans.len(), 2);
}

#[tokio::test]
async fn what_a_provider_counts_reaches_the_strategy() {
    let model = Model::serving_all_here().await;
    let provider = InMemory::new();
    let more = format!("strategy = \"external\"\n[control.external]\nurl = \"http://{}\"\n", model.address);
    let counts = |completed| FunctionCounts {
        completed,
        busy: Duration::from_millis(50 * completed),
        replicas: Some(4),
    };
    provider.told().counts = counts(10);
    let _node = provider.node(&more).await;
    let replicas =
        || model.questions().last().map(|(_, body)| body["functions"]["figlet"]["n_replicas"].as_f64());
    eventually("the replicas are told", async || replicas() == Some(Some(4.0))).await;
}
