//! Beam search as transformers 5 does it (`GenerationMixin._beam_search`), one sentence at a time.
//!
//! Of the continuations of all running hypotheses, the best (1 + number of end tokens) × beams are looked at.
//! Those among the best `beams` that end are finished, with their score divided by length^penalty, the others
//! run on. Constraints change log-probabilities, and what they leave is not normalized again.
use super::{
    DecodeOptions, EarlyStopping,
    columns::Columns,
    constraint::{Constraints, Context},
    loop_guard::is_loop,
    search::{Bounds, Fork, Hypothesis, Search, broken_logits, with_scratch},
    top_k::top_k,
    trace::{Others, Trace, entropy},
};
use crate::{
    Result,
    kernels::{Level, rows},
};
use std::sync::Arc;

/// The state of one sentence's beam search.
pub(crate) struct Beam {
    bounds: Bounds,
    constraints: Arc<Constraints>,
    beams: usize,
    length_penalty: f32,
    early_stopping: EarlyStopping,
    loop_guard: bool,
    /// Σ log-probability of the running hypotheses.
    running: Vec<f32>,
    /// Their traces.
    traces: Vec<Trace>,
    /// At most `beams`, best first.
    finished: Vec<Hypothesis>,
    /// The best hypothesis that the loop guard stopped: the result when nothing better ever ends. A loop is
    /// very probable to the model and would otherwise crowd out what makes sense.
    looped: Option<Hypothesis>,
}

/// A continuation of a running hypothesis.
#[derive(Clone, Copy)]
struct Candidate {
    score: f32,
    parent: usize,
    column: u32,
    /// Of the choice that it comes from.
    entropy: f32,
}

/// How a continuation ends.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// With an end token.
    Eos,
    /// At the length limit.
    Limit,
    /// In a loop.
    Loop,
}

impl Beam {
    pub fn new(bounds: Bounds, options: &DecodeOptions, constraints: Arc<Constraints>) -> Self {
        Self {
            bounds,
            constraints,
            beams: options.beams,
            length_penalty: options.length_penalty,
            early_stopping: options.early_stopping,
            loop_guard: options.loop_guard,
            running: vec![0.0],
            traces: vec![Trace::default()],
            finished: Vec::new(),
            looped: None,
        }
    }

    /// The best continuations of all running hypotheses, best first.
    fn candidates(&self, columns: &Columns, histories: &[&[u32]], logits: &[&[f32]]) -> Result<Vec<Candidate>> {
        let keep = (1 + self.bounds.eos.len()).max(2) * self.beams;
        let mut all = Vec::with_capacity(keep * histories.len());
        let mut best = Vec::with_capacity(keep + 1);
        for (parent, (&history, &row)) in histories.iter().zip(logits).enumerate() {
            let log_sum = rows::log_sum_exp(Level::detect(), row);
            if !log_sum.is_finite() {
                return Err(broken_logits());
            }
            let log_probability = |logit: f32| logit - log_sum;
            let context = Context { history, prompt: self.bounds.prompt, max_length: self.bounds.max_length, columns };
            let so_far = self.running[parent];
            let entropy = entropy(row, log_sum);
            if self.constraints.applies(&context) {
                with_scratch(|scratch| {
                    scratch.clear();
                    scratch.extend(row.iter().map(|&logit| log_probability(logit)));
                    self.constraints.apply_in_place(&context, scratch);
                    top_k(scratch, keep, &mut best);
                });
                all.extend(best.iter().map(|&(score, column)| Candidate {
                    score: score + so_far,
                    parent,
                    column,
                    entropy,
                }));
            } else {
                // The best logits are the best log-probabilities.
                top_k(row, keep, &mut best);
                all.extend(best.iter().map(|&(logit, column)| Candidate {
                    score: log_probability(logit) + so_far,
                    parent,
                    column,
                    entropy,
                }));
            }
        }
        // Stable: the lower hypothesis and column come first among equals.
        all.sort_by(|a, b| b.score.total_cmp(&a.score));
        all.truncate(keep);
        Ok(all)
    }

