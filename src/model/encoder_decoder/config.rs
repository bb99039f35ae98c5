//! `config.json` of an encoder–decoder model → what tells one network from another.
use crate::error::ModelError;
use crate::model::layers::Activation;
use crate::{Error, Result};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// Values of `model_type` that are known.
pub const ARCHITECTURES: [&str; 9] =
    ["marian", "m2m_100", "bart", "mbart", "IndicTrans", "RotaryIndicTrans", "t5", "mt5", "umt5"];

/// A network's shape, of one of the two families.
#[derive(Debug, Clone, PartialEq)]
pub enum Config {
    /// Marian, M2M-100, NLLB-200, BART, mBART-50, IndicTrans2.
    Fairseq(FairseqConfig),
    /// T5 1.0 and 1.1, mT5, umT5, MADLAD-400, BanglaT5.
    T5(T5Config),
}

/// How a network knows the order of its tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Positions {
    /// A table of embeddings, read from `offset` on (fairseq keeps the first ids for padding).
    Learned { offset: usize },
    /// sin in the first half and cos in the second; position 0 is row `offset`.
    Sinusoidal {
        offset: usize,
        /// A padding token has no position: fairseq gives it zeros.
        pad: Option<u32>,
        /// The frequencies' exponent is divided by d/2 (Marian) or d/2 − 1 (tensor2tensor, fairseq).
        divisor: usize,
    },
    /// Queries and keys of self-attention are turned, pairs of neighbors, the first `dims` of each head.
    Rotary { dims: usize, theta: f64, factor: f64 },
}

/// Encoder or decoder of the fairseq family.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    pub layers: usize,
    pub heads: usize,
    pub ffn: usize,
    pub vocab_size: usize,
    pub max_positions: usize,
    /// Norms stand before attention and feed-forward instead of after the residual.
    pub pre_norm: bool,
    /// A norm at the end.
    pub final_norm: bool,
}

/// The fairseq family's variants.
#[derive(Debug, Clone, PartialEq)]
pub struct FairseqConfig {
    /// As `config.json` says it.
    pub model_type: String,
    /// Width of the residual stream.
    pub d: usize,
    /// The encoder.
    pub encoder: Stack,
    /// The decoder.
    pub decoder: Stack,
    /// Nonlinearity of the feed-forward layers.
    pub activation: Activation,
    /// Embeddings are multiplied by this.
    pub embedding_scale: f64,
    /// A norm over the sum of token and position embeddings.
    pub embedding_norm: bool,
    /// How it knows the order of tokens.
    pub positions: Positions,
    /// Encoder and decoder may share one embedding.
    pub one_vocabulary: bool,
}

/// The T5 family's variants.
#[derive(Debug, Clone, PartialEq)]
pub struct T5Config {
    /// As `config.json` says it.
    pub model_type: String,
    /// Width of the residual stream.
    pub d: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Heads of a layer.
    pub heads: usize,
    /// Width of the feed-forward layer.
    pub ffn: usize,
    /// Layers of the encoder.
    pub encoder_layers: usize,
    /// Layers of the decoder.
    pub decoder_layers: usize,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// Most tokens of a text in training; the network itself has no limit.
    pub max_positions: usize,
    /// Nonlinearity of the feed-forward layers.
    pub activation: Activation,
    /// Two input projections, one of them activated.
    pub gated: bool,
    /// Buckets of relative positions.
    pub buckets: usize,
    /// Distances from here on share a bucket.
    pub max_distance: usize,
    /// Every layer has a position bias of its own (umT5).
    pub bias_per_layer: bool,
    /// The decoder's output is multiplied by d^−0.5.
    pub scale_output: bool,
    /// Added to the mean square in norms.
    pub eps: f64,
}

