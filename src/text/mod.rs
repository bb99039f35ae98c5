//! Text of both languages: Bengali normalisation, digits and sentence splitting; English tidying; checks of the output.
pub mod abbreviation;
pub mod check;
pub mod clause;
pub mod digits;
pub mod english;
pub mod finding;
pub mod latin;
pub mod normalise;
pub mod script;
pub mod segment;
pub mod sentence;
pub use finding::{Finding, FindingKind, Severity};

/// One piece of text that is translated at once, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Index of the block in the article; `None` is the title.
    pub block: Option<usize>,
    /// Index of the sentence within its block.
    pub sentence: usize,
    /// The sentence, trimmed, in its original spelling.
    pub text: String,
    /// Bytes of the block's text (or of the title) that the sentence covers.
    pub range: std::ops::Range<usize>,
}
