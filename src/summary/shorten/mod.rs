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
pub use units::Units;

use crate::Result;
use crate::assembly::{Model, Shortening};
use crate::decode::{DecodeOptions, GuideHandle};
use crate::engine::{EngineOptions, Job, Translate, Translator};
use std::sync::{Arc, Mutex, PoisonError};

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
    /// As in [`DecodeOptions::length_penalty`]: the smaller, the shorter.
    pub length_penalty: f32,
}

impl Default for ShortenOptions {
    fn default() -> Self {
        Self { protect: true, beams: 4, length_penalty: 0.3 }
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

/// What shortens sentences.
pub trait Shorten: Send + Sync {
    /// The model's name.
    fn model(&self) -> &str;

    /// Shortens English sentences, all in one batch, each to at most `most_words` where that is given, or as few as what
    /// is protected takes. A sentence that is short already, that the tokenizer does not take apart at its words, or of which nothing
    /// good is left stays whole.
    ///
    /// # Errors
    /// The engine's own; a sentence that fails alone stays whole.
    fn shorten(&self, sentences: &[String], most_words: Option<usize>) -> Result<Vec<Shortened>>;
}

/// A model that has learned to shorten English sentences, loaded when there is the first one.
pub struct Shortener {
    task: Shortening,
    engine: Mutex<Option<Arc<Translator>>>,
    options: ShortenOptions,
}

impl Shortener {
    /// The shortener that a model has in it; `None` for models that have not learned the task.
    ///
    /// # Errors
    /// An adapter that is damaged or belongs to another model.
    pub fn of(model: &Model, engine: EngineOptions, options: ShortenOptions) -> Result<Option<Self>> {
        let task = model.shortening(engine)?;
        Ok(task.map(|task| Self { task, engine: Mutex::default(), options }))
    }

    /// The engine; whoever comes while it is being loaded waits for it.
    fn engine(&self) -> Result<Arc<Translator>> {
        let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = &*engine {
            return Ok(engine.clone());
        }
        Ok(engine.insert(Arc::new(self.task.engine()?)).clone())
    }

    fn job(&self, id: u64, sentence: &str, most_words: Option<usize>) -> Result<Option<Job>> {
        let words = sentence.split_whitespace().count();
        if words <= SHORT_ENOUGH.min(most_words.unwrap_or(usize::MAX)) {
            return Ok(None);
        }
        let Some(units) = Units::of(sentence, &*self.task.tokenizer)? else { return Ok(None) };
        let guide = DeletionGuide::new(&units, &self.task.ends, self.options.protect);
        let guide = match most_words.filter(|&most| most < words) {
            Some(most) => guide.within(most),
            None => guide,
        };
        let options = DecodeOptions {
            beams: self.options.beams,
            length_penalty: self.options.length_penalty,
            max_new_tokens: Some(units.tokens() + 8),
            guide: Some(GuideHandle(Arc::new(guide))),
            ..DecodeOptions::default()
        };
        Ok(Some(Job { id, text: sentence.to_string(), options: Some(options) }))
    }
}

impl Shorten for Shortener {
    fn model(&self) -> &str {
        &self.task.identity.id
    }

    fn shorten(&self, sentences: &[String], most_words: Option<usize>) -> Result<Vec<Shortened>> {
        let mut jobs = Vec::new();
        for (index, sentence) in sentences.iter().enumerate() {
            if let Some(job) = self.job(index as u64, sentence, most_words)? {
                jobs.push(job);
            }
        }
        let mut out: Vec<Shortened> = sentences.iter().map(|s| Shortened { text: s.clone(), changed: false }).collect();
        if jobs.is_empty() {
            return Ok(out);
        }
        self.engine()?.translate_stream(&mut jobs.into_iter(), &mut |id, outcome| {
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
}

/// The model's answer with case, articles and spaces put right, or the sentence where little or nothing was left out.
fn accept(sentence: &str, answer: &str) -> Shortened {
    let words = |text: &str| text.split_whitespace().count();
    let text = tidy::tidy(sentence, answer);
    let few = words(&text) < 3 || words(&text) as f64 > HARDLY_SHORTER * words(sentence) as f64;
    if few || is_fragment(sentence, &text) {
        Shortened { text: sentence.to_string(), changed: false }
    } else {
        Shortened { text, changed: true }
    }
}

/// "After the match." of "After the match, he resigned.": what leads up to the sentence's matter, without it.
fn is_fragment(sentence: &str, text: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        text.split_whitespace().map(bare).collect()
    };
    let Some((opening, _)) = sentence.split_once(',') else { return false };
    let (opening, kept) = (words(opening), words(text));
    let mut rest = opening.iter();
    opening.first().is_some_and(|word| protect::leads_up(word))
        && kept.first() == opening.first()
        && kept.iter().all(|word| rest.any(|other| other == word))
}

#[cfg(test)]
mod tests {
    use super::accept;

    #[test]
    fn an_opening_without_what_it_leads_up_to_is_no_sentence() {
        let sentence = "After being introduced to his two old dogs, Sanchez made them a large meal at home in London.";
        for (answer, changed) in [
            ("After being introduced to his dogs.", false),
            ("After being introduced to his dogs, Sanchez made them a meal.", true),
            ("Sanchez made them a meal at home.", true),
        ] {
            assert_eq!(accept(sentence, answer).changed, changed, "{answer}");
        }
        let sentence = "The minister of finance resigned, as he had told the members of his party the day before.";
        assert!(accept(sentence, "The minister resigned.").changed);
    }
}
