//! Text of both languages: Bengali normalization, digits and sentence splitting; English tidying.
pub mod abbreviation;
pub mod answer;
pub mod clause;
pub mod digits;
pub mod english;
pub mod finding;
pub mod letters;
pub mod normalize;
pub mod script;
pub mod sentence;
pub mod tokens;
pub use finding::{Finding, FindingKind, Severity};
