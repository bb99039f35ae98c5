//! Greedy search and sampling: hypotheses that grow independently of one another.
use super::{
    DecodeOptions, Sampling,
    columns::Columns,
    constraint::{Constraints, Context},
    loop_guard::is_loop,
    search::{Bounds, Fork, Hypothesis, Search, broken_logits, with_scratch},
    trace::{Trace, entropy},
};
use crate::{
    Result,
    kernels::{Level, rows},
};
use candle_core::{Device, Tensor};
use candle_transformers::generation::{LogitsProcessor, Sampling as Draw};
use std::sync::Arc;

/// Greedy search (one hypothesis), or sampling (one or several).
pub(crate) struct Independent {
    bounds: Bounds,
    constraints: Arc<Constraints>,
    loop_guard: bool,
    /// Of the running hypotheses, in the order of the last call's forks; before it: of all to come.
    running: Vec<Running>,
    started: bool,
    finished: Vec<Hypothesis>,
}

struct Running {
    log_prob: f32,
    trace: Trace,
    sampler: Option<LogitsProcessor>,
}

impl Independent {
    /// `prompt` makes the draws of different sentences differ though they have the same seed.
    pub fn new(bounds: Bounds, options: &DecodeOptions, constraints: Arc<Constraints>, prompt: &[u32]) -> Self {
        let running = match &options.sampling {
            None => vec![Running { log_prob: 0.0, trace: Trace::default(), sampler: None }],
            Some(sampling) => (0..=options.alternatives as u64)
                .map(|i| Running {
                    log_prob: 0.0,
                    trace: Trace::default(),
                    sampler: Some(sampler(sampling, prompt, i)),
                })
                .collect(),
        };
        Self { bounds, constraints, loop_guard: options.loop_guard, running, started: false, finished: Vec::new() }
    }
}

/// A sampler whose draws depend on the job alone: its seed, its tokens and the number of the sample.
fn sampler(sampling: &Sampling, prompt: &[u32], number: u64) -> LogitsProcessor {
    // FNV-1a: a fixed, documented hash, so that a seed means the same in every version.
    let seed = prompt
        .iter()
        .map(|&t| u64::from(t))
        .chain([number])
        .fold(0xcbf2_9ce4_8422_2325 ^ sampling.seed, |hash, x| (hash ^ x).wrapping_mul(0x0000_0100_0000_01b3));
    let temperature = sampling.temperature;
    let draw = match (sampling.top_k, sampling.top_p) {
        _ if temperature < 1e-7 => Draw::ArgMax,
        (None, None) => Draw::All { temperature },
        (Some(k), None) => Draw::TopK { k, temperature },
        (None, Some(p)) => Draw::TopP { p, temperature },
        (Some(k), Some(p)) => Draw::TopKThenTopP { k, p, temperature },
    };
    LogitsProcessor::from_sampling(seed, draw)
}

impl Search for Independent {
    fn advance(&mut self, columns: &Columns, histories: &[&[u32]], logits: &[&[f32]]) -> Result<Vec<Fork>> {
        let first = !std::mem::replace(&mut self.started, true);
        let mut forks = Vec::with_capacity(self.running.len());
        let mut still_running = Vec::with_capacity(self.running.len());
        for (index, mut running) in std::mem::take(&mut self.running).into_iter().enumerate() {
            let parent = if first { 0 } else { index };
            let (history, row) = (histories[parent], logits[parent]);
            let context = Context { history, prompt: self.bounds.prompt, max_length: self.bounds.max_length, columns };
            let (column, log_prob, entropy) = choose(&self.constraints, &context, row, running.sampler.as_mut())?;
            running.log_prob += log_prob;
            running.trace = running.trace.with(log_prob, entropy);
            let token = columns.id(column);
            match self.end_of(history, token) {
                None => {
                    forks.push(Fork { parent, token });
                    still_running.push(running);
                }
                Some(truncated) => {
                    let mut tokens = history[self.bounds.prompt..].to_vec();
                    tokens.push(token);
                    let score = running.log_prob / tokens.len() as f32;
                    let Running { log_prob, trace, .. } = running;
                    self.finished.push(Hypothesis { tokens, score, log_prob, truncated, trace });
                }
            }
        }
        self.running = still_running;
        Ok(forks)
    }

    fn finish(&mut self) -> Vec<Hypothesis> {
        let mut all = std::mem::take(&mut self.finished);
        all.sort_by(|a, b| b.score.total_cmp(&a.score));
        all
    }
}

impl Independent {
    /// Whether `history` and `token` make a finished hypothesis, and a truncated one.
    fn end_of(&self, history: &[u32], token: u32) -> Option<bool> {
        if self.bounds.eos.contains(&token) {
            return Some(false);
        }
        if history.len() + 1 >= self.bounds.max_length {
            return Some(true);
        }
        if self.loop_guard {
            let generated = &history[self.bounds.prompt..];
            let mut tail: Vec<u32> = generated[generated.len().saturating_sub(31)..].to_vec();
            tail.push(token);
            return is_loop(&tail).then_some(true);
        }
        None
    }
}

/// The next token's column, its log-probability under the model (not under the constraints), and the entropy of the choice.
fn choose(
    constraints: &Constraints,
    context: &Context,
    row: &[f32],
    sampler: Option<&mut LogitsProcessor>,
) -> Result<(usize, f32, f32)> {
    let level = Level::detect();
    let log_sum = rows::log_sum_exp(level, row);
    if !log_sum.is_finite() {
        return Err(broken_logits());
    }
    let column = match sampler {
        None if !constraints.applies(context) => rows::argmax(level, row),
        None => with_scratch(|scratch| {
            let scores = constraints.apply(context, row, scratch);
            let best = rows::argmax(level, scores);
            // All forbidden: any token is as bad, so take the model's own.
            if scores[best] == f32::NEG_INFINITY { rows::argmax(level, row) } else { best }
        }),
        Some(sampler) => {
            let mut scores = row.to_vec();
            constraints.apply_in_place(context, &mut scores);
            let length = scores.len();
            sampler.sample(&Tensor::from_vec(scores, length, &Device::Cpu)?)? as usize
        }
    };
    Ok((column, row[column] - log_sum, entropy(row, log_sum)))
}
