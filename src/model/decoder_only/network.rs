//! The decoder-only network over flat, unpadded tokens.
//!
//! Gemma 3 (<https://arxiv.org/abs/2503.19786>): RMS norms before and after attention and feed-forward, tanh-GELU
//! gate, query and key norms, embeddings scaled by √d, five sliding-window layers (rotary base 10,000) to one that
//! sees everything (base 1,000,000). Llama and Qwen leave parts of that out.
use super::config::DecoderConfig;
use crate::decode::{Cache, Generator, GeneratorSpec, StepBatch};
use crate::model::layers::attention::AttentionShape;
use crate::model::layers::{
    AttentionRows, Embedding, HeadNorm, HeadSlice, KvStore, Linear, Placement, RmsNorm, Rotary, add, attend, composed,
};
use crate::model::weights::TensorSource;
use crate::{Error, Result};
use candle_core::Tensor;
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
    /// Loads a network. `keep` restricts the output to these token ids (ascending); `eos` ends a sequence.
    pub fn load(
        source: Arc<dyn TensorSource>,
        config: DecoderConfig,
        keep: Option<Vec<u32>>,
        eos: Vec<u32>,
        place: Placement,
    ) -> Result<Self> {
        let c = &config;
        let layers = (0..c.layers).map(|i| Layer::load(&*source, c, i, &place)).collect::<Result<Vec<_>>>()?;
        let name = if c.untied { "output.weight" } else { "token_embd.weight" };
        let head = match &keep {
            Some(ids) => Linear::load_rows(&*source, name, [c.vocab_size, c.d], ids, &place)?,
            None => Linear::load(&*source, &[(name, c.vocab_size)], c.d, &place)?,
        };
        let spec = GeneratorSpec {
            vocab_size: c.vocab_size,
            encoder_decoder: false,
            decoder_start: None,
            eos,
            pad: None,
            max_source: c.context,
            max_target: c.context,
            row_bytes: c.layers * 2 * c.kv_heads * c.head_dim * size_of::<f32>(),
            memory_row_bytes: 0,
        };
        Ok(Self {
            embedding: Embedding::new(
                source.clone(),
                "token_embd.weight",
                c.vocab_size,
                c.d,
                c.embedding_scale,
                &place,
            )?,
            norm: RmsNorm::new(source.floats("output_norm.weight", &[c.d])?, c.eps, &place)?,
            rotary_global: Rotary::new(c.head_dim, c.rope_base, c.rope_factor, c.rope_interleaved),
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

    fn layer(&self, layer: &Layer, store: &KvStore, x: Tensor, batch: &StepBatch) -> Result<Tensor> {
        let c = &self.config;
        let level = self.place.level;
        let rotary = if layer.local { &self.rotary_local } else { &self.rotary_global };
        let (q_norm, k_norm) = layer.head_norms.as_ref().map(|(q, k)| (Some(q), Some(k))).unwrap_or_default();
        let width = c.kv_heads * c.head_dim;
        let queries = HeadSlice { offset: 0, heads: c.heads, dim: c.head_dim, norm: q_norm, rotary: Some(rotary) };
        let keys = HeadSlice { offset: c.heads * c.head_dim, heads: c.kv_heads, norm: k_norm, ..queries };
        let values = HeadSlice { offset: keys.offset + width, norm: None, rotary: None, ..keys };

        let qkv = layer.qkv.forward(&layer.attention_norm.forward(&x)?)?;
        keys.store(&qkv, &batch.positions, &store.k, &batch.rows, level)?;
        values.store(&qkv, &batch.positions, &store.v, &batch.rows, level)?;
        let q = queries.extract(&qkv, &batch.positions, level)?;
        let shape = AttentionShape {
            heads: c.heads,
            kv_heads: c.kv_heads,
            head_dim: c.head_dim,
            scale: c.attention_scale as f32,
            window: if layer.local { c.window } else { None },
        };
        let rows = AttentionRows::Table { tables: &batch.tables, spans: &batch.spans };
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
    fn load(source: &dyn TensorSource, c: &DecoderConfig, index: usize, place: &Placement) -> Result<Self> {
        let name = |part: &str| format!("blk.{index}.{part}");
        let norm = |part: &str| RmsNorm::new(source.floats(&name(part), &[c.d])?, c.eps, place);
        let head_norm = |part: &str| HeadNorm::new(source.floats(&name(part), &[c.head_dim])?, c.eps, place);
        let (q, kv) = (c.heads * c.head_dim, c.kv_heads * c.head_dim);
        let (wq, wk, wv) = (name("attn_q.weight"), name("attn_k.weight"), name("attn_v.weight"));
        let mut qkv = Linear::load(source, &[(&wq, q), (&wk, kv), (&wv, kv)], c.d, place)?;
        if c.qkv_bias {
            let mut bias = source.floats(&name("attn_q.bias"), &[q])?;
            bias.extend(source.floats(&name("attn_k.bias"), &[kv])?);
            bias.extend(source.floats(&name("attn_v.bias"), &[kv])?);
            qkv = qkv.with_bias(bias)?;
        }
        let (gate, up) = (name("ffn_gate.weight"), name("ffn_up.weight"));
        Ok(Self {
            attention_norm: norm("attn_norm.weight")?,
            qkv,
            head_norms: match c.head_norms {
                true => Some((head_norm("attn_q_norm.weight")?, head_norm("attn_k_norm.weight")?)),
                false => None,
            },
            output: Linear::load(source, &[(&name("attn_output.weight"), c.d)], q, place)?,
            post_attention: if c.post_norms { Some(norm("post_attention_norm.weight")?) } else { None },
            ffn_norm: norm("ffn_norm.weight")?,
            gate_up: Linear::load(source, &[(&gate, c.ffn), (&up, c.ffn)], c.d, place)?,
            down: Linear::load(source, &[(&name("ffn_down.weight"), c.d)], c.ffn, place)?,
            post_ffn: if c.post_norms { Some(norm("post_ffw_norm.weight")?) } else { None },
            local: c.is_local(index),
        })
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
        Err(Error::Model(format!("a {} network has no encoder", self.config.architecture)))
    }

    fn step(&self, cache: &mut Cache, batch: &StepBatch) -> Result<Tensor> {
        let Some(stores) = cache.state.downcast_ref::<Vec<KvStore>>() else {
            return Err(Error::Model("the cache belongs to another network".into()));
        };
        let mut x = self.embedding.forward(&batch.tokens)?;
        for (layer, store) in self.layers.iter().zip(stores) {
            x = self.layer(layer, store, x, batch)?;
        }
        if batch.outputs.len() < batch.tokens.len() {
            let wanted = Tensor::from_slice(&batch.outputs, batch.outputs.len(), x.device())?;
            x = x.index_select(&wanted, 0)?;
        }
        self.head.forward(&self.norm.forward(&x)?)
    }
}
