//! A summary, and the ways in which one is made.
use super::generator::TextGenerator;
use super::options::{Language, Style};
use super::shorten::Shorten;
use crate::text::Finding;
use serde::{Deserialize, Serialize};

/// How a summary was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Sentences of the article, translated one by one.
    Extractive,
    /// The same, made shorter by leaving words out.
    Shortened,
    /// A model's words about the English translation.
    Abstractive,
    /// A model's words about the Bengali article.
    Direct,
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Extractive => "extractive",
            Self::Shortened => "shortened",
            Self::Abstractive => "abstractive",
            Self::Direct => "direct",
        })
    }
}

/// A model that writes summaries, and how.
#[derive(Clone, Copy)]
pub struct Writer<'a> {
    /// What answers.
    pub generator: &'a dyn TextGenerator,
    /// [`Method::Abstractive`]: it reads English; [`Method::Direct`]: it reads Bengali.
    pub method: Method,
    /// The language that it writes.
    pub language: Language,
    /// Its name, for the output.
    pub model: &'a str,
}

/// What makes a summary beside the article itself; by default nothing, and the summary is the article's own sentences.
#[derive(Clone, Copy, Default)]
pub struct Makers<'a> {
    /// A model that writes in its own words.
    pub writer: Option<Writer<'a>>,
    /// What leaves words out of English sentences.
    pub shortener: Option<&'a dyn Shorten>,
}

/// A summary and how it came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// Its sentences; one line without a full stop in the style of a headline.
    pub sentences: Vec<String>,
    /// A headline, for articles that have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headline: Option<String>,
    /// The form.
    pub style: Style,
    /// The language.
    pub language: Language,
    /// The way that was used in the end.
    pub method: Method,
    /// The model that wrote or shortened it (none: extractive).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Into how many parts the article was split to be read by the model.
    pub parts: usize,
    /// Indices of the sentences that it consists of (extractive).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chosen: Vec<usize>,
    /// What each of `sentences` comes from, and what is to be doubted in it (extractive).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<Origin>,
    /// What the checks found in it.
    pub findings: Vec<Finding>,
}

/// Where a sentence of a summary comes from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Origin {
    /// Indices of the article's sentences that it says.
    pub segments: Vec<usize>,
    /// The model that left words out of it; absent: it is whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shortened_by: Option<String>,
    /// Chance, 0 to 1, that it is translated well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f32>,
    /// What the checks found in its translation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

/// What stands behind a sentence that the checks doubt.
const DOUBTFUL: &str = " [doubtful]";

impl Summary {
    /// The summary as it is shown: a paragraph, a list, or one line; doubtful sentences say that they are.
    pub fn text(&self) -> String {
        match self.style {
            Style::Bullets => self.shown().iter().map(|s| format!("- {s}")).collect::<Vec<_>>().join("\n"),
            Style::Brief | Style::Headline => self.shown().join(" "),
        }
    }

    /// The sentences as a reader sees them, the doubtful ones marked.
    pub fn shown(&self) -> Vec<String> {
        let doubtful = |i: usize| self.origins.get(i).is_some_and(|origin| !origin.findings.is_empty());
        let mark = |i| if doubtful(i) { DOUBTFUL } else { "" };
        self.sentences.iter().enumerate().map(|(i, s)| format!("{s}{}", mark(i))).collect()
    }
}
