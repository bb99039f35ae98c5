//! **anubad** (অনুবাদ, "translation") turns Bengali articles into English ones, with a short summary,
//! on the user's own machine.
//!
//! The data flows one way; nothing downstream is called by anything upstream:
//!
//! ```text
//!             article/            text/             engine/ + decode/ + model/               pipeline/
//! bytes ──▶ Article{title,blocks,meta} ──▶ Segment ──▶ Batch of token ids ──▶ Hypothesis ──▶ Article (English) ──▶ Summary ──▶ Output
//!  feed/ ──▶ stream of Articles ────────────────────────────────────────────────────────────────────▶ bulk/ (journal, writer)
//! ```
/// [`std::eprintln`] for a program whose standard error may be closed before its end: what nobody can read any more is
/// dropped, where the standard macro panics.
macro_rules! eprintln {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

pub mod article;
pub mod assembly;
pub mod bulk;
pub mod check;
pub mod cli;
pub mod decode;
pub mod document;
pub mod engine;
pub mod error;
pub mod feed;
pub mod fetch;
pub mod hints;
pub mod hub;
pub mod kernels;
pub mod manifest;
pub mod metrics;
pub mod model;
pub mod page;
pub mod pipeline;
pub mod summary;
pub mod text;
pub mod tokenizer;

pub use error::{Error, Result};

/// Test helpers are shared with the integration tests, which know the crate by this name.
#[cfg(test)]
extern crate self as anubad;
