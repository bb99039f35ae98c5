//! The decoder-only network over flat, unpadded tokens.
//!
//! Gemma 3 (<https://arxiv.org/abs/2503.19786>): RMS norms before and after attention and feed-forward, tanh-GELU
//! gate, query and key norms, embeddings scaled by √d, five sliding-window layers (rotary base 10,000) to one that
//! sees everything (base 1,000,000). Llama and Qwen leave parts of that out; Gemma 2 caps scores and logits; Hunyuan
//! norms queries and keys after it has turned them.
use super::config::DecoderConfig;
use super::naming::Naming;
use crate::decode::{Cache, Generator, GeneratorSpec, StepBatch};
use crate::error::ModelError;
use crate::model::layers::attention::AttentionShape;
use crate::model::layers::{
    AttentionRows, Embedding, HeadNorm, HeadSlice, KvStore, Linear, Placement, RmsNorm, Rotary, add, attend, composed,
};
use crate::model::weights::TensorSource;
use crate::model::weights::ledger::Ledger;
use crate::{Error, Result};
use candle_core::Tensor;
use std::borrow::Cow;
use std::sync::Arc;

/// A loaded decoder-only network.
pub struct DecoderOnly {
    config: DecoderConfig,
    spec: GeneratorSpec,
    place: Placement,
    embedding: Embedding,
    layers: Vec<Layer>,
    norm: RmsNorm,
    head: Linear,
    output_ids: Option<Vec<u32>>,
    rotary_global: Rotary,
    rotary_local: Rotary,
}

struct Layer {
    attention_norm: RmsNorm,
    qkv: Linear,
    head_norms: Option<(HeadNorm, HeadNorm)>,
    output: Linear,
    post_attention: Option<RmsNorm>,
    ffn_norm: RmsNorm,
    gate_up: Linear,
    down: Linear,
    post_ffn: Option<RmsNorm>,
    local: bool,
}

impl DecoderOnly {
    /// Loads a network from a source that names its tensors as GGUF files do. `keep` restricts the output to these
    /// token ids (ascending); `eos` ends a sequence.
    pub fn load(
        source: Arc<dyn TensorSource>,
        config: DecoderConfig,
        keep: Option<Vec<u32>>,
        eos: Vec<u32>,
        place: Placement,
    ) -> Result<Self> {
        Self::load_named(source, &Naming::Gguf, config, keep, eos, place)
    }

    /// The same from a source that names its tensors as `naming` says.
    ///
    /// # Errors
    /// A tensor that is missing, damaged or of another shape, or one that the network has no place for.
    pub fn load_named(
        source: Arc<dyn TensorSource>,
        naming: &Naming,
        config: DecoderConfig,
        keep: Option<Vec<u32>>,
        eos: Vec<u32>,
        place: Placement,
    ) -> Result<Self> {
        let c = &config;
        let ledger = Ledger::new(&*source);
        let layers = (0..c.layers).map(|i| Layer::load(&ledger, naming, c, i, &place)).collect::<Result<Vec<_>>>()?;
        let embedding = naming.embedding();
        let name = if c.untied { naming.head() } else { embedding.as_str() };
        let head = match &keep {
            Some(ids) => Linear::load_rows(&ledger, name, [c.vocab_size, c.d], ids, &place)?,
            None => Linear::load(&ledger, &[(name, c.vocab_size)], c.d, &place)?,
        };
        let norm = RmsNorm::new(norm_weight(&ledger, &naming.last_norm(), c.d, c)?, c.eps, &place)?;
        refuse_strangers(&ledger.unused(), naming, c)?;
        let spec = GeneratorSpec {
            vocab_size: c.vocab_size,
            encoder_decoder: false,
            decoder_start: None,
            eos,
            pad: None,
            max_source: c.context,
            max_target: c.context,
            target_of_source: None,
            row_bytes: c.layers * 2 * c.kv_heads * c.head_dim * size_of::<f32>(),
            memory_row_bytes: 0,
        };
        Ok(Self {
            embedding: Embedding::new(source.clone(), &embedding, c.vocab_size, c.d, c.embedding_scale, &place)?,
            norm,
            rotary_global: Rotary::new(c.head_dim, c.rope_base, c.rope_factor, c.rope_interleaved)
                .with_factors(c.rope_factors.as_deref().unwrap_or_default()),
            rotary_local: Rotary::new(c.head_dim, c.rope_base_local, 1.0, c.rope_interleaved),
            head,
            layers,
            output_ids: keep,
            spec,
            place,
            config,
        })
    }

