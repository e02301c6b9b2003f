use std::sync::atomic::{AtomicU64, Ordering};

/// What went over the streams of beats, counted where it happens.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    beats: (AtomicU64, AtomicU64),
    bytes: (AtomicU64, AtomicU64),
    unknown: AtomicU64,
}

impl Traffic {
    /// A beat came in.
    pub(super) fn received(&self, bytes: usize) {
        self.beats.0.fetch_add(1, Ordering::Relaxed);
        self.bytes.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// So many beats, and an exchange perhaps, went out in so many bytes.
    pub(super) fn sent(&self, beats: u64, bytes: usize) {
        self.beats.1.fetch_add(beats, Ordering::Relaxed);
        self.bytes.1.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// An exchange came in.
    pub(super) fn exchanged(&self, bytes: usize) {
        self.bytes.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// A frame of an unknown version came in.
    pub(super) fn unknown(&self) {
        self.unknown.fetch_add(1, Ordering::Relaxed);
    }

    /// Beats received and sent, bytes received and sent, frames of unknown versions.
    pub(super) fn totals(&self) -> ((u64, u64), (u64, u64), u64) {
        let read =
            |pair: &(AtomicU64, AtomicU64)| (pair.0.load(Ordering::Relaxed), pair.1.load(Ordering::Relaxed));
        (read(&self.beats), read(&self.bytes), self.unknown.load(Ordering::Relaxed))
    }
}
