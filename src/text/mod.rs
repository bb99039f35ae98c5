//! Text of both languages: Bengali normalization, digits and sentence splitting; English tidying.
pub mod answer;
pub mod clause;
pub mod english;
pub mod finding;
pub mod sentence;
pub mod tokens;
pub use finding::{Finding, FindingKind, Severity};