/// `config.json` as it is written, all architectures together.
#[derive(Deserialize)]
struct Raw {
    model_type: Option<String>,
    d_model: Option<usize>,
    vocab_size: Option<usize>,
    activation_function: Option<String>,
    encoder_layers: Option<usize>,
    decoder_layers: Option<usize>,
    encoder_attention_heads: Option<usize>,
    decoder_attention_heads: Option<usize>,
    encoder_ffn_dim: Option<usize>,
    decoder_ffn_dim: Option<usize>,
    max_position_embeddings: Option<usize>,
    #[serde(default)]
    scale_embedding: bool,
    pad_token_id: Option<u32>,
    decoder_vocab_size: Option<usize>,
    share_encoder_decoder_embeddings: Option<bool>,
    // IndicTrans2 (rotary positions in fairseq's spelling, rotary-embedding-torch's and that of transformers)
    encoder_vocab_size: Option<usize>,
    encoder_embed_dim: Option<usize>,
    decoder_embed_dim: Option<usize>,
    max_source_positions: Option<usize>,
    max_target_positions: Option<usize>,
    encoder_normalize_before: Option<bool>,
    decoder_normalize_before: Option<bool>,
    layernorm_embedding: Option<bool>,
    rope_args: Option<Rope>,
    rope_theta: Option<f64>,
    rope_scaling: Option<Rope>,
    architectures: Option<Vec<String>>,
    // T5
    d_kv: Option<usize>,
    d_ff: Option<usize>,
    num_layers: Option<usize>,
    num_decoder_layers: Option<usize>,
    num_heads: Option<usize>,
    n_positions: Option<usize>,
    relative_attention_num_buckets: Option<usize>,
    relative_attention_max_distance: Option<usize>,
    feed_forward_proj: Option<String>,
    layer_norm_epsilon: Option<f64>,
    tie_word_embeddings: Option<bool>,
    scale_decoder_outputs: Option<bool>,
}

#[derive(Deserialize)]
struct Rope {
    #[serde(alias = "base")]
    theta: Option<f64>,
    #[serde(alias = "factor", alias = "interpolate_factor")]
    scaling_factor: Option<f64>,
}

impl Config {
    /// Reads and checks the parsed `config.json` at `path` (named in errors).
    ///
    /// # Errors
    /// An architecture that is not supported (the supported ones are listed), a missing or impossible value.
    pub fn from_json(json: &Value, path: &Path) -> Result<Self> {
        let raw: Raw = serde_json::from_value(json.clone()).map_err(|e| {
            Error::Model(ModelError::damaged_by(format!("{}: not a model configuration ({e})", path.display()), e))
        })?;
        let given = raw.model_type.clone().unwrap_or_default();
        let reader = Reader { raw: &raw, path };
        // Copies of IndicTrans2 on the Hub spell its name in several ways.
        let folded = given.to_lowercase().replace(['-', '_'], "");
        let config = match given.as_str() {
            "marian" => reader.marian()?,
            "m2m_100" | "nllb" => reader.m2m100()?,
            "bart" => reader.bart(false)?,
            "mbart" => reader.bart(true)?,
            "t5" | "mt5" | "umt5" => return Ok(Config::T5(reader.t5(&given)?)),
            _ if folded.contains("indictrans") => reader.indictrans()?,
            _ => return Err(reader.unknown(&given)),
        };
        reader.check_heads(config.d, config.encoder.heads, "encoder_attention_heads")?;
        reader.check_heads(config.d, config.decoder.heads, "decoder_attention_heads")?;
        Ok(Config::Fairseq(FairseqConfig { model_type: given, ..config }))
    }

    /// The `model_type` that the configuration was read from.
    pub fn model_type(&self) -> &str {
        match self {
            Config::Fairseq(c) => &c.model_type,
            Config::T5(c) => &c.model_type,
        }
    }
}

/// Reads the values of one architecture out of [`Raw`].
struct Reader<'a> {
    raw: &'a Raw,
    path: &'a Path,
}

