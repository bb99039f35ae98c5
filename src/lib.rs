//! **anubad** (অনুবাদ, "translation") turns Bengali articles into English ones, with a short summary,
//! on the user's own machine.
//!
//! ```
//! use anubad::article::Article;
//! use anubad::pipeline::Quality;
//! use anubad::Translator;
//!
//! # fn main() -> Result<(), anubad::Error> {
//! let translator = Translator::builder().model("anubad-270m-bn-en").quality(Quality::Standard).build()?;
//! let translation = translator.translate(&Article::from_text("তিনি গতকাল ঢাকায় এসেছেন।"))?;
//! for block in &translation.article.blocks {
//!     println!("{}", block.text);
//! }
//! # assert!(translation.article.blocks[0].text.contains("Dhaka"));
//! # Ok(())
//! # }
//! ```
//!
//! [`Translator`] is the front door. What a summary, a feed or a model's details need lies in the modules, and three
//! programs in `examples/` show an article, a stream of sentences and a summary.
//!
//! # Features
//!
//! `cli` (the program, on by default) brings the crates that only a program needs; a library wants
//! `default-features = false` and of these what it uses: `feed` (feeds, dumps and archives), `bulk` (feeds in, one
//! journaled output out), `fetch` (a page or a feed by its address), `embedded-model` (release builds carry the default model's weights), `cuda`, `metal`,
//! `accelerate` and `mkl` (candle's backends).
//!
//! # Layers
//!
//! A module uses those below it, never one above it (`docs/ARCHITECTURE.md` has the table, a test holds the code to it):
//!
//! ```text
//! translator  cli                        the front door of the library; the program
//! bulk        server                     feeds into files that survive a kill; a local server
//! feed        page                       dumps and archives as a stream of articles; a page to read
//! document                               .docx, .odt, .epub, subtitles, PDF: text in, the same file out
//! pipeline                               an article through everything: translate, check, repair, sum up
//! summary                                sentences of the article, or a model's words held against it
//! assembly                               a model made ready: network, tokenizer, prompt and defaults
//! hub         engine                     files of models fetched and verified; batches of sentences
//! manifest                               what a model is, in one TOML file
//! hints       model                      names in English before the model reads; weights and networks
//! article     check      decode          blocks and sentences; is the English borne out?; searches
//! text        tokenizer  fetch           sentences and clauses; pieces and their numbers; pages by address
//! error                                  what can go wrong, by kind
//! kernels     lang       metrics         arithmetic; the two languages' words; BLEU, chrF, ROUGE
//! ```

/// [`std::eprintln`] for a program whose standard error may be closed before its end: what nobody can read any more is
/// dropped, where the standard macro panics.
#[cfg(feature = "cli")]
macro_rules! eprintln {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

pub mod article;
pub mod assembly;
#[cfg(feature = "bulk")]
pub mod bulk;
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
pub mod decode;
pub mod document;
pub mod engine;
pub mod error;
#[cfg(feature = "feed")]
pub mod feed;
#[cfg(feature = "fetch")]
pub mod fetch;
pub mod hints;
pub mod hub;
pub mod kernels;
pub mod lang;
pub mod manifest;
pub mod metrics;
pub mod model;
pub mod page;
pub mod pipeline;
#[cfg(feature = "server")]
pub(crate) mod server;
pub mod summary;
pub mod text;
pub mod tokenizer;
mod translator;

pub use error::{Error, Result};
pub use translator::{Translator, TranslatorBuilder};

/// Test helpers are shared with the integration tests, which know the crate by this name.
#[cfg(test)]
extern crate self as anubad;
