//! Encoder and decoder of the fairseq family, told apart by [`FairseqConfig`] alone.
//!
//! Marian (<https://aclanthology.org/P18-4020>), M2M-100 (<https://arxiv.org/abs/2010.11125>) and NLLB-200
//! (<https://arxiv.org/abs/2207.04672>), BART (<https://arxiv.org/abs/1910.13461>), mBART-50
//! (<https://arxiv.org/abs/2008.00401>), IndicTrans2 (<https://arxiv.org/abs/2305.16307>).
use super::attention::{AttentionNames, CrossAttention, SelfAttention, Sources};
use super::config::{FairseqConfig, Positions, Stack};
use super::network::{Body, Stores, wanted};
use super::weights::Weights;
use crate::decode::StepBatch;
use crate::error::ModelError;
use crate::model::layers::{Embedding, LayerNorm, Linear, Rotary, add};
use crate::model::weights::TensorSource;
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use std::sync::Arc;

/// Names of an attention's projections.
const PROJECTIONS: [&str; 4] = ["q_proj", "k_proj", "v_proj", "out_proj"];

pub(super) struct Fairseq {
    encoder_input: Input,
    encoder: Vec<EncoderLayer>,
    encoder_norm: Option<LayerNorm>,
    decoder_input: Input,
    decoder: Vec<DecoderLayer>,
    decoder_norm: Option<LayerNorm>,
    rotary: Option<Rotary>,
    d: usize,
}

/// Tokens and positions → the first layer's input.
struct Input {
    embedding: Embedding,
    positions: PositionTable,
    norm: Option<LayerNorm>,
}

/// Position embeddings [rows, d]; none with rotary positions.
struct PositionTable {
    values: Vec<f32>,
    d: usize,
    /// This token has no position.
    pad: Option<u32>,
    device: Device,
}

struct EncoderLayer {
    attention: SelfAttention,
    attention_norm: LayerNorm,
    ffn: FeedForward,
    pre_norm: bool,
}

struct DecoderLayer {
    attention: SelfAttention,
    attention_norm: LayerNorm,
    cross: CrossAttention,
    cross_norm: LayerNorm,
    ffn: FeedForward,
    pre_norm: bool,
}

/// Two projections with an activation between them, and the norm before or after.
struct FeedForward {
    up: Linear,
    down: Linear,
    norm: LayerNorm,
}

/// The tied tensors of embedding and output layer go by several names; these are tried in order.
struct Names {
    encoder: Vec<String>,
    decoder: Vec<String>,
    head: Vec<String>,
}

impl Fairseq {
    /// Body and output layer.
    pub fn load(
        weights: &Weights<'_>,
        source: Arc<dyn TensorSource>,
        config: &FairseqConfig,
        keep: Option<&[u32]>,
    ) -> Result<(Self, Linear)> {
        let c = config;
        // Checkpoints of the bare model leave `model.` out.
        let root = match weights.source.find("model.encoder.layers.0.fc1.weight")? {
            Some(_) => "model.",
            None => "",
        };
        let names = Names::new(root, c.one_vocabulary);
        let (encoder_name, decoder_name) = (weights.first(&names.encoder)?, weights.first(&names.decoder)?);
        let head_name = weights.first(&names.head)?;
        let head = Self::load_head(weights, c, &head_name, keep)?;
        for (name, rows) in [(&encoder_name, c.encoder.vocab_size), (&decoder_name, c.decoder.vocab_size)] {
            // The output layer's tensor has been looked through already.
            if *name != head_name || keep.is_some() {
                weights.check_finite(name, &[rows, c.d])?;
            }
        }
        let input = |side: &str, name: &str, stack: &Stack| -> Result<Input> {
            let embedding =
                Embedding::new(source.clone(), name, stack.vocab_size, c.d, c.embedding_scale, weights.place)?;
            let norm = match c.embedding_norm {
                true => Some(weights.layer_norm(&format!("{root}{side}.layernorm_embedding"), c.d)?),
                false => None,
            };
            Ok(Input { embedding, positions: PositionTable::load(weights, &format!("{root}{side}"), c, stack)?, norm })
        };
        let final_norm = |side: &str, stack: &Stack| match stack.final_norm {
            true => weights.layer_norm(&format!("{root}{side}.layer_norm"), c.d).map(Some),
            false => Ok(None),
        };
        for (side, stack) in [("encoder", &c.encoder), ("decoder", &c.decoder)] {
            let beyond = format!("{root}{side}.layers.{}.fc1.weight", stack.layers);
            weights.absent(&beyond, &format!("{side} layers"), stack.layers)?;
        }
        let layer = |side: &str, i: usize| format!("{root}{side}.layers.{i}.");
        let body = Self {
            encoder_input: input("encoder", &encoder_name, &c.encoder)?,
            encoder: (0..c.encoder.layers)
                .map(|i| EncoderLayer::load(weights, &layer("encoder", i), c))
                .collect::<Result<_>>()?,
            encoder_norm: final_norm("encoder", &c.encoder)?,
            decoder_input: input("decoder", &decoder_name, &c.decoder)?,
            decoder: (0..c.decoder.layers)
                .map(|i| DecoderLayer::load(weights, &layer("decoder", i), c))
                .collect::<Result<_>>()?,
            decoder_norm: final_norm("decoder", &c.decoder)?,
            rotary: match c.positions {
                Positions::Rotary { dims, theta, factor } => Some(Rotary::new(dims, theta, factor, true)),
                _ => None,
            },
            d: c.d,
        };
        Ok((body, head))
    }

