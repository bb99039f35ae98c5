//! Which tensors of a source have been asked for: what nobody asks for was never meant to be left out in silence.
use super::{TensorSource, TensorView};
use crate::Result;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// A source that remembers which of its tensors were found.
pub struct Ledger<'a> {
    source: &'a dyn TensorSource,
    asked: Mutex<BTreeSet<String>>,
}

impl<'a> Ledger<'a> {
    /// Nothing has been asked for yet.
    pub fn new(source: &'a dyn TensorSource) -> Self {
        Self { source, asked: Mutex::default() }
    }

    /// The tensors that nobody asked for, sorted.
    pub fn unused(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        self.source.names().into_iter().filter(|name| !asked.contains(name)).collect()
    }
}

impl TensorSource for Ledger<'_> {
    fn names(&self) -> Vec<String> {
        self.source.names()
    }

    fn find(&self, name: &str) -> Result<Option<TensorView<'_>>> {
        let found = self.source.find(name)?;
        if found.is_some() {
            self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        }
        Ok(found)
    }

    fn release(&self, name: &str) {
        self.source.release(name);
    }
}
