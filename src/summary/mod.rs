//! Summaries of articles: chosen sentences, or a model's own words that the article must support.
//!
//! ```text
//! Article + Segments ──▶ extractive::select ──▶ indices of sentences ──▶ their translations
//! ```
pub mod bengali;
pub mod extractive;
pub mod options;
mod vectors;

pub use options::{Language, Length, MethodChoice, Style, SummaryOptions};