    fn load_head(weights: &Weights<'_>, c: &FairseqConfig, name: &str, keep: Option<&[u32]>) -> Result<Linear> {
        let rows = c.decoder.vocab_size;
        let head = weights.head(name, rows, c.d, keep)?;
        if weights.source.find("final_logits_bias")?.is_none() {
            return Ok(head);
        }
        let bias = weights.source.floats("final_logits_bias", &[1, rows])?;
        head.with_bias(match keep {
            Some(ids) => ids.iter().map(|&id| bias[id as usize]).collect(),
            None => bias,
        })
    }
}

impl Names {
    fn new(root: &str, one_vocabulary: bool) -> Self {
        let own = |side: &str| format!("{root}{side}.embed_tokens.weight");
        let (shared, head) = (format!("{root}shared.weight"), "lm_head.weight".to_string());
        let mut encoder = vec![own("encoder"), shared.clone()];
        let mut decoder = vec![own("decoder"), shared, head.clone()];
        if one_vocabulary {
            encoder.extend([own("decoder"), head.clone()]);
            decoder.push(own("encoder"));
        }
        Self { encoder, head: [vec![head], decoder.clone()].concat(), decoder }
    }
}

impl PositionTable {
    fn load(weights: &Weights<'_>, side: &str, c: &FairseqConfig, stack: &Stack) -> Result<Self> {
        let (d, rows) = (c.d, stack.max_positions);
        let (values, pad) = match c.positions {
            Positions::Learned { offset } => {
                let name = format!("{side}.embed_positions.weight");
                let all = weights.source.floats(&name, &[rows + offset, d])?;
                (all[offset * d..].to_vec(), None)
            }
            Positions::Sinusoidal { offset, pad, divisor } => (sinusoids(offset, rows, d, divisor, pad.is_some()), pad),
            Positions::Rotary { .. } => (Vec::new(), None),
        };
        Ok(Self { values, d, pad, device: weights.place.device.clone() })
    }

    /// Adds each token's position to its embedding.
    fn add(&self, x: Tensor, tokens: &[u32], positions: &[u32]) -> Result<Tensor> {
        if self.values.is_empty() {
            return Ok(x);
        }
        let mut rows = Vec::with_capacity(tokens.len() * self.d);
        for (&token, &position) in tokens.iter().zip(positions) {
            if self.pad == Some(token) {
                rows.resize(rows.len() + self.d, 0.0);
                continue;
            }
            let at = position as usize * self.d;
            let row = self.values.get(at..at + self.d).ok_or_else(|| {
                Error::Model(ModelError::Incapable(format!(
                    "position {position} is beyond the model's {}; split the text",
                    self.values.len() / self.d
                )))
            })?;
            rows.extend_from_slice(row);
        }
        add(&x, Tensor::from_vec(rows, (tokens.len(), self.d), &self.device)?)
    }
}

/// Sines of rows offset..offset + rows, then their cosines. fairseq computes the angles in single precision,
/// Marian in double: far positions differ by it.
fn sinusoids(offset: usize, rows: usize, d: usize, divisor: usize, single: bool) -> Vec<f32> {
    let half = d / 2;
    let step = 10_000f64.ln() / divisor as f64;
    let mut values = Vec::with_capacity(rows * d);
    for position in offset..offset + rows {
        let angle = |i: usize| match single {
            true => f64::from(position as f32 * (i as f32 * -step as f32).exp()),
            false => position as f64 / 10_000f64.powf(i as f64 / divisor as f64),
        };
        values.extend((0..half).map(|i| angle(i).sin() as f32));
        values.extend((0..half).map(|i| angle(i).cos() as f32));
    }
    values
}

impl Input {
    fn forward(&self, tokens: &[u32], positions: &[u32]) -> Result<Tensor> {
        let x = self.positions.add(self.embedding.forward(tokens)?, tokens, positions)?;
        match &self.norm {
            Some(norm) => norm.forward(&x),
            None => Ok(x),
        }
    }
}

