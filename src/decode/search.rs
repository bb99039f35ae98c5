//! What greedy search, sampling and beam search have in common.
use super::{columns::Columns, trace::Trace};
use crate::error::ModelError;
use crate::{Error, Result};
use candle_core::{Device, Storage, Tensor};
use std::cell::RefCell;

/// A finished output of the decoder.
#[derive(Debug, Clone, PartialEq)]
pub struct Hypothesis {
    /// Generated tokens: forced start and end token included, prompt and decoder start not (what transformers
    /// returns after the prompt, without padding).
    pub tokens: Vec<u32>,
    /// Σ log-probability / length^penalty, transformers' `sequences_scores`; forced tokens count as 0.
    /// Greedy search and sampling divide by the length.
    pub score: f32,
    /// Σ log-probability (natural log) over the columns of the output.
    pub log_prob: f32,
    /// It did not end by itself: the length limit or the loop guard stopped it.
    pub truncated: bool,
    /// How sure the model was, token by token.
    pub trace: Trace,
}

impl Hypothesis {
    /// Mean log-probability of a generated token.
    pub fn mean_log_prob(&self) -> f32 {
        self.log_prob / self.tokens.len().max(1) as f32
    }
}

/// A hypothesis of the next step: `parent` (index into the present ones) grown by `token`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fork {
    pub parent: usize,
    pub token: u32,
}

/// What a search must know of the sentence.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    /// Tokens of the prompt (or decoder start), which are not part of the output.
    pub prompt: usize,
    /// Most tokens of prompt and output together.
    pub max_length: usize,
    pub eos: Vec<u32>,
}

/// The state of one sentence's search.
pub(crate) trait Search: Send {
    /// Takes the logits of each running hypothesis, whose tokens (prompt first) are in `histories`, and returns
    /// the hypotheses to run next, in an order that the next call keeps to. Empty: the search is over.
    /// At the first call there is one hypothesis, the prompt.
    fn advance(&mut self, columns: &Columns, histories: &[&[u32]], logits: &[&[f32]]) -> Result<Vec<Fork>>;

    /// All results, best first, never empty once the search is over.
    fn finish(&mut self) -> Vec<Hypothesis>;
}

/// Lends a buffer that the thread keeps: a row of scores is too big to allocate at every step.
pub(crate) fn with_scratch<R>(work: impl FnOnce(&mut Vec<f32>) -> R) -> R {
    thread_local!(static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) });
    SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
        Ok(mut scratch) => work(&mut scratch),
        Err(_) => work(&mut Vec::new()),
    })
}

/// The error for logits that are not numbers.
pub(crate) fn broken_logits() -> Error {
    Error::Model(ModelError::Computed(
        "the model computed NaN or only −∞ for the next token; its weights are damaged or overflow in this precision: \
         run `anubad model verify`, or load them as f32"
            .into(),
    ))
}

/// Calls `work` with the logits on the host and their number of columns.
pub(crate) fn with_rows<R>(logits: &Tensor, work: impl FnOnce(&[f32], usize) -> R) -> Result<R> {
    let logits = logits.to_device(&Device::Cpu)?.contiguous()?;
    let (_, width) = logits.dims2()?;
    let (storage, layout) = logits.storage_and_layout();
    let Storage::Cpu(storage) = &*storage else {
        return Err(Error::Model(ModelError::Defect("the logits did not reach the host".into()))); // to_device(Cpu) returned
    };
    let values = storage.as_slice::<f32>()?;
    let offset = layout.start_offset();
    Ok(work(&values[offset..offset + logits.elem_count()], width))
}