    /// The configuration that the network was built from.
    pub fn config(&self) -> &DecoderConfig {
        &self.config
    }

    /// Bytes of weights kept in memory beside the mapped file.
    pub fn size(&self) -> usize {
        let layer = |l: &Layer| l.qkv.size() + l.output.size() + l.gate_up.size() + l.down.size();
        self.layers.iter().map(layer).sum::<usize>() + self.head.size()
    }

    /// One layer. `wanted`: the tokens whose output anybody asks for, where that is not all of them; the others only leave
    /// their keys and values.
    fn layer(
        &self,
        layer: &Layer,
        store: &KvStore,
        mut x: Tensor,
        batch: &StepBatch,
        wanted: Option<&[u32]>,
    ) -> Result<Tensor> {
        let c = &self.config;
        let level = self.place.level;
        let rotary = if layer.local { &self.rotary_local } else { &self.rotary_global };
        let (q_norm, k_norm) = layer.head_norms.as_ref().map(|(q, k)| (Some(q), Some(k))).unwrap_or_default();
        let width = c.kv_heads * c.head_dim;
        let (dim, norm_last, rotary) = (c.head_dim, c.norms_last, Some(rotary));
        let queries = HeadSlice { offset: 0, heads: c.heads, dim, norm: q_norm, norm_last, rotary };
        let keys = HeadSlice { offset: c.heads * c.head_dim, heads: c.kv_heads, norm: k_norm, ..queries };
        let values = HeadSlice { offset: keys.offset + width, norm: None, rotary: None, ..keys };

        let mut qkv = layer.qkv.forward(&layer.attention_norm.forward(&x)?)?;
        keys.store(&qkv, &batch.positions, &store.k, &batch.rows, level)?;
        values.store(&qkv, &batch.positions, &store.v, &batch.rows, level)?;
        let (mut positions, mut spans) = (Cow::Borrowed(&batch.positions), Cow::Borrowed(&batch.spans));
        if let Some(wanted) = wanted {
            let rows = Tensor::from_slice(wanted, wanted.len(), x.device())?;
            x = x.index_select(&rows, 0)?;
            if wanted.is_empty() {
                return Ok(x);
            }
            qkv = qkv.index_select(&rows, 0)?;
            positions = Cow::Owned(wanted.iter().map(|&token| batch.positions[token as usize]).collect());
            spans = Cow::Owned(wanted.iter().map(|&token| batch.spans[token as usize]).collect());
        }
        let q = queries.extract(&qkv, &positions, level)?;
        let shape = AttentionShape {
            heads: c.heads,
            kv_heads: c.kv_heads,
            head_dim: c.head_dim,
            scale: c.attention_scale as f32,
            window: if layer.local { c.window } else { None },
            softcap: c.attention_softcap.map(|cap| cap as f32),
        };
        let rows = AttentionRows::Table { tables: &batch.tables, spans: &spans };
        let seen = layer.output.forward(&attend(&q, store, rows, shape, None, level)?)?;
        let x = join(x, seen, layer.post_attention.as_ref())?;

        let hidden = layer.gate_up.forward(&layer.ffn_norm.forward(&x)?)?;
        let hidden = layer.down.forward(&composed::gated(&hidden, c.activation, level)?)?;
        join(x, hidden, layer.post_ffn.as_ref())
    }
}

/// residual + norm(x), or residual + x.
fn join(residual: Tensor, x: Tensor, norm: Option<&RmsNorm>) -> Result<Tensor> {
    match norm {
        Some(norm) => norm.forward_add(residual, &x),
        None => add(&residual, x),
    }
}

