//! Decoding, written once for every model: greedy, beam search and sampling over the [`Generator`] trait.
pub mod generator;
pub use generator::{Cache, Generator, GeneratorSpec, StepBatch};
use serde::{Deserialize, Serialize};

/// How hypotheses are searched for. The names and meanings are those of `generation_config.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DecodeOptions {
    /// 1 is greedy.
    pub beams: usize,
    /// Hypotheses returned beside the best (at most `beams - 1`, or samples).
    pub alternatives: usize,
    /// Score is divided by length^penalty.
    pub length_penalty: f32,
    pub early_stopping: bool,
    /// 0 is off.
    pub no_repeat_ngram: usize,
    /// 1.0 is off.
    pub repetition_penalty: f32,
    /// Tokens generated, the end token included, forced start tokens not included.
    pub min_new_tokens: usize,
    /// `None`: the model's limit, or a bound that follows the source's length.
    pub max_new_tokens: Option<usize>,
    /// Token ids forced at the start (target language) after the decoder start token.
    pub forced_bos: Option<u32>,
    /// Token forced at `max_new_tokens`.
    pub forced_eos: Option<u32>,
    /// Sequences that must not be generated.
    pub bad_words: Vec<Vec<u32>>,
    /// Sampling: `None` is off (greedy or beam).
    pub sampling: Option<Sampling>,
}

/// Random sampling instead of search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    pub temperature: f64,
    pub top_k: Option<usize>,
    pub top_p: Option<f64>,
    pub seed: u64,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            beams: 1,
            alternatives: 0,
            length_penalty: 1.0,
            early_stopping: false,
            no_repeat_ngram: 0,
            repetition_penalty: 1.0,
            min_new_tokens: 0,
            max_new_tokens: None,
            forced_bos: None,
            forced_eos: None,
            bad_words: Vec::new(),
            sampling: None,
        }
    }
}
