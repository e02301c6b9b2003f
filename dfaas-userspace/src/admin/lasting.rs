use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Whether a connection may last longer than an answer takes, as somebody follows on it.
#[derive(Debug, Clone, Default)]
pub(super) struct Lasting(Arc<AtomicUsize>);

/// While it is there, its connection lasts.
#[derive(Debug)]
pub(super) struct Held(Lasting);

impl Lasting {
    /// Makes the connection last.
    pub(super) fn hold(&self) -> Held {
        self.0.fetch_add(1, Ordering::Relaxed);
        Held(self.clone())
    }

    /// Whether it is to last now.
    pub(super) fn is_held(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
