//! What the checks found wrong with a translation or a summary.
use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing, nothing is wrong.
    Note,
    /// Probably wrong in a detail.
    Warning,
    /// The reader would be misled.
    Serious,
}

impl Severity {
    /// The word for it in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Serious => "serious",
        }
    }
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// A number of the source is not in the output.
    NumberMissing,
    /// A number of the source has become another.
    NumberChanged,
    /// The output has a number that the source has not.
    NumberInvented,
    /// A name of the source is not in the output.
    NameMissing,
    /// The output has a name that the source has not.
    NameInvented,
    /// One name is spelled in two ways within an article.
    NameInconsistent,
    /// A term of the glossary is not translated as it says.
    GlossaryMissed,
    /// The output repeats itself.
    Loop,
    /// A part of the source is left out.
    Omission,
    /// The output says more than the source.
    Addition,
    /// Words of the source stand in the output.
    Untranslated,
    /// Letters of a third script stand in the output.
    WrongScript,
    /// The output is far shorter or longer than such a source's.
    LengthRatio,
    /// A question has become none, or the like.
    Punctuation,
    /// The output has more or fewer sentences than the source.
    SentenceCount,
    /// A word by itself, whose translation is a guess.
    SingleWord,
    /// The sentence was longer than the model takes and was translated in parts.
    SplitSegment,
    /// Decoding stopped at the length limit.
    LengthLimit,
    /// A sentence of the summary was dropped or replaced because the article does not support it.
    Unsupported,
    /// Only a part of the article was read for the summary.
    PartlyRead,
    /// The segment could not be translated at all; its source text stands in its place.
    Failed,
}

impl FindingKind {
    /// The words for it in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::NumberMissing => "number missing",
            Self::NumberChanged => "number changed",
            Self::NumberInvented => "number invented",
            Self::NameMissing => "name missing",
            Self::NameInvented => "name invented",
            Self::NameInconsistent => "name spelled in two ways",
            Self::GlossaryMissed => "glossary missed",
            Self::Loop => "repetition",
            Self::Omission => "omission",
            Self::Addition => "addition",
            Self::Untranslated => "not translated",
            Self::WrongScript => "wrong script",
            Self::LengthRatio => "odd length",
            Self::Punctuation => "punctuation",
            Self::SentenceCount => "number of sentences",
            Self::SingleWord => "word by itself",
            Self::SplitSegment => "translated in parts",
            Self::LengthLimit => "cut off",
            Self::Unsupported => "not in the article",
            Self::PartlyRead => "read in part",
            Self::Failed => "failed",
        }
    }
}

/// One thing the checks found, with its place and a sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was found.
    pub kind: FindingKind,
    /// How bad it is.
    pub severity: Severity,
    /// Index of the segment in the translation; `None`: the whole article or the summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<usize>,
    /// One line, for a person.
    pub message: String,
}
