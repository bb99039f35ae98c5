//! Why a bulk run cannot go on.
use crate::Error;

/// A bulk run cannot begin or go on, or one of its articles failed. What to do about it is for the caller to say: it knows
/// how it is told to start over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BulkError {
    /// The run that is to be continued was begun with something else: another model, other settings, another input.
    #[error("{what}")]
    Changed {
        /// Where, and what is different.
        what: String,
        /// The earlier run is complete: there is nothing to go on with.
        complete: bool,
    },
    /// The journal is of another version of the program.
    #[error("{0}: its journal is of another version of anubad")]
    Version(String),
    /// What is there was not written by a run of ours.
    #[error("{0}")]
    Foreign(String),
    /// Where a file of ours should be is a link.
    #[error("{0}: is a link, and anubad writes its own files through none")]
    Link(String),
    /// Output and journal contradict each other.
    #[error("{0}")]
    Damaged(String),
    /// Another process is writing the output.
    #[error("{0}: another process is writing this output")]
    Locked(String),
    /// There is no earlier run whose failures could be tried again, or it is not complete.
    #[error("{0}")]
    NothingToRetry(String),
    /// Nothing but failures, all of one kind: going on would only fill the errors.
    #[error("stopped, since the first {articles} articles all failed for one reason: {reason}")]
    AllFailed {
        /// So many.
        articles: u64,
        /// What the first of them said.
        reason: String,
    },
    /// Too many sentences of one article failed.
    #[error("{failed} of {asked} sentences could not be translated: {source}")]
    Sentences {
        /// Sentences that failed, …
        failed: usize,
        /// … of so many.
        asked: usize,
        /// The first failure.
        source: Box<Error>,
    },
    /// A sentence failed that several articles had asked for; each gets the text.
    #[error("{0}")]
    Sentence(String),
    /// A part of the program failed that should not.
    #[error("{0} (a defect, please report it)")]
    Defect(&'static str),
}