impl Layer {
    fn load(
        source: &dyn TensorSource,
        naming: &Naming,
        c: &DecoderConfig,
        index: usize,
        place: &Placement,
    ) -> Result<Self> {
        let name = |part: &str| naming.layer(index, &format!("{part}.weight"));
        let norm = |part: &str| RmsNorm::new(norm_weight(source, &name(part), c.d, c)?, c.eps, place);
        let head_norm = |part: &str| HeadNorm::new(norm_weight(source, &name(part), c.head_dim, c)?, c.eps, place);
        let linear = |parts: &[(&str, usize)], k: usize, biased: bool| {
            let names: Vec<(String, usize)> = parts.iter().map(|(part, n)| (name(part), *n)).collect();
            let names: Vec<(&str, usize)> = names.iter().map(|(name, n)| (name.as_str(), *n)).collect();
            let linear = Linear::load(source, &names, k, place)?;
            let bias = |part: &str| naming.layer(index, &format!("{part}.bias"));
            if !biased && !parts.iter().any(|(part, _)| matches!(source.find(&bias(part)), Ok(Some(_)))) {
                return Ok(linear);
            }
            let values = parts.iter().map(|(part, n)| source.floats(&bias(part), &[*n])).collect::<Result<Vec<_>>>()?;
            linear.with_bias(values.concat())
        };
        let (q, kv) = (c.heads * c.head_dim, c.kv_heads * c.head_dim);
        Ok(Self {
            attention_norm: norm("attn_norm")?,
            qkv: linear(&[("attn_q", q), ("attn_k", kv), ("attn_v", kv)], c.d, c.qkv_bias)?,
            head_norms: match c.head_norms {
                true => Some((head_norm("attn_q_norm")?, head_norm("attn_k_norm")?)),
                false => None,
            },
            output: linear(&[("attn_output", c.d)], q, false)?,
            post_attention: if c.post_norms { Some(norm("post_attention_norm")?) } else { None },
            ffn_norm: norm("ffn_norm")?,
            gate_up: linear(&[("ffn_gate", c.ffn), ("ffn_up", c.ffn)], c.d, false)?,
            down: linear(&[("ffn_down", c.d)], c.ffn, false)?,
            post_ffn: if c.post_norms { Some(norm("post_ffw_norm")?) } else { None },
            local: c.is_local(index),
        })
    }
}

/// The weights of a norm as the network multiplies with them.
fn norm_weight(source: &dyn TensorSource, name: &str, length: usize, c: &DecoderConfig) -> Result<Vec<f32>> {
    let mut weight = source.floats(name, &[length])?;
    weight.iter_mut().for_each(|w| *w += c.norm_offset);
    Ok(weight)
}

/// A tensor that the network has no place for means that it is another network.
fn refuse_strangers(unused: &[String], naming: &Naming, c: &DecoderConfig) -> Result<()> {
    // Both are read, but not through the ledger: one stays in its file, the other is part of the configuration.
    let embedding = naming.embedding();
    let known = |name: &str| name == embedding || (*naming == Naming::Gguf && name == "rope_freqs.weight");
    let strangers: Vec<&String> = unused.iter().filter(|n| !known(n) && !naming.may_be_left_out(n)).collect();
    match strangers.as_slice() {
        [] => Ok(()),
        [first, rest @ ..] => {
            let more = if rest.is_empty() { String::new() } else { format!(" (and for {} more)", rest.len()) };
            Err(Error::Model(ModelError::Mismatch(format!(
                "a {} network of {} layers has no use for tensor {first}{more}; without it the model would compute \
                 something else, so use a file of a supported architecture",
                c.architecture, c.layers
            ))))
        }
    }
}

impl Generator for DecoderOnly {
    fn spec(&self) -> &GeneratorSpec {
        &self.spec
    }

    fn output_ids(&self) -> Option<&[u32]> {
        self.output_ids.as_deref()
    }

    fn new_cache(&self, rows: usize, _memory_rows: usize) -> Result<Cache> {
        let width = self.config.kv_heads * self.config.head_dim;
        let stores = (0..self.config.layers)
            .map(|_| KvStore::new(rows, width, &self.place.device))
            .collect::<Result<Vec<KvStore>>>()?;
        Ok(Cache { rows, memory_rows: 0, state: Box::new(stores) })
    }

    fn encode(&self, _cache: &mut Cache, _sources: &[&[u32]], _first_rows: &[u32]) -> Result<()> {
        Err(Error::Model(ModelError::Incapable(format!("a {} network has no encoder", self.config.architecture))))
    }

    fn step(&self, cache: &mut Cache, batch: &StepBatch) -> Result<Tensor> {
        let Some(stores) = cache.state.downcast_ref::<Vec<KvStore>>() else {
            return Err(Error::Model(ModelError::Defect("the cache belongs to another network".into())));
        };
        let mut x = self.embedding.forward(&batch.tokens)?;
        let some = (batch.outputs.len() < batch.tokens.len()).then_some(batch.outputs.as_slice());
        for (i, (layer, store)) in self.layers.iter().zip(stores).enumerate() {
            x = self.layer(layer, store, x, batch, some.filter(|_| i + 1 == self.layers.len()))?;
        }
        let logits = self.head.forward(&self.norm.forward(&x)?)?;
        match self.config.final_softcap {
            Some(cap) => Ok(((logits / cap)?.tanh()? * cap)?),
            None => Ok(logits),
        }
    }
}
