//! How much is in hand at once: a bound on articles and on bytes, from admission until they are written.
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A counting gate. What is larger than the whole bound passes alone.
#[derive(Debug)]
pub struct Gate {
    articles: usize,
    bytes: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    articles: usize,
    bytes: usize,
    closed: bool,
}

impl Gate {
    /// At most so many articles and bytes.
    pub fn new(articles: usize, bytes: usize) -> Self {
        Self { articles: articles.max(1), bytes, state: Mutex::default(), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for room; false: the gate was closed.
    pub fn enter(&self, bytes: usize) -> bool {
        let full = |s: &mut State| {
            !s.closed && s.articles > 0 && (s.articles >= self.articles || s.bytes + bytes > self.bytes)
        };
        let mut state = self.changed.wait_while(self.lock(), full).unwrap_or_else(PoisonError::into_inner);
        state.articles += 1;
        state.bytes += bytes;
        !state.closed
    }

    /// Gives room back.
    pub fn leave(&self, bytes: usize) {
        let mut state = self.lock();
        state.articles = state.articles.saturating_sub(1);
        state.bytes = state.bytes.saturating_sub(bytes);
        self.changed.notify_all();
    }

    /// Nobody waits any more.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}
