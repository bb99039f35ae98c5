//! The shape of a decoder-only network, read from a GGUF file's metadata.
use crate::error::ModelError;
use crate::kernels::rows::Activation;
use crate::model::weights::TensorSource;
use crate::model::weights::gguf::{Gguf, Value};
use crate::{Error, Result};

/// Architectures that [`DecoderConfig::from_gguf`] knows.
pub const ARCHITECTURES: [&str; 6] = ["gemma2", "gemma3", "hunyuan-dense", "llama", "qwen2", "qwen3"];

/// Everything that tells one decoder-only network from another.
#[derive(Debug, Clone, PartialEq)]
pub struct DecoderConfig {
    /// Its name in GGUF files, such as `gemma3`.
    pub architecture: String,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub d: usize,
    /// Number of layers.
    pub layers: usize,
    /// Query heads of a layer.
    pub heads: usize,
    /// Key and value heads of a layer; a divisor of `heads`.
    pub kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Width of the feed-forward layer.
    pub ffn: usize,
    /// Added to the mean square in norms.
    pub eps: f64,
    /// Nonlinearity of the feed-forward layer.
    pub activation: Activation,
    /// Embeddings are multiplied by this (Gemma: √d, rounded as bf16 would not matter in f32).
    pub embedding_scale: f64,
    /// Queries are multiplied by this.
    pub attention_scale: f64,
    /// Rotary base and linear position factor of the layers that see everything.
    pub rope_base: f64,
    /// Positions are divided by this.
    pub rope_factor: f64,
    /// Rotary base of the layers with a sliding window.
    pub rope_base_local: f64,
    /// Neighbors are turned as a pair, rather than halves of a head.
    pub rope_interleaved: bool,
    /// What each rotary frequency of those layers is divided by (Llama 3).
    pub rope_factors: Option<Vec<f32>>,
    /// Tokens that a sliding-window layer sees, itself included.
    pub window: Option<usize>,
    /// Of each layer, whether it sees only the window.
    pub local: Vec<bool>,
    /// RMS norm of each query and key head, …
    pub head_norms: bool,
    /// … after their rotation instead of before it (Hunyuan).
    pub norms_last: bool,
    /// Added to the weights of all norms: Gemma's checkpoints on the Hub hold them less one.
    pub norm_offset: f32,
    /// Attention scores and logits are held below these (Gemma 2).
    pub attention_softcap: Option<f64>,
    /// The same for the logits.
    pub final_softcap: Option<f64>,
    /// Norms after attention and feed-forward, before the residual is added.
    pub post_norms: bool,
    /// Biases of the query, key and value projections must be there; elsewhere biases are read where there are some.
    pub qkv_bias: bool,
    /// `output.weight` is there; otherwise the embedding serves as output layer.
    pub untied: bool,
    /// Most tokens of prompt and output together.
    pub context: usize,
}

