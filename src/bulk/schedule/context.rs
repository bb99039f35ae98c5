//! What every part of a run has to do with.
use crate::bulk::options::BulkOptions;
use crate::bulk::schedule::steps::Steps;
use crate::bulk::stop::Stop;
use crate::engine::Translate;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What every part of a run needs.
pub struct Context<'a> {
    pub translator: &'a dyn Translate,
    pub steps: &'a dyn Steps,
    pub options: &'a BulkOptions,
    pub stop: &'a Stop,
}

pub(in crate::bulk) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panicking thread leaves behind is whole: every change is made by one call.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
