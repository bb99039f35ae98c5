//! Summaries of articles: chosen sentences, or a model's own words that the article must bear out.
//!
//! ```text
//!                            ┌─▶ extractive: the most telling sentences ──▶ translated, [shortened] ──┐
//! Article + Segments ────────┼─▶ abstractive: a model rewrites the translation ─┐                     ├─▶ Summary
//!                            └─▶ direct: a model reads the Bengali ─────────────┴─▶ tidy ─▶ evidence ─┘
//! ```
//! Chosen sentences are made shorter by leaving words out where there is a model that has learned where (`shorten`).
//! `summarize` is the one function that the commands call. Long articles are read in parts (`long`); what a model
//! writes is cleaned of chat (`tidy`) and held against the article (`evidence`).
pub(crate) mod bengali;
pub(crate) mod english;
pub(crate) mod evidence;
pub mod extractive;
mod from_article;
pub(crate) mod generator;
pub(crate) mod headline;
pub(crate) mod input;
pub(crate) mod long;
mod made;
pub(crate) mod model;
mod models;
mod names;
pub(crate) mod options;
pub(crate) mod shorten;
pub(crate) mod summarize;
pub(crate) mod tidy;
mod vectors;

#[cfg(test)]
mod shortened_tests;

pub use generator::{Generated, Request, TextGenerator};
pub use input::{SummaryInput, TranslateSentences, Translated};
pub use made::{Makers, Method, Origin, Summary, Writer};
pub use models::SummaryModels;
pub use options::{Language, Length, MethodChoice, Style, SummaryOptions};
pub use summarize::summarize;