    fn end_of(&self, tokens: &[u32]) -> Option<End> {
        let generated = &tokens[self.bounds.prompt..];
        if generated.last().is_some_and(|token| self.bounds.eos.contains(token)) {
            Some(End::Eos)
        } else if tokens.len() >= self.bounds.max_length {
            Some(End::Limit)
        } else if self.loop_guard && is_loop(generated) {
            Some(End::Loop)
        } else {
            None
        }
    }

    fn penalized(&self, log_prob: f32, length: usize) -> f32 {
        log_prob / (length as f32).powf(self.length_penalty)
    }

    /// Keeps the best `beams` finished hypotheses; the earlier one first among equals.
    fn add_finished(&mut self, hypothesis: Hypothesis) {
        let place = self.finished.partition_point(|other| other.score >= hypothesis.score);
        self.finished.insert(place, hypothesis);
        self.finished.truncate(self.beams);
    }

    /// No running hypothesis is expected to beat the worst finished one; `generated` tokens are there by now.
    fn is_content(&self, generated: usize) -> bool {
        let Some(best) = self.running.first() else { return true };
        if self.finished.len() < self.beams {
            return false;
        }
        let worst = self.finished[self.beams - 1].score;
        match self.early_stopping {
            EarlyStopping::Enough => true,
            EarlyStopping::Never if self.length_penalty > 0.0 => {
                self.penalized(*best, self.bounds.max_length - self.bounds.prompt) <= worst
            }
            _ => self.penalized(*best, generated) <= worst,
        }
    }
}

impl Search for Beam {
    fn advance(&mut self, columns: &Columns, histories: &[&[u32]], logits: &[&[f32]]) -> Result<Vec<Fork>> {
        let candidates = self.candidates(columns, histories, logits)?;
        let mut forks = Vec::with_capacity(self.beams);
        let mut scores = Vec::with_capacity(self.beams);
        let mut traces = Vec::with_capacity(self.beams);
        let mut tokens = Vec::new();
        for (rank, &Candidate { score, parent, column, entropy }) in candidates.iter().enumerate() {
            let token = columns.id(column as usize);
            tokens.clear();
            tokens.extend_from_slice(histories[parent]);
            tokens.push(token);
            let trace = self.traces[parent].with(score - self.running[parent], entropy);
            let Some(end) = self.end_of(&tokens) else {
                if forks.len() < self.beams {
                    forks.push(Fork { parent, token });
                    scores.push(score);
                    traces.push(trace);
                }
                continue;
            };
            // Only the best `beams` may finish; the rest is there to fill up the running ones.
            if rank >= self.beams {
                continue;
            }
            let generated = tokens[self.bounds.prompt..].to_vec();
            let hypothesis = Hypothesis {
                score: self.penalized(score, generated.len()),
                log_prob: score,
                truncated: end != End::Eos,
                tokens: generated,
                trace,
            };
            if end != End::Loop {
                self.add_finished(hypothesis);
            } else if self.looped.as_ref().is_none_or(|other| other.score < hypothesis.score) {
                self.looped = Some(hypothesis);
            }
        }
        let (best_so_far, best_trace) = (self.running[0], self.traces[0]);
        (self.running, self.traces) = (scores, traces);
        let generated = histories[0].len() + 1 - self.bounds.prompt;
        if self.is_content(generated) {
            forks.clear();
        }
        if forks.is_empty() && self.finished.is_empty() && self.looped.is_none() {
            // The constraints forbid every continuation: what is there so far must do.
            let (tokens, log_prob) = (histories[0][self.bounds.prompt..].to_vec(), best_so_far);
            let score = self.penalized(log_prob, tokens.len().max(1));
            self.finished.push(Hypothesis { tokens, score, log_prob, truncated: true, trace: best_trace });
        }
        Ok(forks)
    }

    fn finish(&mut self) -> Vec<Hypothesis> {
        let mut all = std::mem::take(&mut self.finished);
        if all.is_empty() {
            all.extend(self.looped.take());
        }
        if let [best, others @ ..] = &mut all[..] {
            let others: Vec<(f32, &[u32])> =
                others.iter().map(|other| (other.score, other.tokens.as_slice())).collect();
            best.trace = best.trace.beside(Others::compare((best.score, &best.tokens), &others));
        }
        all
    }
}
