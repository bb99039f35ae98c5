//! The glue that users call: an article in, its English translation, findings and summary out.
//!
//! ```text
//! Article ─▶ [prepare] segments ─▶ waves of jobs ─▶ engine ─▶ [finish] tidy, checks, repair ─▶ [assemble] blocks ─▶ Translation
//! ```
pub(crate) mod confidence;
pub(crate) mod doubt;
pub(crate) mod features;
pub(crate) mod finish;
pub(crate) mod prepare;
pub(crate) mod quality;
mod repair;
pub(crate) mod stream;
pub(crate) mod translate;

pub use doubt::{Trust, trust};
pub use prepare::{Prepared, prepare};
pub use quality::Quality;
pub use repair::RepairStats;
pub use stream::{Finished as FinishedSentence, Sentence, translate_sentences};
pub use translate::{complete, sentences, translate};

use crate::article::{Article, Block};
use crate::check::CheckOptions;
use crate::engine::ModelIdentity;
use crate::summary::{Summary, SummaryOptions};
use crate::text::Finding;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Version of the JSON that [`Translation`] serializes to; it grows when a field changes its meaning or goes away.
pub const SCHEMA: u32 = 1;

/// What is done with an article beside translating it.
#[derive(Debug, Clone)]
pub struct PipelineOptions {
    /// Which checks are made.
    pub checks: CheckOptions,
    /// Translate segments with serious findings again, with other settings.
    pub repair: bool,
    /// `None`: no summary.
    pub summary: Option<SummaryOptions>,
}

impl Default for PipelineOptions {
    fn default() -> Self {
        Self { checks: CheckOptions::default(), repair: true, summary: Some(SummaryOptions::default()) }
    }
}

/// One sentence and its translation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TranslatedSegment {
    /// Index of the block; absent: the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<usize>,
    /// Index of the sentence in its block.
    pub sentence: usize,
    /// Byte range in the block's text.
    pub range: std::ops::Range<usize>,
    /// The Bengali.
    pub source: String,
    /// The English.
    pub text: String,
    /// Mean log-probability of the generated tokens; absent where nothing was generated (already English, failed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f32>,
    /// Chance, 0 to 1, that the sentence is translated well (`docs/CONFIDENCE.md`); absent as `score` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f32>,
    /// Tokens read and generated.
    #[serde(default)]
    pub source_tokens: usize,
    /// Tokens generated.
    #[serde(default)]
    pub target_tokens: usize,
    /// How sure the model was, token by token.
    #[serde(skip)]
    pub trace: crate::decode::Trace,
}

/// How long the parts took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Timings {
    /// Seconds to the first block that could be shown.
    pub first_block_s: f64,
    /// Seconds to the last sentence, repairs left out.
    pub translate_s: f64,
    /// Seconds of repairs.
    pub repair_s: f64,
    /// Seconds of the summary.
    pub summary_s: f64,
}

/// A translated article.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Translation {
    /// [`SCHEMA`].
    pub schema: u32,
    /// In English; same blocks as the source.
    pub article: Article,
    /// Its sentences with their translations, in order.
    pub segments: Vec<TranslatedSegment>,
    /// What the checks found.
    pub findings: Vec<Finding>,
    /// The summary, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// Who translated.
    pub model: ModelIdentity,
    /// Why this model was taken, where the user left the choice open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_choice: Option<String>,
    /// How long it took.
    pub timings: Timings,
}

impl Translation {
    /// The findings of a severity or worse.
    pub fn findings_from(&self, severity: crate::text::Severity) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |f| f.severity >= severity)
    }
}

/// A part of the article that is ready to be shown, in the order of the article.
#[derive(Debug, Clone, Copy)]
pub enum Ready<'a> {
    /// Sentences as they will stay, the first of them being segment `first` of the article; their blocks follow.
    Sentences {
        /// Index of the first of them.
        first: usize,
        /// The sentences.
        segments: &'a [TranslatedSegment],
        /// Of all sentences so far.
        findings: &'a [Finding],
    },
    /// The headline in English.
    Title(&'a str),
    /// A block in English and the findings of its segments.
    Block(&'a Block, &'a [Finding]),
}

fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e3).round() / 1e3
}
