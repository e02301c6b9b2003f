//! Invocations that have begun, of an open loop.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::task::{Id, JoinSet};
use tokio::time::Instant;

use super::Load;
use super::invocation::{Verdict, invoke};

/// Invocations under way, each with what its loop knows of it.
#[derive(Debug)]
pub(super) struct UnderWay<T> {
    tasks: JoinSet<(Verdict, Instant)>,
    known: HashMap<Id, T>,
}

impl<T> UnderWay<T> {
    pub(super) fn new() -> Self {
        Self { tasks: JoinSet::new(), known: HashMap::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Begins an invocation from `source`, if there are not as many as the load allows: else it has failed with that.
    pub(super) fn begin(
        &mut self,
        load: &Arc<Load>,
        source: Option<IpAddr>,
        known: T,
    ) -> Result<(), Verdict> {
        let most = load.max_outstanding;
        if self.tasks.len() >= most {
            let reason = format!("not sent: {most} invocations under way");
            return Err(Verdict::Failed { reason });
        }
        let load = Arc::clone(load);
        let task = self.tasks.spawn(async move { (invoke(&load, source).await, Instant::now()) });
        self.known.insert(task.id(), known);
        Ok(())
    }

    /// The next one that ends, and when it did; nothing if none is under way. It may be dropped at any time.
    pub(super) async fn next(&mut self) -> Option<(T, Verdict, Instant)> {
        let (id, verdict, at) = match self.tasks.join_next_with_id().await? {
            Ok((id, (verdict, at))) => (id, verdict, at),
            Err(error) => {
                let reason = "the load generator failed".to_owned();
                (error.id(), Verdict::Failed { reason }, Instant::now())
            }
        };
        Some((self.known.remove(&id)?, verdict, at))
    }
}
