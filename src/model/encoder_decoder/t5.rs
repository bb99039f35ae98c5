//! Encoder and decoder of the T5 family: T5 (<https://arxiv.org/abs/1910.10683>), T5 1.1 and mT5
//! (<https://arxiv.org/abs/2010.11934>), umT5 (<https://arxiv.org/abs/2304.09151>), MADLAD-400, BanglaT5.
use super::attention::{AttentionNames, CrossAttention, SelfAttention, Sources};
use super::config::T5Config;
use super::network::{Body, Stores, wanted};
use super::weights::Weights;
use crate::Result;
use crate::decode::StepBatch;
use crate::kernels::Level;
use crate::model::layers::{Activation, Embedding, Linear, RelativeBias, RmsNorm, add, composed};
use crate::model::weights::TensorSource;
use candle_core::Tensor;
use std::sync::Arc;

pub(super) struct T5 {
    embedding: Embedding,
    /// The decoder's embedding, where it is another one.
    decoder_embedding: Option<Embedding>,
    encoder: Vec<EncoderLayer>,
    encoder_norm: RmsNorm,
    decoder: Vec<DecoderLayer>,
    decoder_norm: RmsNorm,
    /// Factor on the decoder's output.
    output_scale: f64,
    kv_width: usize,
}

struct EncoderLayer {
    attention_norm: RmsNorm,
    attention: SelfAttention,
    /// The position bias that this layer adds; most models have one for the whole stack.
    bias: Arc<RelativeBias>,
    ffn: FeedForward,
}

struct DecoderLayer {
    attention_norm: RmsNorm,
    attention: SelfAttention,
    bias: Arc<RelativeBias>,
    cross_norm: RmsNorm,
    cross: CrossAttention,
    ffn: FeedForward,
}

struct FeedForward {
    norm: RmsNorm,
    /// One projection with its activation, or gate and value side by side.
    up: Linear,
    gate: Option<Activation>,
    down: Linear,
    level: Level,
}

/// One of the two stacks while it is loaded.
struct Loader<'a> {
    weights: &'a Weights<'a>,
    c: &'a T5Config,
    side: &'a str,
    bidirectional: bool,
}

impl T5 {
    /// Body and output layer.
    pub fn load(
        weights: &Weights<'_>,
        source: Arc<dyn TensorSource>,
        c: &T5Config,
        keep: Option<&[u32]>,
    ) -> Result<(Self, Linear)> {
        let owned = |names: &[&str]| names.iter().map(|n| n.to_string()).collect::<Vec<_>>();
        let name = weights.first(&owned(&["shared.weight", "encoder.embed_tokens.weight"]))?;
        let own = weights.first(&owned(&["decoder.embed_tokens.weight", &name]))?;
        let head_name = weights.first(&owned(&["lm_head.weight", &name]))?;
        let head = weights.head(&head_name, c.vocab_size, c.d, keep)?;
        if name != head_name || keep.is_some() {
            weights.check_finite(&name, &[c.vocab_size, c.d])?;
        }
        let embedding = |name: &str| Embedding::new(source.clone(), name, c.vocab_size, c.d, 1.0, weights.place);
        // Older checkpoints repeat the shared table under the decoder's name.
        let table = |name: &str| weights.source.expect(name, &[c.vocab_size, c.d]);
        let differs = own != name && table(&own)?.bytes != table(&name)?.bytes;
        weights.source.release(&own);
        weights.source.release(&name);
        let encoder = Loader { weights, c, side: "encoder", bidirectional: true };
        let decoder = Loader { weights, c, side: "decoder", bidirectional: false };
        let body = Self {
            embedding: embedding(&name)?,
            decoder_embedding: if differs { Some(embedding(&own)?) } else { None },
            encoder: encoder.encoder()?,
            encoder_norm: weights.rms_norm("encoder.final_layer_norm", c.d, c.eps)?,
            decoder: decoder.decoder()?,
            decoder_norm: weights.rms_norm("decoder.final_layer_norm", c.d, c.eps)?,
            output_scale: if c.scale_output { (c.d as f64).powf(-0.5) } else { 1.0 },
            kv_width: c.heads * c.head_dim,
        };
        Ok((body, head))
    }
}