fn names<'a>(c: &FairseqConfig, stack: &Stack) -> AttentionNames<'a> {
    let dim = c.d / stack.heads;
    let scale = (dim as f32).powf(-0.5);
    AttentionNames { projections: PROJECTIONS, bias: true, d: c.d, heads: stack.heads, dim, scale }
}

impl FeedForward {
    fn load(weights: &Weights<'_>, prefix: &str, c: &FairseqConfig, ffn: usize) -> Result<Self> {
        let linear = |name: &str, n: usize, k: usize| weights.linear(&[(format!("{prefix}{name}"), n)], k, true);
        Ok(Self {
            up: linear("fc1", ffn, c.d)?.with_activation(c.activation),
            down: linear("fc2", c.d, ffn)?,
            norm: weights.layer_norm(&format!("{prefix}final_layer_norm"), c.d)?,
        })
    }

    fn forward(&self, x: Tensor, pre_norm: bool) -> Result<Tensor> {
        residual(x, &self.norm, pre_norm, |x| self.down.forward(&self.up.forward(x)?))
    }

    fn size(&self) -> usize {
        self.up.size() + self.down.size()
    }
}

/// x + f(norm(x)), or norm(x + f(x)).
fn residual(x: Tensor, norm: &LayerNorm, pre_norm: bool, f: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    match pre_norm {
        true => add(&x, f(&norm.forward(&x)?)?),
        false => norm.forward(&add(&x, f(&x)?)?),
    }
}

impl EncoderLayer {
    fn load(weights: &Weights<'_>, prefix: &str, c: &FairseqConfig) -> Result<Self> {
        Ok(Self {
            attention: SelfAttention::load(weights, &format!("{prefix}self_attn."), &names(c, &c.encoder))?,
            attention_norm: weights.layer_norm(&format!("{prefix}self_attn_layer_norm"), c.d)?,
            ffn: FeedForward::load(weights, prefix, c, c.encoder.ffn)?,
            pre_norm: c.encoder.pre_norm,
        })
    }
}

impl DecoderLayer {
    fn load(weights: &Weights<'_>, prefix: &str, c: &FairseqConfig) -> Result<Self> {
        let attention = names(c, &c.decoder);
        Ok(Self {
            attention: SelfAttention::load(weights, &format!("{prefix}self_attn."), &attention)?,
            attention_norm: weights.layer_norm(&format!("{prefix}self_attn_layer_norm"), c.d)?,
            cross: CrossAttention::load(weights, &format!("{prefix}encoder_attn."), &attention)?,
            cross_norm: weights.layer_norm(&format!("{prefix}encoder_attn_layer_norm"), c.d)?,
            ffn: FeedForward::load(weights, prefix, c, c.decoder.ffn)?,
            pre_norm: c.decoder.pre_norm,
        })
    }
}

impl Body for Fairseq {
    fn encode(&self, sources: &Sources) -> Result<Tensor> {
        let mut x = self.encoder_input.forward(&sources.tokens, &sources.positions)?;
        for layer in &self.encoder {
            x = residual(x, &layer.attention_norm, layer.pre_norm, |x| {
                layer.attention.encode(x, sources, self.rotary.as_ref(), None)
            })?;
            x = layer.ffn.forward(x, layer.pre_norm)?;
        }
        match &self.encoder_norm {
            Some(norm) => norm.forward(&x),
            None => Ok(x),
        }
    }

    fn step(&self, batch: &StepBatch, stores: &Stores) -> Result<Tensor> {
        let mut x = self.decoder_input.forward(&batch.tokens, &batch.positions)?;
        for ((layer, own), memory) in self.decoder.iter().zip(&stores.own).zip(&stores.cross) {
            x = residual(x, &layer.attention_norm, layer.pre_norm, |x| {
                layer.attention.step(x, batch, own, self.rotary.as_ref(), None)
            })?;
            x = residual(x, &layer.cross_norm, layer.pre_norm, |x| layer.cross.forward(x, &batch.memory, memory))?;
            x = layer.ffn.forward(x, layer.pre_norm)?;
        }
        let x = wanted(x, batch)?;
        match &self.decoder_norm {
            Some(norm) => norm.forward(&x),
            None => Ok(x),
        }
    }

    fn cross(&self) -> Vec<&CrossAttention> {
        self.decoder.iter().map(|layer| &layer.cross).collect()
    }

    fn kv_width(&self) -> usize {
        self.d
    }

    fn size(&self) -> usize {
        let encoder = self.encoder.iter().map(|l| l.attention.size() + l.ffn.size());
        let decoder = self.decoder.iter().map(|l| l.attention.size() + l.cross.size() + l.ffn.size());
        encoder.chain(decoder).sum()
    }
}
