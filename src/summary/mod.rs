//! Summaries of articles: chosen sentences, or a model's own words that the article must bear out.
//!
//! ```text
//!                            ┌─▶ extractive: the most telling sentences ──▶ translated, [shortened] ──┐
//! Article + Segments ────────┼─▶ abstractive: a model rewrites the translation ─┐                     ├─▶ Summary
//!                            └─▶ direct: a model reads the Bengali ─────────────┴─▶ tidy ─▶ evidence ─┘
//! ```
//! Chosen sentences are made shorter by leaving words out where there is a model that has learned where ([`shorten`]).
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
mod models;
mod names;
pub mod options;
pub mod shorten;
pub mod summarize;
pub mod tidy;
mod vectors;

#[cfg(test)]
mod shortened_tests;

pub use generator::{Generated, Request, TextGenerator};
pub use input::{SummaryInput, TranslateSentences, Translated};
pub use made::{Makers, Method, Origin, Summary, Writer};
pub use models::SummaryModels;
pub use options::{Language, Length, MethodChoice, Style, SummaryOptions};
pub use summarize::summarize;
