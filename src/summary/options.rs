//! What a summary should look like and how it is made.
use serde::{Deserialize, Serialize};

/// How long the summary is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Length {
    /// One to five sentences, by the article's length.
    #[default]
    Auto,
    /// Twice as many as [`Length::Auto`] gives.
    Long,
    /// At most this many sentences.
    Sentences(usize),
    /// Together about this many words: at most a fifth more, and where no sentence can be had in so few, the shortest.
    Words(usize),
}

impl Length {
    /// Sentences to aim at for an article of `available` sentences (with [`Length::Words`] an upper bound).
    pub fn sentences(self, available: usize) -> usize {
        match self {
            Self::Auto => match available {
                0..=3 => 1,
                4..=8 => 2,
                9..=40 => 3,
                41..=100 => 4,
                _ => 5,
            },
            Self::Long => 2 * Self::Auto.sentences(available),
            Self::Sentences(n) => n,
            Self::Words(n) => n.max(1),
        }
    }

    /// The most words, where words are counted.
    pub fn words(self) -> Option<usize> {
        match self {
            Self::Words(n) => Some(n),
            _ => None,
        }
    }
}

/// The form of the summary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// One line.
    Headline,
    /// A few sentences in one paragraph.
    #[default]
    Brief,
    /// A list, one sentence an item.
    Bullets,
}

/// The language of the summary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English
    #[default]
    #[cfg_attr(feature = "cli", value(name = "en"))]
    #[serde(rename = "en")]
    English,
    /// Bengali
    #[cfg_attr(feature = "cli", value(name = "bn"))]
    #[serde(rename = "bn")]
    Bengali,
}

/// The way a summary is asked for; what was used in the end is [`super::Method`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum MethodChoice {
    /// What the model's manifest names; without a summary model sentences of the article, shortened where the translating
    /// model has learned to.
    #[default]
    Auto,
    /// The article's most telling sentences, whole.
    Extractive,
    /// A model rewrites the English translation.
    Abstractive,
    /// A model reads Bengali and writes the summary itself.
    Direct,
}

/// What the caller wants.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SummaryOptions {
    /// How long it is.
    pub length: Length,
    /// Its form.
    pub style: Style,
    /// Its language.
    pub language: Language,
    /// How it is made.
    pub method: MethodChoice,
}
