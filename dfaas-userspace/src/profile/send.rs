use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use reqwest::{Client, Url};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{ProfileError, Target};
use crate::gateway::NODE_HEADER;

/// What became of the requests of one step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Requests that were due.
    pub sent: u64,
    /// From when a request was due to the end of its answer, of those that were answered 2xx in time.
    pub answered: Vec<Duration>,
    /// Why the others were not, with how many.
    pub failures: BTreeMap<String, u64>,
    /// The nodes that say they answered; gateways of OpenFaaS do not.
    pub nodes: BTreeSet<String>,
    /// The longest time by which a request was sent late.
    pub behind: Duration,
}

/// The client for `target`: to that address alone, without a proxy, and redirects are not followed.
///
/// # Errors
/// If it cannot be made.
pub(super) fn client(target: &Target) -> Result<Client, ProfileError> {
    let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    let host = target.url().host_str().unwrap_or_default();
    client
        .resolve(host, target.address())
        .tcp_nodelay(true)
        .build()
        .map_err(|cause| ProfileError::Client(format!("HTTP client: {cause}")))
}

/// Posts `body` at these times from now on, whatever becomes of those before, and waits for every outcome, for each of them
/// `timeout` at most. Above `most_at_once` under way nothing is sent, and that is a failure.
pub async fn send(
    client: &Client,
    url: &Url,
    body: &Bytes,
    times: &[Duration],
    timeout: Duration,
    most_at_once: usize,
) -> Outcome {
    let begin = Instant::now();
    let mut outcome = Outcome::default();
    let mut under_way = JoinSet::new();
    let mut due = times.iter().map(|time| begin + *time);
    let mut next = due.next();
    while next.is_some() || !under_way.is_empty() {
        tokio::select! {
            () = sleep_until(next.unwrap_or(begin)), if next.is_some() => {
                let Some(at) = next else { continue };
                outcome.sent += 1;
                outcome.behind = outcome.behind.max(at.elapsed());
                if under_way.len() >= most_at_once {
                    outcome.failed(format!("not sent: {most_at_once} under way"));
                } else {
                    let request = client.post(url.clone()).body(body.clone());
                    under_way.spawn(async move {
                        let answer = timeout_at(at + timeout, exchange(request)).await;
                        (answer.unwrap_or_else(|_| Err("no whole answer in time".to_owned())), at.elapsed())
                    });
                }
                next = due.next();
            }
            Some(done) = under_way.join_next() => match done {
                Ok((Ok(node), took)) => {
                    outcome.answered.push(took);
                    outcome.nodes.extend(node);
                }
                Ok((Err(why), _)) => outcome.failed(why),
                Err(cause) => outcome.failed(format!("this program failed: {cause}")),
            },
        }
    }
    outcome
}

impl Outcome {
    fn failed(&mut self, why: String) {
        *self.failures.entry(why).or_default() += 1;
    }
}

/// One request to the end of its answer; the node that says it answered, or why it did not answer well.
async fn exchange(request: reqwest::RequestBuilder) -> Result<Option<String>, String> {
    let words = |cause: reqwest::Error| innermost(&cause);
    let mut answer = request.send().await.map_err(words)?;
    let (status, node) = (answer.status(), answer.headers().get(NODE_HEADER).cloned());
    while answer.chunk().await.map_err(words)?.is_some() {}
    if !status.is_success() {
        return Err(format!("status {}", status.as_u16()));
    }
    Ok(node.and_then(|node| node.to_str().map(str::to_owned).ok()))
}

/// The cause at the bottom, which is the same for the same thing.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
