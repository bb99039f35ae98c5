//! One process an output.
use crate::bulk::BulkError;
use crate::{Error, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// Held as long as the output is written; the operating system gives it back even after SIGKILL.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, or says that another process has it.
    pub fn take(path: &Path, output: &Path) -> Result<Self> {
        let io = |e| Error::io(path, e);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(BulkError::Locked(output.display().to_string()).into()),
            Err(TryLockError::Error(error)) => Err(io(error)),
        }
    }
}
