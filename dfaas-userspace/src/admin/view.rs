use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::metrics::TickHistogram;
use crate::agent::{State, Writer};
use crate::dataplane::Snapshot;

/// Longest wait for fresh counters; after it the last ones are told.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the admin interface sees of the agent: it can read, and nothing else.
#[derive(Debug, Clone)]
pub struct View {
    state: watch::Receiver<Arc<State>>,
    writer: Writer,
    pub(super) tick_seconds: TickHistogram,
}

impl View {
    /// A view of what the agent publishes, with counters from the data plane's thread.
    pub fn new(state: watch::Receiver<Arc<State>>, writer: Writer, tick_seconds: TickHistogram) -> Self {
        Self { state, writer, tick_seconds }
    }

    /// What the agent published last.
    pub fn state(&self) -> Arc<State> {
        self.state.borrow().clone()
    }

    /// The counters as they are now, or as they were last read if the data plane does not answer.
    pub async fn snapshot(&self) -> Snapshot {
        let fresh = tokio::time::timeout(PATIENCE, self.writer.call(|dataplane| dataplane.snapshot())).await;
        match fresh {
            Ok(Ok(Ok(snapshot))) => snapshot,
            _ => self.state.borrow().snapshot.clone(),
        }
    }
}
