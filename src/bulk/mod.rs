//! The long job: a feed in, English records out, in the order of the input, whatever happens in between.
//!
//! ```text
//! feed ─▶ input (digest, filters, article, segments) ─▶ window (known? under way?) ─▶ translator
//!            │ bad entries                                  ▲ outcomes ◀──────────────────┘
//!            ▼                                              ▼
//!          writer (in order) ◀───────────────────── finishers (checks, summary)
//!            └─▶ store: output, errors, journal
//! ```
//!
//! At most [`BulkOptions::window_articles`] articles are in hand, so memory does not grow with the feed. A record is
//! first appended to the output and then to the journal; a run that was killed goes on behind the last record that
//! both agree on, and what it writes in the end is byte for byte what an uninterrupted run writes.
mod compare;
mod error;
mod input;
mod look;
mod message;
mod observer;
mod options;
pub(crate) mod output;
mod overlap;
mod record;
mod report;
mod retry;
mod schedule;
mod session;
mod stop;
mod store;

pub use error::BulkError;
pub use input::filter::Reason;
pub use look::{Look, look};
pub use observer::{Observer, Progress};
pub use options::{BulkOptions, Filters, Resume, Sync};
pub use output::{Compression, OutputFormat};
pub use overlap::check as check_files;
pub use record::{Aligned, Doubtful, ErrorRecord, Finished, Record, Source, plain_text};
pub use report::{Batches, Report, Slow};
pub use schedule::steps::{PipelineSteps, Steps};
pub use session::{check_stream, run, run_to};
pub use stop::Stop;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod toy;
