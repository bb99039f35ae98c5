//! Self- and cross-attention of an encoder–decoder over flat tokens.
use super::weights::Weights;
use crate::decode::StepBatch;
use crate::error::InputError;
use crate::kernels::Level;
use crate::model::layers::attention::AttentionShape;
use crate::model::layers::{AttentionRows, HeadSlice, KvStore, Linear, RelativeBias, Rotary, attend};
use crate::{Error, Result};
use candle_core::{Device, Tensor};

/// Names and sizes of one attention.
pub(super) struct AttentionNames<'a> {
    /// The four projections: queries, keys, values, output.
    pub projections: [&'a str; 4],
    pub bias: bool,
    pub d: usize,
    pub heads: usize,
    pub dim: usize,
    pub scale: f32,
}

/// Head slices and sizes that both kinds of attention need.
#[derive(Clone, Copy)]
struct Heads {
    heads: usize,
    dim: usize,
    scale: f32,
    level: Level,
}

impl Heads {
    fn new(names: &AttentionNames<'_>, level: Level) -> Self {
        Self { heads: names.heads, dim: names.dim, scale: names.scale, level }
    }

    /// The `index`-th block of a fused projection.
    fn slice<'r>(&self, index: usize, rotary: Option<&'r Rotary>) -> HeadSlice<'r> {
        HeadSlice {
            offset: index * self.width(),
            heads: self.heads,
            dim: self.dim,
            norm: None,
            norm_last: false,
            rotary,
        }
    }

    fn width(&self) -> usize {
        self.heads * self.dim
    }

    fn shape(&self) -> AttentionShape {
        AttentionShape {
            heads: self.heads,
            kv_heads: self.heads,
            head_dim: self.dim,
            scale: self.scale,
            window: None,
            softcap: None,
        }
    }
}

/// Sources flattened: each token with its position and its sentence's span.
pub(super) struct Sources {
    pub tokens: Vec<u32>,
    pub positions: Vec<u32>,
    /// (first token, length) of each token's sentence.
    pub spans: Vec<(u32, u32)>,
}

impl Sources {
    /// # Errors
    /// An empty source.
    pub fn new(sources: &[&[u32]]) -> Result<Self> {
        let mut flat = Self { tokens: Vec::new(), positions: Vec::new(), spans: Vec::new() };
        for source in sources {
            if source.is_empty() {
                return Err(Error::Input(InputError::Empty("a source without tokens cannot be encoded".into())));
            }
            let (first, len) = (flat.tokens.len() as u32, source.len() as u32);
            flat.tokens.extend_from_slice(source);
            flat.positions.extend(0..len);
            flat.spans.extend(std::iter::repeat_n((first, len), source.len()));
        }
        Ok(flat)
    }
}

/// Attention of a sequence over itself.
pub(super) struct SelfAttention {
    qkv: Linear,
    output: Linear,
    heads: Heads,
}

impl SelfAttention {
    pub fn load(weights: &Weights<'_>, prefix: &str, names: &AttentionNames<'_>) -> Result<Self> {
        let heads = Heads::new(names, weights.place.level);
        let full = |i: usize| format!("{prefix}{}", names.projections[i]);
        let inner = heads.width();
        Ok(Self {
            qkv: weights.linear(&[(full(0), inner), (full(1), inner), (full(2), inner)], names.d, names.bias)?,
            output: weights.linear(&[(full(3), names.d)], inner, names.bias)?,
            heads,
        })
    }

    /// On layers that are loaded: the fused projection to queries, keys and values, and the output.
    pub fn on(qkv: Linear, output: Linear, names: &AttentionNames<'_>, level: Level) -> Self {
        Self { qkv, output, heads: Heads::new(names, level) }
    }

