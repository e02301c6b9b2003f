use std::time::Duration;

use tokio::sync::mpsc;

use super::catalogue::Catalogue;
use super::client::{Client, DiscoveryError};

/// Longest wait after a failure, so that a gateway that comes back is seen soon.
const RETRY: Duration = Duration::from_secs(1);

/// Asks the gateway every `poll` and tells what it answered, until nobody listens.
pub async fn follow(
    mut client: Client,
    poll: Duration,
    tell: mpsc::Sender<Result<Catalogue, DiscoveryError>>,
) {
    loop {
        let answer = client.catalogue().await;
        let wait = if answer.is_ok() { poll } else { poll.min(RETRY) };
        if tell.send(answer).await.is_err() {
            return;
        }
        tokio::time::sleep(wait).await;
    }
}