impl Reader<'_> {
    fn unknown(&self, given: &str) -> Error {
        let known = ARCHITECTURES.join(", ");
        let path = self.path.display();
        if given.is_empty() {
            return Error::Model(ModelError::Unsupported(format!(
                "{path}: names no model_type; supported are {known}"
            )));
        }
        Error::Model(ModelError::Unsupported(format!(
            "{path}: model_type `{given}` is not supported; supported are {known}, and of decoder-only models \
             gemma2, gemma3, hunyuan_v1_dense, llama, qwen2 and qwen3 (as GGUF, too)"
        )))
    }

    /// A number that must be there and above zero, and small enough for arithmetic not to overflow.
    fn need(&self, name: &str, value: Option<usize>) -> Result<usize> {
        match value {
            Some(n) if n > 0 && n <= 1 << 24 => Ok(n),
            Some(n) => Err(Error::Model(ModelError::damaged(format!(
                "{}: {name} is {n}, which cannot be",
                self.path.display()
            )))),
            None => Err(Error::Model(ModelError::Missing(format!(
                "{}: lacks {name}; download it again",
                self.path.display()
            )))),
        }
    }

    fn check_heads(&self, d: usize, heads: usize, name: &str) -> Result<()> {
        if d.is_multiple_of(heads) && d.is_multiple_of(2) {
            return Ok(());
        }
        Err(Error::Model(ModelError::damaged(format!(
            "{}: a width of {d} cannot be split into {heads} ({name})",
            self.path.display()
        ))))
    }

    fn activation(&self, name: Option<&str>, default: &str) -> Result<Activation> {
        match name.unwrap_or(default) {
            "relu" => Ok(Activation::Relu),
            "gelu" => Ok(Activation::GeluErf),
            "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Ok(Activation::GeluTanh),
            "silu" | "swish" => Ok(Activation::Silu),
            other => Err(Error::Model(ModelError::Unsupported(format!(
                "{}: activation `{other}` is not supported; relu, gelu, gelu_new and swish are",
                self.path.display()
            )))),
        }
    }

    /// What the four architectures of transformers share; they differ in what `marian`, `m2m100` and `bart` change.
    fn fairseq(&self, positions: Positions, pre_norm: bool, activation: &str) -> Result<FairseqConfig> {
        let raw = self.raw;
        let d = self.need("d_model", raw.d_model)?;
        let vocab_size = self.need("vocab_size", raw.vocab_size)?;
        let max_positions = self.need("max_position_embeddings", raw.max_position_embeddings.or(Some(1024)))?;
        let stack = |side: &str, layers, heads, ffn| -> Result<Stack> {
            Ok(Stack {
                layers: self.need(&format!("{side}_layers"), layers)?,
                heads: self.need(&format!("{side}_attention_heads"), heads)?,
                ffn: self.need(&format!("{side}_ffn_dim"), ffn)?,
                vocab_size,
                max_positions,
                pre_norm,
                final_norm: pre_norm,
            })
        };
        Ok(FairseqConfig {
            model_type: String::new(),
            d,
            encoder: stack("encoder", raw.encoder_layers, raw.encoder_attention_heads, raw.encoder_ffn_dim)?,
            decoder: stack("decoder", raw.decoder_layers, raw.decoder_attention_heads, raw.decoder_ffn_dim)?,
            activation: self.activation(raw.activation_function.as_deref(), activation)?,
            embedding_scale: if raw.scale_embedding { (d as f64).sqrt() } else { 1.0 },
            embedding_norm: false,
            positions,
            one_vocabulary: true,
        })
    }

    fn marian(&self) -> Result<FairseqConfig> {
        let d = self.need("d_model", self.raw.d_model)?;
        let positions = Positions::Sinusoidal { offset: 0, pad: None, divisor: (d / 2).max(1) };
        let mut config = self.fairseq(positions, false, "gelu")?;
        config.one_vocabulary = self.raw.share_encoder_decoder_embeddings.unwrap_or(true);
        if let (Some(n), false) = (self.raw.decoder_vocab_size, config.one_vocabulary) {
            config.decoder.vocab_size = n;
        }
        Ok(config)
    }

    /// fairseq's sinusoidal table: the rows up to the padding id are not used, so that position 0 is row pad + 1.
    fn fairseq_sinusoidal(&self, d: usize) -> Positions {
        let pad = self.raw.pad_token_id.unwrap_or(1);
        Positions::Sinusoidal { offset: pad as usize + 1, pad: Some(pad), divisor: (d / 2).saturating_sub(1).max(1) }
    }

    fn m2m100(&self) -> Result<FairseqConfig> {
        let d = self.need("d_model", self.raw.d_model)?;
        self.fairseq(self.fairseq_sinusoidal(d), true, "relu")
    }

    fn bart(&self, multilingual: bool) -> Result<FairseqConfig> {
        let config = self.fairseq(Positions::Learned { offset: 2 }, multilingual, "gelu")?;
        Ok(FairseqConfig { embedding_norm: true, ..config })
    }

    /// IndicTrans2 (AI4Bharat, `configuration_indictrans.py`) and its rotary variant, whose heads are turned by
    /// half as in VarunGumma's fairseq.
    fn indictrans(&self) -> Result<FairseqConfig> {
        let raw = self.raw;
        let names = raw.model_type.iter().chain(raw.architectures.iter().flatten());
        let rotary = names.map(|name| name.to_lowercase()).any(|name| name.contains("rotary"));
        let d = self.need("encoder_embed_dim", raw.encoder_embed_dim)?;
        if raw.decoder_embed_dim.is_some_and(|other| other != d) {
            return Err(Error::Model(ModelError::Unsupported(format!(
                "{}: encoder_embed_dim and decoder_embed_dim differ, which is not supported",
                self.path.display()
            ))));
        }
        let stack =
            |side: &str, layers, heads, ffn, vocab, positions: Option<usize>, before: Option<bool>| -> Result<Stack> {
                let pre_norm = before.unwrap_or(false);
                Ok(Stack {
                    layers: self.need(&format!("{side}_layers"), layers)?,
                    heads: self.need(&format!("{side}_attention_heads"), heads)?,
                    ffn: self.need(&format!("{side}_ffn_dim"), ffn)?,
                    vocab_size: self.need(&format!("{side}_vocab_size"), vocab)?,
                    max_positions: self.need("max_positions", positions.or(Some(210)))?,
                    pre_norm,
                    final_norm: pre_norm,
                })
            };
        let encoder = stack(
            "encoder",
            raw.encoder_layers,
            raw.encoder_attention_heads,
            raw.encoder_ffn_dim,
            raw.encoder_vocab_size,
            raw.max_source_positions,
            raw.encoder_normalize_before,
        )?;
        let decoder = stack(
            "decoder",
            raw.decoder_layers,
            raw.decoder_attention_heads,
            raw.decoder_ffn_dim,
            raw.decoder_vocab_size,
            raw.max_target_positions,
            raw.decoder_normalize_before,
        )?;
        let rope = raw.rope_args.as_ref().or(raw.rope_scaling.as_ref());
        let positions = match rotary || rope.is_some() || raw.rope_theta.is_some() {
            true => {
                let theta = rope.and_then(|rope| rope.theta).or(raw.rope_theta);
                let factor = rope.and_then(|rope| rope.scaling_factor);
                self.rotary(theta, factor, d / encoder.heads, d / decoder.heads)?
            }
            false => self.fairseq_sinusoidal(d),
        };
        Ok(FairseqConfig {
            model_type: String::new(),
            d,
            encoder,
            decoder,
            activation: self.activation(raw.activation_function.as_deref(), "relu")?,
            embedding_scale: if raw.scale_embedding { (d as f64).sqrt() } else { 1.0 },
            embedding_norm: raw.layernorm_embedding.unwrap_or(false),
            positions,
            one_vocabulary: false,
        })
    }

    fn rotary(
        &self,
        theta: Option<f64>,
        factor: Option<f64>,
        encoder_head: usize,
        decoder_head: usize,
    ) -> Result<Positions> {
        let (theta, factor) = (theta.unwrap_or(10_000.0), factor.unwrap_or(1.0));
        let sane = theta.is_finite() && theta > 1.0 && factor.is_finite() && factor > 0.0;
        if encoder_head != decoder_head || !encoder_head.is_multiple_of(4) || !sane {
            return Err(Error::Model(ModelError::Unsupported(format!(
                "{}: rotary positions with heads of {encoder_head} and {decoder_head}, theta {theta} and factor {factor} \
                 are not supported",
                self.path.display()
            ))));
        }
        Ok(Positions::Rotary { dims: encoder_head / 2, theta, factor })
    }

    fn t5(&self, model_type: &str) -> Result<T5Config> {
        let raw = self.raw;
        let layers = self.need("num_layers", raw.num_layers)?;
        let projection =
            raw.feed_forward_proj.as_deref().unwrap_or(if model_type == "t5" { "relu" } else { "gated-gelu" });
        let (gated, name) = match projection.strip_prefix("gated-") {
            // Since T5 1.1 "gated-gelu" has meant the tanh approximation.
            Some("gelu") => (true, "gelu_new"),
            Some(name) => (true, name),
            None => (false, projection),
        };
        let buckets = self.need("relative_attention_num_buckets", raw.relative_attention_num_buckets.or(Some(32)))?;
        let max_distance =
            self.need("relative_attention_max_distance", raw.relative_attention_max_distance.or(Some(128)))?;
        if buckets < 4 || max_distance <= buckets / 2 {
            return Err(Error::Model(ModelError::damaged(format!(
                "{}: {buckets} position buckets up to a distance of {max_distance} cannot be",
                self.path.display()
            ))));
        }
        let tied = raw.tie_word_embeddings.unwrap_or(true);
        Ok(T5Config {
            model_type: model_type.to_string(),
            d: self.need("d_model", raw.d_model)?,
            head_dim: self.need("d_kv", raw.d_kv)?,
            heads: self.need("num_heads", raw.num_heads)?,
            ffn: self.need("d_ff", raw.d_ff)?,
            encoder_layers: layers,
            decoder_layers: self.need("num_decoder_layers", raw.num_decoder_layers.or(Some(layers)))?,
            vocab_size: self.need("vocab_size", raw.vocab_size)?,
            max_positions: raw.n_positions.filter(|&n| n > 0).unwrap_or(1024),
            activation: self.activation(Some(name), "relu")?,
            gated,
            buckets,
            max_distance,
            bias_per_layer: model_type == "umt5",
            // transformers 5 writes it out for T5, ties mT5 without scaling and scales umT5.
            scale_output: raw.scale_decoder_outputs.unwrap_or(tied && model_type != "mt5"),
            eps: raw.layer_norm_epsilon.unwrap_or(1e-6),
        })
    }
}

#[cfg(test)]
mod tests;