impl Loader<'_> {
    fn prefix(&self, block: usize, layer: usize) -> String {
        format!("{}.block.{block}.layer.{layer}.", self.side)
    }

    fn names(&self) -> AttentionNames<'static> {
        let c = self.c;
        let projections = ["q", "k", "v", "o"];
        // T5 folds the usual 1/√dim into its initial weights.
        AttentionNames { projections, bias: false, d: c.d, heads: c.heads, dim: c.head_dim, scale: 1.0 }
    }

    fn norm(&self, prefix: &str) -> Result<RmsNorm> {
        self.weights.rms_norm(&format!("{prefix}layer_norm"), self.c.d, self.c.eps)
    }

    fn bias(&self, block: usize) -> Result<Arc<RelativeBias>> {
        let c = self.c;
        let name = format!("{}SelfAttention.relative_attention_bias.weight", self.prefix(block, 0));
        let values = self.weights.source.floats(&name, &[c.buckets, c.heads])?;
        Ok(Arc::new(RelativeBias::new(&values, c.buckets, c.heads, c.max_distance, self.bidirectional)))
    }

    /// Norm, attention and bias of each block.
    fn self_attention(&self, blocks: usize) -> Result<Vec<(RmsNorm, SelfAttention, Arc<RelativeBias>)>> {
        let beyond = format!("{}SelfAttention.q.weight", self.prefix(blocks, 0));
        self.weights.absent(&beyond, &format!("{} layers", self.side), blocks)?;
        let first = self.bias(0)?;
        (0..blocks)
            .map(|block| {
                let prefix = self.prefix(block, 0);
                let bias = if self.c.bias_per_layer { self.bias(block)? } else { first.clone() };
                let attention = SelfAttention::load(self.weights, &format!("{prefix}SelfAttention."), &self.names())?;
                Ok((self.norm(&prefix)?, attention, bias))
            })
            .collect()
    }

    fn feed_forward(&self, block: usize, layer: usize) -> Result<FeedForward> {
        let (c, prefix) = (self.c, self.prefix(block, layer));
        let part = |name: &str, n: usize| (format!("{prefix}DenseReluDense.{name}"), n);
        let (up, gate) = match c.gated {
            true => {
                let parts = [part("wi_0", c.ffn), part("wi_1", c.ffn)];
                (self.weights.linear(&parts, c.d, false)?, Some(c.activation))
            }
            false => {
                let up = self.weights.linear(&[part("wi", c.ffn)], c.d, false)?;
                (up.with_activation(c.activation), None)
            }
        };
        let down = self.weights.linear(&[part("wo", c.d)], c.ffn, false)?;
        Ok(FeedForward { norm: self.norm(&prefix)?, up, gate, down, level: self.weights.place.level })
    }

    fn encoder(&self) -> Result<Vec<EncoderLayer>> {
        let attention = self.self_attention(self.c.encoder_layers)?;
        (0..)
            .zip(attention)
            .map(|(block, (attention_norm, attention, bias))| {
                Ok(EncoderLayer { attention_norm, attention, bias, ffn: self.feed_forward(block, 1)? })
            })
            .collect()
    }

    fn decoder(&self) -> Result<Vec<DecoderLayer>> {
        let attention = self.self_attention(self.c.decoder_layers)?;
        (0..)
            .zip(attention)
            .map(|(block, (attention_norm, attention, bias))| {
                let prefix = self.prefix(block, 1);
                let names = self.names();
                let cross = CrossAttention::load(self.weights, &format!("{prefix}EncDecAttention."), &names)?;
                let (cross_norm, ffn) = (self.norm(&prefix)?, self.feed_forward(block, 2)?);
                Ok(DecoderLayer { attention_norm, attention, bias, cross_norm, cross, ffn })
            })
            .collect()
    }
}

impl FeedForward {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut hidden = self.up.forward(&self.norm.forward(x)?)?;
        if let Some(gate) = self.gate {
            hidden = composed::gated(&hidden, gate, self.level)?;
        }
        add(x, self.down.forward(&hidden)?)
    }

    fn size(&self) -> usize {
        self.up.size() + self.down.size()
    }
}

impl Body for T5 {
    fn encode(&self, sources: &Sources) -> Result<Tensor> {
        let mut x = self.embedding.forward(&sources.tokens)?;
        for layer in &self.encoder {
            let seen = layer.attention.encode(&layer.attention_norm.forward(&x)?, sources, None, Some(&layer.bias))?;
            x = layer.ffn.forward(&add(&x, seen)?)?;
        }
        self.encoder_norm.forward(&x)
    }

    fn step(&self, batch: &StepBatch, stores: &Stores) -> Result<Tensor> {
        let mut x = self.decoder_embedding.as_ref().unwrap_or(&self.embedding).forward(&batch.tokens)?;
        for ((layer, own), memory) in self.decoder.iter().zip(&stores.own).zip(&stores.cross) {
            let normed = layer.attention_norm.forward(&x)?;
            x = add(&x, layer.attention.step(&normed, batch, own, None, Some(&layer.bias))?)?;
            x = add(&x, layer.cross.forward(&layer.cross_norm.forward(&x)?, &batch.memory, memory)?)?;
            x = layer.ffn.forward(&x)?;
        }
        let x = self.decoder_norm.forward(&wanted(x, batch)?)?;
        if self.output_scale == 1.0 { Ok(x) } else { Ok((x * self.output_scale)?) }
    }

    fn cross(&self) -> Vec<&CrossAttention> {
        self.decoder.iter().map(|layer| &layer.cross).collect()
    }

    fn kv_width(&self) -> usize {
        self.kv_width
    }

    fn size(&self) -> usize {
        let encoder = self.encoder.iter().map(|l| l.attention.size() + l.ffn.size());
        let decoder = self.decoder.iter().map(|l| l.attention.size() + l.cross.size() + l.ffn.size());
        encoder.chain(decoder).sum()
    }
}
