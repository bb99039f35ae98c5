//! Files that a folder or an archive has and that are of no kind that is read: counted, and the first of them named.
use std::sync::{Arc, Mutex, PoisonError};

/// So many are named.
const NAMED: usize = 5;

/// What was left aside so far; no part of what the options say, and shared by their copies.
#[derive(Debug, Clone, Default)]
pub struct Aside(Arc<Mutex<(u64, Vec<String>)>>);

impl Aside {
    /// One more file.
    pub(super) fn add(&self, path: &str) {
        tracing::debug!("{path}: hidden or not a format that is read; left aside");
        // A poisoned lock holds a count all the same.
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.0 += 1;
        if found.1.len() < NAMED {
            found.1.push(path.to_owned());
        }
    }

    /// How many there were, and the first of them.
    pub fn found(&self) -> (u64, Vec<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl PartialEq for Aside {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
