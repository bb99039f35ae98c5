//! The batcher: sentences in, hypotheses out, in whatever order they finish.
//!
//! [`Translate`] is what the pipeline and the bulk job see; it says nothing about models.
mod options;
mod stats;
#[cfg(test)]
mod tests;
mod translator;
mod worker;
pub use options::{EngineOptions, Prompt};
pub use stats::EngineStats;
pub use translator::Translator;

use crate::Result;
use serde::{Deserialize, Serialize};

/// One sentence to translate.
#[derive(Debug, Clone)]
pub struct Job {
    /// The caller's own number; comes back with the outcome.
    pub id: u64,
    /// One sentence or short passage in Bengali. It may be longer than the model takes: the engine
    /// then splits it, joins the parts and sets [`Outcome::parts`].
    pub text: String,
    /// Decoding options for this job alone; `None` takes the translator's.
    pub options: Option<crate::decode::DecodeOptions>,
}

/// One sentence translated.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub text: String,
    /// Mean log-probability of the generated tokens (natural log), end of sentence included.
    pub score: f32,
    /// Tokens read and tokens generated.
    pub source_tokens: usize,
    pub target_tokens: usize,
    /// Into how many parts the sentence had to be split (1: not split).
    pub parts: usize,
    /// Decoding hit the length limit before the model ended the sentence.
    pub truncated: bool,
    /// Other hypotheses, best first, when asked for ([`crate::decode::DecodeOptions::alternatives`]).
    pub alternatives: Vec<(String, f32)>,
}

/// Who translated: enough to tell two outputs apart and to key a cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelIdentity {
    /// Manifest id, or the file's or folder's name.
    pub id: String,
    /// SHA-256 of the weights (or of what identifies them: file sizes and digests), hex.
    pub digest: String,
    pub architecture: String,
    /// How the weights are computed with: "int8", "f32", …
    pub compute: String,
}

/// A thing that translates sentences: many at a time, each by itself.
///
/// The same text, model and options give the same outcome whatever else is in the batch.
pub trait Translate: Send + Sync {
    /// Who translates.
    fn identity(&self) -> &ModelIdentity;

    /// How jobs are decoded that have no options of their own; what a retry departs from.
    fn decode_options(&self) -> crate::decode::DecodeOptions {
        crate::decode::DecodeOptions::default()
    }

    /// Pulls jobs as it has room for them and reports each as soon as it is finished, from any thread
    /// but never from two at once. `jobs` should not wait long for its next job: a worker waits with it. A job that fails (even by a panic) reports its error and stops nothing else.
    /// `done` returns false to stop early.
    fn translate_stream(
        &self,
        jobs: &mut (dyn Iterator<Item = Job> + Send),
        done: &mut (dyn FnMut(u64, Result<Outcome>) -> bool + Send),
    ) -> Result<()>;

    /// How many hypotheses grew together in a step so far, on average, and how many have room; `None` where that is not
    /// known. No step has padding in it.
    fn batch_fill(&self) -> Option<(f64, usize)> {
        None
    }

    /// Convenience: all sentences of a slice, results in its order.
    fn translate_all(&self, texts: &[String]) -> Result<Vec<Result<Outcome>>> {
        let mut out: Vec<Option<Result<Outcome>>> = texts.iter().map(|_| None).collect();
        let mut jobs = texts.iter().enumerate().map(|(i, t)| Job { id: i as u64, text: t.clone(), options: None });
        self.translate_stream(&mut jobs, &mut |id, outcome| {
            out[id as usize] = Some(outcome);
            true
        })?;
        Ok(out.into_iter().map(|o| o.unwrap_or(Err(crate::Error::Interrupted))).collect())
    }
}
