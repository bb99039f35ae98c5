//! Summaries of articles: chosen sentences, or a model's own words that the article must bear out.
//!
//! ```text
//!                            ┌─▶ extractive: the most telling sentences ──▶ their translations ───────┐
//! Article + Segments ────────┼─▶ abstractive: a model rewrites the translation ─┐                     ├─▶ Summary
//!                            └─▶ direct: a model reads the Bengali ─────────────┴─▶ tidy ─▶ evidence ─┘
//! ```
//! [`summarize`] is the one function that the commands call. Long articles are read in parts ([`long`]); what a model
//! writes is cleaned of chat ([`tidy`]) and held against the article ([`evidence`]).
pub mod bengali;
pub mod english;
pub mod evidence;
pub mod extractive;
mod from_article;
pub mod generator;
pub mod headline;
pub mod input;
pub mod long;
mod made;
pub mod model;
mod names;
pub mod options;
pub mod shorten;
pub mod summarize;
pub mod tidy;
mod vectors;

pub use generator::{Generated, Request, TextGenerator};
pub use input::{SummaryInput, TranslateSentences, Translated};
pub use made::{Method, Origin, Summary, Writer};
pub use options::{Language, Length, MethodChoice, Style, SummaryOptions};
pub use summarize::summarize;
