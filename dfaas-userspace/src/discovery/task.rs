use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::catalogue::Catalogue;
use super::counts::Counts;
use super::error::DiscoveryError;
use super::provider::Provider;
use super::source::Source;

/// Longest wait after a failure, so that a gateway that comes back is seen soon.
const RETRY: Duration = Duration::from_secs(1);

/// What was learned of a gateway.
#[derive(Debug, Clone)]
pub struct Report {
    /// Its name; `None`: the node's own.
    pub gateway: Option<String>,
    /// What it is.
    pub news: News,
}

/// See [`Report`].
#[derive(Debug, Clone)]
pub enum News {
    /// Its functions, or why it did not tell them.
    Functions(Result<Catalogue, DiscoveryError>),
    /// Whether it answers where it takes invocations, or why not.
    Health(Result<(), String>),
    /// What it counted, or why it does not tell.
    Counts(Result<Counts, DiscoveryError>),
}

/// Asks a gateway for its functions every `poll` and tells what it answered, until nobody listens.
pub async fn follow(gateway: Option<String>, mut source: Source, poll: Duration, tell: mpsc::Sender<Report>) {
    loop {
        let answer = source.catalogue().await;
        let wait = if answer.is_ok() { poll } else { poll.min(RETRY) };
        if tell.send(Report { gateway: gateway.clone(), news: News::Functions(answer) }).await.is_err() {
            return;
        }
        tokio::time::sleep(wait).await;
    }
}

/// Asks a gateway for its health every `poll` and tells how it is, until nobody listens. One that has none to tell is
/// not asked.
pub async fn watch(
    gateway: Option<String>,
    provider: Arc<dyn Provider>,
    poll: Duration,
    tell: mpsc::Sender<Report>,
) {
    while let Some(health) = provider.health() {
        let answer = health.await;
        let wait = if answer.is_ok() { poll } else { poll.min(RETRY) };
        if tell.send(Report { gateway: gateway.clone(), news: News::Health(answer) }).await.is_err() {
            return;
        }
        tokio::time::sleep(wait).await;
    }
}

/// Asks a gateway for what it counted every `poll` and tells it, until nobody listens. One that tells nobody is not
/// asked.
pub async fn count(
    gateway: Option<String>,
    provider: Arc<dyn Provider>,
    poll: Duration,
    tell: mpsc::Sender<Report>,
) {
    while let Some(counts) = provider.counts() {
        let answer = counts.await;
        if tell.send(Report { gateway: gateway.clone(), news: News::Counts(answer) }).await.is_err() {
            return;
        }
        tokio::time::sleep(poll).await;
    }
}
