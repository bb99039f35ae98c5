//! The library's error: every variant's text is one line that names the place and says what is wrong there.
mod kinds;

pub use kinds::{InputError, ModelError, SettingsError};

use std::path::{Path, PathBuf};

/// Shorthand for a result of this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong. The text names the file, the place and, where it does not depend on how the library is used, the
/// remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("{}: {}", shown(&path.display().to_string()), describe_io(source))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Input that cannot be translated: empty, binary, wrongly encoded, no Bengali.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A model's files are missing, damaged, hostile or of a kind that is not supported.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The kernels that `ANUBAD_KERNELS` names cannot be had.
    #[error("ANUBAD_KERNELS: {0}")]
    Kernels(#[from] crate::kernels::LevelError),
    /// Options that contradict one another or lie out of range.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The network, the hub or the download failed.
    #[error(transparent)]
    Hub(#[from] crate::hub::HubError),
    /// The tensor library failed; `context` says while doing what.
    #[error("{context}: {source}")]
    Tensor {
        /// While doing what.
        context: String,
        /// What candle says.
        source: candle_core::Error,
    },
    /// A bulk run cannot go on.
    #[cfg(feature = "bulk")]
    #[error(transparent)]
    Bulk(#[from] crate::bulk::BulkError),
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

/// A text from elsewhere (a path, a title) for a message: characters that a terminal obeys instead of showing, and those
/// that turn the direction of what follows, are written as `\u{…}`.
pub fn shown(text: &str) -> std::borrow::Cow<'_, str> {
    let obeyed = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.contains(obeyed) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if obeyed(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out.into()
}

/// A message of one or more lines, every one as [`shown`].
pub fn shown_lines(text: &str) -> String {
    text.split('\n').map(shown).collect::<Vec<_>>().join("\n")
}

#[cfg(feature = "bulk")]
thread_local! {
    static CONTAINED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// Calls what may panic on damaged input, and says nothing of it: `None` is a panic.
#[cfg(feature = "bulk")]
pub(crate) fn contained<T>(call: impl FnOnce() -> T) -> Option<T> {
    CONTAINED.set(CONTAINED.get() + 1);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call));
    CONTAINED.set(CONTAINED.get() - 1);
    result.ok()
}

/// Whether a panic on this thread is expected and dealt with.
#[cfg(feature = "bulk")]
#[cfg_attr(not(feature = "cli"), allow(dead_code))] // the program's panic hook asks
pub(crate) fn is_contained() -> bool {
    CONTAINED.get() > 0
}

/// Says something on standard error: the way for all messages that may hold words from elsewhere. A standard error that
/// is gone (a closed terminal) is no reason to end.
#[cfg(feature = "cli")]
macro_rules! say {
    ($($said:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), "{}", $crate::error::shown_lines(&format!($($said)*)));
    }};
}
#[cfg(feature = "cli")]
pub(crate) use say;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left_in_a_message() {
        assert_eq!(shown("খবর a/b.txt"), "খবর a/b.txt");
        assert_eq!(shown("a\u{1b}]0;x\u{7}\u{9b}2J\u{7f}\n\u{202e}"), "a\\u{1b}]0;x\\u{7}\\u{9b}2J\\u{7f}\\n\\u{202e}");
        assert_eq!(shown_lines("a\nb\u{1b}"), "a\nb\\u{1b}");
        let error = Error::io("x\u{1b}[2J", std::io::Error::from(std::io::ErrorKind::NotFound)).to_string();
        assert!(!error.contains('\u{1b}'), "{error}");
    }
}
