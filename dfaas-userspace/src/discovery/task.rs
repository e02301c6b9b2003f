use std::time::Duration;

use tokio::sync::mpsc;

use super::catalogue::Catalogue;
use super::client::{Client, DiscoveryError};
use super::health::Health;

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
}

/// Asks a gateway for its functions every `poll` and tells what it answered, until nobody listens.
pub async fn follow(gateway: Option<String>, mut client: Client, poll: Duration, tell: mpsc::Sender<Report>) {
    loop {
        let answer = client.catalogue().await;
        let wait = if answer.is_ok() { poll } else { poll.min(RETRY) };
        if tell.send(Report { gateway: gateway.clone(), news: News::Functions(answer) }).await.is_err() {
            return;
        }
        tokio::time::sleep(wait).await;
    }
}

/// Asks a gateway for its health every `poll` and tells how it is, until nobody listens.
pub async fn watch(gateway: Option<String>, health: Health, poll: Duration, tell: mpsc::Sender<Report>) {
    loop {
        let answer = health.check().await;
        let wait = if answer.is_ok() { poll } else { poll.min(RETRY) };
        if tell.send(Report { gateway: gateway.clone(), news: News::Health(answer) }).await.is_err() {
            return;
        }
        tokio::time::sleep(wait).await;
    }
}
