//! The library's error: every variant's text is one line that names the place and says what to do about it.
use std::path::{Path, PathBuf};

/// Shorthand for a result of this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong. The text is complete advice: it names the file, the place and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("{}: {}", path.display(), describe_io(source))]
    Io { path: PathBuf, source: std::io::Error },
    /// Input that cannot be translated: empty, binary, wrongly encoded, no Bengali.
    #[error("{0}")]
    Input(String),
    /// A model's files are missing, damaged, hostile or of a kind that is not supported.
    #[error("{0}")]
    Model(String),
    /// The kernels that `ANUBAD_KERNELS` names cannot be had.
    #[error("ANUBAD_KERNELS: {0}")]
    Kernels(#[from] crate::kernels::LevelError),
    /// Options that contradict one another or lie out of range.
    #[error("{0}")]
    Settings(String),
    /// The network, the hub or the download failed.
    #[error("{0}")]
    Hub(String),
    /// The tensor library failed; `context` says while doing what.
    #[error("{context}: {source}")]
    Tensor { context: String, source: candle_core::Error },
    /// A bulk run cannot go on.
    #[error("{0}")]
    Bulk(String),
    /// The caller asked to stop (Ctrl-C, a broken pipe).
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// An I/O error with the path it concerns.
    pub fn io(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::Io { path: path.as_ref().to_path_buf(), source }
    }
}

impl From<candle_core::Error> for Error {
    fn from(source: candle_core::Error) -> Self {
        Self::Tensor { context: "tensor operation failed".into(), source }
    }
}

/// The operating system's words without its error number, plus the usual remedy.
fn describe_io(error: &std::io::Error) -> String {
    use std::io::ErrorKind::*;
    match error.kind() {
        NotFound => "no such file or folder; check the path".into(),
        PermissionDenied => "permission denied; check the file's owner and mode".into(),
        IsADirectory => "is a folder, not a file; use `anubad bulk` for folders".into(),
        StorageFull => "no space left on the disk; free some and run the same command again".into(),
        _ => error.to_string(),
    }
}
