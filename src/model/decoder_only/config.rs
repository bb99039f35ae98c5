//! The shape of a decoder-only network, read from a GGUF file's metadata.
use crate::kernels::rows::Activation;
use crate::model::weights::TensorSource;
use crate::model::weights::gguf::{Gguf, Value};
use crate::{Error, Result};

/// Architectures that [`DecoderConfig::from_gguf`] knows.
pub const ARCHITECTURES: [&str; 4] = ["gemma3", "llama", "qwen2", "qwen3"];

/// Everything that tells one decoder-only network from another.
#[derive(Debug, Clone, PartialEq)]
pub struct DecoderConfig {
    pub architecture: String,
    pub vocab_size: usize,
    pub d: usize,
    pub layers: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub head_dim: usize,
    pub ffn: usize,
    pub eps: f64,
    pub activation: Activation,
    /// Embeddings are multiplied by this (Gemma: √d, rounded as bf16 would not matter in f32).
    pub embedding_scale: f64,
    pub attention_scale: f64,
    /// Rotary base and linear position factor of the layers that see everything.
    pub rope_base: f64,
    pub rope_factor: f64,
    /// Rotary base of the layers with a sliding window.
    pub rope_base_local: f64,
    pub rope_interleaved: bool,
    /// Tokens that a sliding-window layer sees, itself included.
    pub window: Option<usize>,
    /// Every n-th layer sees everything, the others the window (Gemma 3: 6).
    pub window_pattern: usize,
    /// RMS norm of each query and key head.
    pub head_norms: bool,
    /// Norms after attention and feed-forward, before the residual is added.
    pub post_norms: bool,
    /// Biases of the query, key and value projections.
    pub qkv_bias: bool,
    /// `output.weight` is there; otherwise the embedding serves as output layer.
    pub untied: bool,
    pub context: usize,
}

impl DecoderConfig {
    /// Reads and checks the configuration of a GGUF file.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self> {
        let architecture = gguf.text("general.architecture").unwrap_or("(none)").to_string();
        if !ARCHITECTURES.contains(&architecture.as_str()) {
            return Err(Error::Model(format!(
                "{}: architecture `{architecture}` is not supported; decoder-only GGUF files of {} are",
                gguf.name,
                ARCHITECTURES.join(", ")
            )));
        }
        let key = |name: &str| format!("{architecture}.{name}");
        let integer = |name: &str| gguf.integer(&key(name));
        let gemma = architecture == "gemma3";
        let d = integer("embedding_length")?;
        let heads = integer("attention.head_count")?;
        let config = Self {
            vocab_size: gguf.texts("tokenizer.ggml.tokens")?.len(),
            d,
            layers: integer("block_count")?,
            heads,
            kv_heads: integer("attention.head_count_kv").unwrap_or(heads),
            head_dim: integer("attention.key_length").unwrap_or(d / heads.max(1)),
            ffn: integer("feed_forward_length")?,
            eps: gguf.float(&key("attention.layer_norm_rms_epsilon"))?,
            activation: if gemma { Activation::GeluTanh } else { Activation::Silu },
            embedding_scale: if gemma { (d as f64).sqrt() } else { 1.0 },
            attention_scale: 1.0,
            rope_base: gguf.float(&key("rope.freq_base")).unwrap_or(if gemma { 1e6 } else { 1e4 }),
            rope_factor: gguf.float(&key("rope.scaling.factor")).unwrap_or(1.0),
            rope_base_local: gguf.float(&key("rope.freq_base_swa")).unwrap_or(1e4),
            rope_interleaved: architecture == "llama",
            window: if gemma { integer("attention.sliding_window").ok() } else { None },
            window_pattern: 6,
            head_norms: gemma || architecture == "qwen3",
            post_norms: gemma,
            qkv_bias: architecture == "qwen2",
            untied: gguf.find("output.weight")?.is_some(),
            context: integer("context_length")?,
            architecture,
        };
        config.check(gguf)?;
        // Gemma 3 27B alone scales by its model width instead of its head size.
        let scale = if gemma && config.layers == 62 { d as f64 / heads as f64 } else { config.head_dim as f64 };
        Ok(Self { attention_scale: scale.powf(-0.5), ..config })
    }

    fn check(&self, gguf: &Gguf) -> Result<()> {
        let wrong = |what: &str| Err(Error::Model(format!("{}: {what}; the file is damaged", gguf.name)));
        let sane = |n: usize, most: usize| n > 0 && n <= most;
        if !sane(self.d, 1 << 16) || !sane(self.layers, 512) || !sane(self.ffn, 1 << 20) || !sane(self.context, 1 << 24)
        {
            return wrong("the layer sizes are absurd");
        }
        if !sane(self.heads, 1024) || !sane(self.kv_heads, 1024) || !self.heads.is_multiple_of(self.kv_heads) {
            return wrong(&format!("{} query heads don't share {} key heads", self.heads, self.kv_heads));
        }
        if !sane(self.head_dim, 1024) || !self.head_dim.is_multiple_of(2) {
            return wrong(&format!("a head size of {} is impossible", self.head_dim));
        }
        if let Some(Value::Text(kind)) = gguf.get(&format!("{}.rope.scaling.type", self.architecture))
            && !["none", "linear"].contains(&kind.as_str())
        {
            return Err(Error::Model(format!("{}: rotary scaling of the kind `{kind}` is not supported", gguf.name)));
        }
        Ok(())
    }

    /// Whether layer `index` sees only the window.
    pub fn is_local(&self, index: usize) -> bool {
        self.window.is_some() && !(index + 1).is_multiple_of(self.window_pattern)
    }
}