impl DecoderConfig {
    /// Reads and checks the configuration of a GGUF file.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self> {
        let architecture = gguf.text("general.architecture").unwrap_or("(none)").to_string();
        if !ARCHITECTURES.contains(&architecture.as_str()) {
            return Err(Error::Model(ModelError::Unsupported(format!(
                "{}: architecture `{architecture}` is not supported; decoder-only GGUF files of {} are",
                gguf.name,
                ARCHITECTURES.join(", ")
            ))));
        }
        let key = |name: &str| format!("{architecture}.{name}");
        let integer = |name: &str| gguf.integer(&key(name));
        let (gemma2, gemma3) = (architecture == "gemma2", architecture == "gemma3");
        let gemma = gemma2 || gemma3;
        let d = integer("embedding_length")?;
        let heads = integer("attention.head_count")?;
        let layers = integer("block_count")?;
        let rope_base = gguf.float(&key("rope.freq_base")).unwrap_or(if gemma3 { 1e6 } else { 1e4 });
        let softcap = |name: &str, usual: f64| gemma2.then(|| gguf.float(&key(name)).unwrap_or(usual));
        let config = Self {
            vocab_size: gguf.texts("tokenizer.ggml.tokens")?.len(),
            d,
            layers,
            heads,
            kv_heads: integer("attention.head_count_kv").unwrap_or(heads),
            head_dim: integer("attention.key_length").unwrap_or(d / heads.max(1)),
            ffn: integer("feed_forward_length")?,
            eps: gguf.float(&key("attention.layer_norm_rms_epsilon"))?,
            activation: if gemma { Activation::GeluTanh } else { Activation::Silu },
            embedding_scale: if gemma { (d as f64).sqrt() } else { 1.0 },
            attention_scale: 1.0,
            rope_base,
            rope_factor: gguf.float(&key("rope.scaling.factor")).unwrap_or(1.0),
            rope_base_local: gguf.float(&key("rope.freq_base_swa")).unwrap_or(if gemma3 { 1e4 } else { rope_base }),
            rope_interleaved: architecture == "llama",
            rope_factors: None,
            window: if gemma { integer("attention.sliding_window").ok() } else { None },
            local: local_layers(gguf.get(&key("attention.sliding_window_pattern")), layers, if gemma2 { 2 } else { 6 }),
            head_norms: gemma3 || ["qwen3", "hunyuan-dense"].contains(&architecture.as_str()),
            norms_last: architecture == "hunyuan-dense",
            norm_offset: 0.0,
            attention_softcap: softcap("attn_logit_softcapping", 50.0),
            final_softcap: softcap("final_logit_softcapping", 30.0),
            post_norms: gemma,
            qkv_bias: architecture == "qwen2",
            untied: gguf.find("output.weight")?.is_some(),
            context: integer("context_length")?,
            architecture,
        };
        config.check(&gguf.name)?;
        config.check_rotation(gguf)?;
        // Gemma's 27B models alone scale by their model width instead of their head size.
        let widest = (gemma3 && layers == 62) || (gemma2 && layers == 46);
        let scale = if widest { d as f64 / heads as f64 } else { config.head_dim as f64 };
        let rope_factors = match gguf.find("rope_freqs.weight")? {
            Some(_) => Some((gguf as &dyn TensorSource).floats("rope_freqs.weight", &[config.head_dim / 2])?),
            None => None,
        };
        Ok(Self { attention_scale: scale.powf(-0.5), rope_factors, ..config })
    }

    /// Nothing about the numbers is impossible; `name` is for the error.
    pub(super) fn check(&self, name: &str) -> Result<()> {
        let wrong = |what: &str| Err(Error::Model(ModelError::damaged(format!("{name}: {what}; the file is damaged"))));
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
        Ok(())
    }

    /// The rotation is one that the network has.
    fn check_rotation(&self, gguf: &Gguf) -> Result<()> {
        let rotated = gguf.integer(&format!("{}.rope.dimension_count", self.architecture)).unwrap_or(self.head_dim);
        if rotated != self.head_dim {
            return Err(Error::Model(ModelError::Unsupported(format!(
                "{}: turns {rotated} of {} numbers of a head, which is not supported",
                gguf.name, self.head_dim
            ))));
        }
        if let Some(Value::Text(kind)) = gguf.get(&format!("{}.rope.scaling.type", self.architecture))
            && !["none", "linear"].contains(&kind.as_str())
        {
            return Err(Error::Model(ModelError::Unsupported(format!(
                "{}: rotary scaling of the kind `{kind}` is not supported",
                gguf.name
            ))));
        }
        Ok(())
    }

    /// Whether layer `index` sees only the window.
    pub fn is_local(&self, index: usize) -> bool {
        self.window.is_some() && self.local.get(index).copied().unwrap_or(false)
    }
}

/// Which layers see only the window: as listed, or all but every n-th.
fn local_layers(pattern: Option<&Value>, layers: usize, usual: usize) -> Vec<bool> {
    match pattern {
        Some(Value::Bools(list)) => (0..layers).map(|i| list.get(i).copied().unwrap_or(false)).collect(),
        Some(Value::Integers(list)) => (0..layers).map(|i| list.get(i).is_some_and(|&v| v != 0)).collect(),
        Some(Value::U64(n)) => every(*n as usize, layers),
        _ => every(usual, layers),
    }
}

/// All layers but every n-th.
pub(super) fn every(n: usize, layers: usize) -> Vec<bool> {
    (1..=layers).map(|layer| !layer.is_multiple_of(n.max(1))).collect()
}
