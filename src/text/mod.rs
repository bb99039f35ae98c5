//! Text of both languages: Bengali normalization, digits and sentence splitting; English tidying.
pub(crate) mod answer;
pub mod clause;
pub(crate) mod english;
pub(crate) mod finding;
pub mod sentence;
pub(crate) mod tokens;
pub use finding::{Finding, FindingKind, Severity};
