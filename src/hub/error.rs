//! What can go wrong between this machine and the Hub.

/// An error of any kind behind one of ours.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A model cannot be had from the Hub, or is not what it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The settings forbid the network.
    #[error("{0}")]
    Offline(String),
    /// The model's terms must be accepted first, or the account has no access.
    #[error("{0}")]
    Gated(String),
    /// There is no such repository, revision or file.
    #[error("{0}")]
    NotFound(String),
    /// What came is not what its digest or the manifest says.
    #[error("{0}")]
    Corrupt(String),
    /// The connection failed, or the server answered with a failure of its own.
    #[error("{text}")]
    Unreachable {
        /// What failed, and what to do.
        text: String,
        /// What the connection's side says; absent where the server answered.
        #[source]
        source: Option<Cause>,
    },
    /// Whoever answered does not speak as a Hub does.
    #[error("{text}")]
    Answer {
        /// What was wrong with the answer.
        text: String,
        /// What its reader says.
        #[source]
        source: Option<Cause>,
    },
    /// There is no room for the files.
    #[error("{0}")]
    NoSpace(String),
    /// Another process is busy with the same file.
    #[error("{0}")]
    Busy(String),
    /// A package index, the second source of some models, does not give the file either.
    #[error("{0}")]
    Index(String),
}
