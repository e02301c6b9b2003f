use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::dataplane::{DataPlane, DataPlaneError, Left};

/// Calls that wait for the thread; more make the callers wait.
const QUEUE: usize = 64;

type Call = Box<dyn FnOnce(&mut dyn DataPlane) + Send>;

enum Job {
    Call(Call),
    Leave(Duration, oneshot::Sender<Result<Left, DataPlaneError>>),
}

/// The thread that owns the data plane has ended: it left, or it was never there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the data plane's thread has ended")]
pub struct WriterGone;

/// The one owner of the data plane: a thread of its own, as the calls block.
#[derive(Debug, Clone)]
pub struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Gives `dataplane` a thread. It ends with the last `Writer`, leaving the data plane attached, or with
    /// [`Writer::leave`].
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(mut dataplane: Box<dyn DataPlane>) -> std::io::Result<Self> {
        let (jobs, mut queue) = mpsc::channel(QUEUE);
        std::thread::Builder::new().name("dataplane".to_owned()).spawn(move || {
            while let Some(job) = queue.blocking_recv() {
                match job {
                    Job::Call(call) => call(&mut *dataplane),
                    Job::Leave(limit, reply) => {
                        // Nobody listens if the agent was told twice to end.
                        let _ = reply.send(dataplane.leave(limit));
                        return;
                    }
                }
            }
        })?;
        Ok(Self { jobs })
    }

    /// Has the thread do something with the data plane and waits for what it answers.
    ///
    /// # Errors
    /// If the data plane was left.
    pub async fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut dyn DataPlane) -> T + Send + 'static,
    ) -> Result<T, WriterGone> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Call(Box::new(move |dataplane| {
            // The caller may have given up waiting.
            let _ = reply.send(call(dataplane));
        }));
        self.jobs.send(job).await.map_err(|_| WriterGone)?;
        answer.await.map_err(|_| WriterGone)
    }

    /// Detaches the data plane, waiting up to `limit` for bound connections to end.
    ///
    /// # Errors
    /// What detaching answered, or that the data plane was left before.
    pub async fn leave(&self, limit: Duration) -> Result<Result<Left, DataPlaneError>, WriterGone> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job::Leave(limit, reply)).await.map_err(|_| WriterGone)?;
        answer.await.map_err(|_| WriterGone)
    }
}
