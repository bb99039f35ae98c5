//! What a network offers to the decoder: encode sources, feed tokens, say the logits.
//!
//! Nothing here is padded. A step is a flat list of tokens, of any mix of sequences: prompts being
//! read and hypotheses being grown. Each token names the cache row that its keys and values go to and,
//! through a table of row numbers, the rows that it attends to, in order of position, itself last.
//! A beam is forked by copying its table, never its keys and values.
use crate::Result;
use candle_core::Tensor;
use std::any::Any;

/// What the decoder must know of a network. Fill in what you know and take the rest from `Default`.
#[derive(Debug, Clone, Default)]
pub struct GeneratorSpec {
    /// Number of token ids, the length of a row of logits.
    pub vocab_size: usize,
    /// Encoder–decoder: sources are encoded with [`Generator::encode`] and decoding starts from
    /// `decoder_start`. Decoder-only: the prompt is fed through [`Generator::step`].
    pub encoder_decoder: bool,
    /// The token that decoding starts from.
    pub decoder_start: Option<u32>,
    /// Tokens that end a text.
    pub eos: Vec<u32>,
    /// The token that pads, which is never generated.
    pub pad: Option<u32>,
    /// Most tokens of a source (encoder–decoder), or of prompt and output together (decoder-only).
    pub max_source: usize,
    /// Most tokens of a target.
    pub max_target: usize,
    /// Most tokens of the target for a source of so many tokens, where the model sets its own limit.
    pub target_of_source: Option<fn(usize) -> usize>,
    /// Bytes that one decoder row takes in [`Cache::state`] (all layers, keys and values); 0: not known.
    pub row_bytes: usize,
    /// Bytes that one encoder row takes (cross-attention keys and values of all layers); 0: not known.
    pub memory_row_bytes: usize,
}

/// Key/value store of one decoding session, preallocated.
pub struct Cache {
    /// Rows for the decoder's own keys and values.
    pub rows: usize,
    /// Rows for encoder states (encoder–decoder only).
    pub memory_rows: usize,
    /// The network's tensors.
    pub state: Box<dyn Any + Send>,
}

/// One flat step of `n` tokens. All vectors but `tables` and `outputs` have length `n`.
#[derive(Debug, Clone, Default)]
pub struct StepBatch {
    /// Token ids.
    pub tokens: Vec<u32>,
    /// Position of each token in its own sequence, from 0.
    pub positions: Vec<u32>,
    /// Cache row that each token's keys and values are written to, before anything attends.
    pub rows: Vec<u32>,
    /// Row numbers; the spans below index into it.
    pub tables: Vec<u32>,
    /// For each token (start, length) in `tables`: the rows it attends to, positions 0..length in order,
    /// its own row last. Tokens of one prompt share a table and differ in length.
    pub spans: Vec<(u32, u32)>,
    /// For each token (first memory row, length): the encoder states of its sentence. Empty when decoder-only.
    pub memory: Vec<(u32, u32)>,
    /// Indices of the tokens whose logits are wanted.
    pub outputs: Vec<u32>,
}

/// A network as the decoder sees it. Implemented by every model.
pub trait Generator: Send + Sync {
    /// What the decoder must know of this network.
    fn spec(&self) -> &GeneratorSpec;

    /// Token id of each column of the logits, ascending (`None`: column = id). Shorter than the
    /// vocabulary when the output is restricted to the target language.
    fn output_ids(&self) -> Option<&[u32]>;

    /// Token id of each column of the logits of this source alone, ascending, where every source has its own (a lexical
    /// shortlist): a row of logits is then as long as the longest of the step, and what is beyond its source's is unused.
    fn output_ids_of(&self, _source: &[u32]) -> Option<Vec<u32>> {
        None
    }

    /// A cache of `rows` decoder rows and `memory_rows` encoder rows.
    fn new_cache(&self, rows: usize, memory_rows: usize) -> Result<Cache>;

    /// Encodes sources and keeps their cross-attention keys and values; source `i` occupies the memory rows
    /// from `first_rows[i]` on, one a token. Decoder-only networks return an error.
    fn encode(&self, cache: &mut Cache, sources: &[&[u32]], first_rows: &[u32]) -> Result<()>;

    /// Feeds the tokens of `batch` and returns logits of shape [batch.outputs.len(), columns], f32, on any device.
    fn step(&self, cache: &mut Cache, batch: &StepBatch) -> Result<Tensor>;
}
