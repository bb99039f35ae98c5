//! The batcher: sentences in, hypotheses out, in whatever order they finish.
//!
//! [`Translate`] is what the pipeline and the bulk job see; it says nothing about models.
mod memory;
mod options;
mod prepared;
mod prompt;
mod stats;
mod stream;
#[cfg(test)]
mod tests;
mod translator;
mod worker;
pub use options::EngineOptions;
pub use prompt::{Chat, Hints, Prompt, Slot, Terms};
pub use stats::EngineStats;
pub use translator::{Preparation, Translator};

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
    /// The translation.
    pub text: String,
    /// Mean log-probability of the generated tokens (natural log), end of sentence included.
    pub score: f32,
    /// Tokens read.
    pub source_tokens: usize,
    /// Tokens generated.
    pub target_tokens: usize,
    /// Into how many parts the sentence had to be split (1: not split).
    pub parts: usize,
    /// Decoding hit the length limit before the model ended the sentence.
    pub truncated: bool,
    /// How sure the model was, token by token.
    pub trace: crate::decode::Trace,
    /// Other hypotheses, best first, when asked for ([`crate::decode::DecodeOptions::alternatives`]).
    pub alternatives: Vec<(String, f32)>,
}

/// What a supply of jobs (or sentences) has to say to a worker with room.
#[derive(Debug)]
pub enum Supply<T = Job> {
    /// The next one.
    Job(T),
    /// None at the moment; ask again after the next step.
    NotNow,
    /// There will be none.
    End,
}

/// Where a translator takes its jobs from.
pub trait Jobs: Send {
    /// The next job. `idle`: the worker has nothing else to do and may be kept waiting for a while; else the answer must
    /// come at once.
    fn next_job(&mut self, idle: bool) -> Supply;
}

/// A plain sequence of jobs.
pub(crate) struct Plain<'a>(pub &'a mut (dyn Iterator<Item = Job> + Send));

impl Jobs for Plain<'_> {
    fn next_job(&mut self, _idle: bool) -> Supply {
        self.0.next().map_or(Supply::End, Supply::Job)
    }
}

/// How full batches were: sums over all steps since the translator was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct BatchFill {
    /// Steps of the network.
    pub steps: u64,
    /// Hypotheses that grew.
    pub hypotheses: u64,
    /// Hypotheses that have room in one step of one worker.
    pub room: u64,
    /// Tokens of sentences that the network computed, …
    pub tokens: u64,
    /// … and rows that it computed for them: more than tokens if it pads.
    pub rows: u64,
}

impl BatchFill {
    /// What was done since an earlier look.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            steps: self.steps - earlier.steps,
            hypotheses: self.hypotheses - earlier.hypotheses,
            room: self.room,
            tokens: self.tokens - earlier.tokens,
            rows: self.rows - earlier.rows,
        }
    }

    /// Share of the room that was used.
    pub fn occupancy(&self) -> f64 {
        self.hypotheses as f64 / (self.steps * self.room).max(1) as f64
    }

    /// Share of real tokens in what was computed.
    pub fn real_tokens(&self) -> f64 {
        self.tokens as f64 / self.rows.max(1) as f64
    }
}

/// Who translated: enough to tell two outputs apart and to key a cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelIdentity {
    /// Manifest id, or the file's or folder's name.
    pub id: String,
    /// SHA-256 of the weights (or of what identifies them: file sizes and digests), hex.
    pub digest: String,
    /// The family of networks, as manifests have it.
    pub architecture: String,
    /// How the weights are computed with: "int8", "f32", …
    pub compute: String,
}

/// A thing that translates sentences: many at a time, each by itself.
///
/// The same text, model and options give the same outcome whatever else is in the batch.
///
/// An implementation has a [`translate_supply`](Self::translate_supply) of its own or, if it cannot wait, a
/// [`translate_stream`](Self::translate_stream): each is there in terms of the other.
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
    ) -> Result<()> {
        self.translate_supply(&mut Plain(jobs), done)
    }

    /// Like [`translate_stream`](Self::translate_stream) for a supply that may have nothing for a while: workers go on
    /// with what they have and ask again, so that batches fill up as soon as there is something.
    fn translate_supply(
        &self,
        jobs: &mut dyn Jobs,
        done: &mut (dyn FnMut(u64, Result<Outcome>) -> bool + Send),
    ) -> Result<()> {
        let (mut ended, mut going_on) = (false, true);
        while !ended && going_on {
            let mut given = false;
            let mut some = std::iter::from_fn(|| {
                loop {
                    match jobs.next_job(true) {
                        Supply::Job(job) => {
                            given = true;
                            return Some(job);
                        }
                        Supply::NotNow if given => return None,
                        Supply::NotNow => {}
                        Supply::End => {
                            ended = true;
                            return None;
                        }
                    }
                }
            });
            self.translate_stream(&mut some, &mut |id, outcome| {
                going_on = done(id, outcome);
                going_on
            })?;
        }
        Ok(())
    }

    /// How full batches were so far; `None` where that is not known.
    fn batch_fill(&self) -> Option<BatchFill> {
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