    /// Every source over itself (encoder).
    pub fn encode(
        &self,
        x: &Tensor,
        sources: &Sources,
        rotary: Option<&Rotary>,
        bias: Option<&RelativeBias>,
    ) -> Result<Tensor> {
        let Heads { level, .. } = self.heads;
        let qkv = self.qkv.forward(x)?;
        let extract = |i, rotary| self.heads.slice(i, rotary).extract(&qkv, &sources.positions, level);
        let store = KvStore { k: extract(1, rotary)?, v: extract(2, None)? };
        let rows = AttentionRows::Contiguous { spans: &sources.spans };
        let bias = bias.map(|bias| (bias, &sources.positions[..]));
        self.output.forward(&attend(&extract(0, rotary)?, &store, rows, self.heads.shape(), bias, level)?)
    }

    /// Every token over the rows of its hypothesis, its own row written first (decoder).
    pub fn step(
        &self,
        x: &Tensor,
        batch: &StepBatch,
        store: &KvStore,
        rotary: Option<&Rotary>,
        bias: Option<&RelativeBias>,
    ) -> Result<Tensor> {
        let Heads { level, .. } = self.heads;
        let qkv = self.qkv.forward(x)?;
        self.heads.slice(1, rotary).store(&qkv, &batch.positions, &store.k, &batch.rows, level)?;
        self.heads.slice(2, None).store(&qkv, &batch.positions, &store.v, &batch.rows, level)?;
        let q = self.heads.slice(0, rotary).extract(&qkv, &batch.positions, level)?;
        let rows = AttentionRows::Table { tables: &batch.tables, spans: &batch.spans };
        let bias = bias.map(|bias| (bias, &batch.positions[..]));
        self.output.forward(&attend(&q, store, rows, self.heads.shape(), bias, level)?)
    }

    pub fn size(&self) -> usize {
        self.qkv.size() + self.output.size()
    }
}

/// Attention of the decoder over encoder states, whose keys and values are kept in memory rows.
pub(super) struct CrossAttention {
    q: Linear,
    kv: Linear,
    output: Linear,
    heads: Heads,
}

impl CrossAttention {
    pub fn load(weights: &Weights<'_>, prefix: &str, names: &AttentionNames<'_>) -> Result<Self> {
        let heads = Heads::new(names, weights.place.level);
        let full = |i: usize| format!("{prefix}{}", names.projections[i]);
        let inner = heads.width();
        Ok(Self {
            q: weights.linear(&[(full(0), inner)], names.d, names.bias)?,
            kv: weights.linear(&[(full(1), inner), (full(2), inner)], names.d, names.bias)?,
            output: weights.linear(&[(full(3), names.d)], inner, names.bias)?,
            heads,
        })
    }

    /// On layers that are loaded: queries, fused keys and values, output.
    pub fn on(q: Linear, kv: Linear, output: Linear, names: &AttentionNames<'_>, level: Level) -> Self {
        Self { q, kv, output, heads: Heads::new(names, level) }
    }

    /// A store of `rows` memory rows.
    pub fn new_store(&self, rows: usize, device: &Device) -> Result<KvStore> {
        KvStore::new(rows, self.heads.width(), device)
    }

    /// Computes keys and values of encoder states and keeps them, state i in row `rows[i]`.
    pub fn remember(&self, states: &Tensor, rows: &[u32], store: &KvStore) -> Result<()> {
        let kv = self.kv.forward(states)?;
        self.heads.slice(0, None).store(&kv, &[], &store.k, rows, self.heads.level)?;
        self.heads.slice(1, None).store(&kv, &[], &store.v, rows, self.heads.level)
    }

    /// Every token over its sentence's memory rows (first, length).
    pub fn forward(&self, x: &Tensor, memory: &[(u32, u32)], store: &KvStore) -> Result<Tensor> {
        let q = self.q.forward(x)?;
        let rows = AttentionRows::Contiguous { spans: memory };
        self.output.forward(&attend(&q, store, rows, self.heads.shape(), None, self.heads.level)?)
    }

    pub fn size(&self) -> usize {
        self.q.size() + self.kv.size() + self.output.size()
    }
}
