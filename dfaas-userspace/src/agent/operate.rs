//! What operators tell a running agent.

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::turn::Agent;
use super::writer::WriterGone;
use super::written::Plans;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// Take nothing from peers any more.
    Drain,
    /// Take it again.
    Resume,
}

/// A word of an operator, who waits for the answer.
#[derive(Debug)]
pub struct Ask {
    /// What is to be done.
    pub word: Word,
    /// Told once it is.
    pub done: oneshot::Sender<DrainReport>,
}

/// `dfaas drain` and `dfaas resume`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrainReport {
    /// Whether the node takes nothing from peers now.
    pub draining: bool,
    /// Whether that was otherwise before.
    pub changed: bool,
}

impl Agent {
    /// Does it: peers are told, the data plane refuses them, and only then the operator hears that it is done.
    pub(super) async fn operate(&mut self, ask: Ask) -> Result<(), WriterGone> {
        let draining = ask.word == Word::Drain;
        let changed = draining != self.core.draining();
        if changed {
            tracing::info!("{}", if draining { "draining: nothing is taken from peers" } else { "resumed" });
            self.core.drain(self.now(), draining);
            self.publish(|state| state.draining = draining);
            self.write(Plans::News, Vec::new()).await?;
        }
        // The operator may have gone.
        let _ = ask.done.send(DrainReport { draining, changed });
        Ok(())
    }
}
