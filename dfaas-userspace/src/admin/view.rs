use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::metrics::TickHistogram;
use crate::agent::{Ask, DrainReport, Following, State, Word, Writer};
use crate::dataplane::{DataPlane, DataPlaneError, Explanation, FlowView, Question, Snapshot};

/// Longest wait for fresh counters; after it the last ones are told.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the admin interface sees of the agent: it can read and follow, and pass words of operators on.
#[derive(Debug, Clone)]
pub struct View {
    state: watch::Receiver<Arc<State>>,
    writer: Writer,
    pub(super) following: Following,
    pub(super) tick_seconds: TickHistogram,
    asks: mpsc::Sender<Ask>,
}

impl View {
    /// A view of what the agent publishes, with counters from the data plane's thread.
    pub fn new(
        state: watch::Receiver<Arc<State>>,
        writer: Writer,
        following: Following,
        tick_seconds: TickHistogram,
        asks: mpsc::Sender<Ask>,
    ) -> Self {
        Self { state, writer, following, tick_seconds, asks }
    }

    /// Has the agent do what an operator wants.
    ///
    /// # Errors
    /// If it does not within [`PATIENCE`].
    pub async fn operate(&self, word: Word) -> Result<DrainReport, String> {
        let (done, report) = oneshot::channel();
        let asked = async {
            self.asks.send(Ask { word, done }).await.ok()?;
            report.await.ok()
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Some(report)) => Ok(report),
            Ok(None) => Err("the agent is leaving".to_owned()),
            Err(_) => Err(format!("the agent did not answer within {} s", PATIENCE.as_secs())),
        }
    }

    /// What the agent published last.
    pub fn state(&self) -> Arc<State> {
        self.state.borrow().clone()
    }

    /// The connections as they are now.
    ///
    /// # Errors
    /// Why the data plane does not tell them.
    pub async fn flows(&self) -> Result<Vec<FlowView>, String> {
        self.ask(|dataplane| dataplane.flows()).await
    }

    /// What would become of an invocation now, and why.
    ///
    /// # Errors
    /// Why the data plane does not tell it.
    pub async fn explain(&self, question: Question) -> Result<Explanation, String> {
        self.ask(move |dataplane| dataplane.explain(&question)).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut dyn DataPlane) -> Result<T, DataPlaneError> + Send + 'static,
    ) -> Result<T, String> {
        match tokio::time::timeout(PATIENCE, self.writer.call(what)).await {
            Ok(Ok(Ok(told))) => Ok(told),
            Ok(Ok(Err(error))) => Err(format!("data plane: {error}")),
            Ok(Err(gone)) => Err(gone.to_string()),
            Err(_) => Err(format!("the data plane did not answer within {} s", PATIENCE.as_secs())),
        }
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
