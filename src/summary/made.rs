//! A summary, and the ways in which one is made.
use super::generator::TextGenerator;
use super::options::{Language, Style};
use crate::text::Finding;
use serde::{Deserialize, Serialize};

/// How a summary was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Sentences of the article, translated one by one.
    Extractive,
    /// A model's words about the English translation.
    Abstractive,
    /// A model's words about the Bengali article.
    Direct,
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Extractive => "extractive",
            Self::Abstractive => "abstractive",
            Self::Direct => "direct",
        })
    }
}

/// A model that writes summaries, and how.
pub struct Writer<'a> {
    pub generator: &'a dyn TextGenerator,
    /// [`Method::Abstractive`]: it reads English; [`Method::Direct`]: it reads Bengali.
    pub method: Method,
    /// The language that it writes.
    pub language: Language,
    /// Its name, for the output.
    pub model: &'a str,
}

/// A summary and how it came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Its sentences; one line without a full stop in the style of a headline.
    pub sentences: Vec<String>,
    /// A headline, for articles that have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headline: Option<String>,
    pub style: Style,
    pub language: Language,
    /// The way that was used in the end.
    pub method: Method,
    /// The model that wrote it (none: extractive).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Into how many parts the article was split to be read by the model.
    pub parts: usize,
    /// Indices of the sentences that it consists of (extractive).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chosen: Vec<usize>,
    pub findings: Vec<Finding>,
}

impl Summary {
    /// The summary as it is shown: a paragraph, a list, or one line.
    pub fn text(&self) -> String {
        match self.style {
            Style::Bullets => self.sentences.iter().map(|s| format!("- {s}")).collect::<Vec<_>>().join("\n"),
            Style::Brief | Style::Headline => self.sentences.join(" "),
        }
    }
}
