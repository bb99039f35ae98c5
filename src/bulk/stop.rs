//! The wish to stop, from a signal or from a failure, seen by every thread of a job.
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long sentences that are being translated may take to finish after a wish to stop.
const GRACE: Duration = Duration::from_secs(7);

/// Shared by all who may wish or must see.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    wished: AtomicBool,
    signal: AtomicI32,
    since: Mutex<Option<Instant>>,
}

impl Stop {
    /// Nothing new is begun from here on. `signal`: what asked for it (0: a failure).
    pub fn wish(&self, signal: i32) {
        self.0.since.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
        self.0.signal.store(signal, Ordering::SeqCst);
        self.0.wished.store(true, Ordering::SeqCst);
    }

    /// Somebody wishes to stop.
    pub fn is_wished(&self) -> bool {
        self.0.wished.load(Ordering::SeqCst)
    }

    /// The signal that asked for it.
    pub fn signal(&self) -> Option<i32> {
        Some(self.0.signal.load(Ordering::SeqCst)).filter(|&s| s != 0)
    }

    /// The time for finishing what was begun is over.
    pub fn is_overdue(&self) -> bool {
        let since = *self.0.since.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|t| t.elapsed() >= GRACE)
    }
}
