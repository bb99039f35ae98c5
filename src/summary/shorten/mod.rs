//! A sentence made shorter by deleting words, by a model that has learned where ("Long: … Short:").
//!
//! Decoding is constrained to the sentence's own words in their order, so that nothing can be invented; what carries
//! polarity, doubt, attribution or a number cannot be left out ([`protect`]), and names keep their heads. The data and the
//! idea of deletion as translation are Filippova and others' (2013, 2015).
mod guide;
mod protect;
mod tidy;
mod units;

pub use guide::DeletionGuide;
pub use units::{Unit, Units};

use crate::Result;
use crate::decode::{DecodeOptions, GuideHandle};
use crate::engine::{Job, Translate};
use crate::tokenizer::Tokenizer;
use std::sync::Arc;

/// Words below which a sentence is short enough.
const SHORT_ENOUGH: usize = 8;
/// Share of the words from which a shortened form saves too little to be worth a change.
const HARDLY_SHORTER: f64 = 0.9;
/// Mean log-probability below which the model found no form that it would write itself.
const FORCED: f32 = -1.6;

/// How sentences are shortened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ShortenOptions {
    /// Keep words of polarity, doubt and attribution, numbers with their units, and the heads of names.
    pub protect: bool,
    /// Hypotheses kept while searching.
    pub beams: usize,
}

impl Default for ShortenOptions {
    fn default() -> Self {
        Self { protect: true, beams: 4 }
    }
}

/// What became of a sentence.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Shortened {
    /// The shortened sentence, or the sentence as it was.
    pub text: String,
    /// Whether words were left out.
    pub changed: bool,
}

/// A model that has learned to shorten English sentences.
pub struct Shortener<'a> {
    engine: &'a dyn Translate,
    tokenizer: &'a dyn Tokenizer,
    ends: Vec<u32>,
    options: ShortenOptions,
}

impl<'a> Shortener<'a> {
    /// `engine` puts the task's prompt around what it is given ([`crate::assemble`] makes one from a manifest's
    /// `[shorten]`); `ends` are its end tokens.
    pub fn new(
        engine: &'a dyn Translate,
        tokenizer: &'a dyn Tokenizer,
        ends: Vec<u32>,
        options: ShortenOptions,
    ) -> Self {
        Self { engine, tokenizer, ends, options }
    }

    /// The model's name.
    pub fn model(&self) -> &str {
        &self.engine.identity().id
    }

    /// Shortens English sentences, all in one batch. A sentence that is short already, that the tokenizer does not take
    /// apart at its words, or of which nothing good is left stays whole.
    ///
    /// # Errors
    /// The engine's own; a sentence that fails alone stays whole.
    pub fn shorten(&self, sentences: &[String]) -> Result<Vec<Shortened>> {
        let mut jobs = Vec::new();
        for (index, sentence) in sentences.iter().enumerate() {
            if let Some(job) = self.job(index as u64, sentence)? {
                jobs.push(job);
            }
        }
        let mut out: Vec<Shortened> = sentences.iter().map(|s| Shortened { text: s.clone(), changed: false }).collect();
        self.engine.translate_stream(&mut jobs.into_iter(), &mut |id, outcome| {
            let index = id as usize;
            match outcome {
                Ok(outcome) if outcome.parts == 1 && !outcome.truncated && outcome.score > FORCED => {
                    out[index] = accept(&sentences[index], &outcome.text);
                }
                Ok(_) => {}
                Err(error) => tracing::debug!("a sentence of the summary could not be shortened: {error}"),
            }
            true
        })?;
        Ok(out)
    }

    fn job(&self, id: u64, sentence: &str) -> Result<Option<Job>> {
        if sentence.split_whitespace().count() <= SHORT_ENOUGH {
            return Ok(None);
        }
        let Some(units) = Units::of(sentence, self.tokenizer)? else { return Ok(None) };
        let guide = DeletionGuide::new(&units, &self.ends, self.options.protect);
        let options = DecodeOptions {
            beams: self.options.beams,
            max_new_tokens: Some(units.tokens() + 8),
            guide: Some(GuideHandle(Arc::new(guide))),
            ..DecodeOptions::default()
        };
        Ok(Some(Job { id, text: sentence.to_string(), options: Some(options) }))
    }
}

/// The model's answer with case, articles and spaces put right, or the sentence where little or nothing was left out.
fn accept(sentence: &str, answer: &str) -> Shortened {
    let words = |text: &str| text.split_whitespace().count();
    let text = tidy::tidy(sentence, answer);
    let few = words(&text) < 3 || words(&text) as f64 > HARDLY_SHORTER * words(sentence) as f64;
    if few { Shortened { text: sentence.to_string(), changed: false } } else { Shortened { text, changed: true } }
}
