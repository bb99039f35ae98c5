//! The shape of a decoder-only network, read from the `config.json` of a checkpoint of the Hub.
use super::config::{DecoderConfig, every};
use crate::error::ModelError;
use crate::kernels::rows::Activation;
use crate::{Error, Result};
use serde_json::Value;
use std::path::Path;

/// What `model_type` may be.
pub const MODEL_TYPES: [&str; 7] = ["gemma2", "gemma3", "gemma3_text", "hunyuan_v1_dense", "llama", "qwen2", "qwen3"];

/// The part of a configuration that describes the text network, with the file's name for errors.
struct Keys<'a> {
    text: &'a Value,
    whole: &'a Value,
    origin: String,
}

impl Keys<'_> {
    fn wrong(&self, what: impl std::fmt::Display) -> Error {
        Error::Model(ModelError::damaged(format!("{}: {what}", self.origin)))
    }

    /// A whole number; of a multimodal model's text part transformers leaves out what is as usual.
    fn integer(&self, key: &str, usual: Option<usize>) -> Result<usize> {
        match &self.text[key] {
            Value::Null => usual.ok_or_else(|| self.wrong(format!("`{key}` is missing; download the file again"))),
            value => value.as_u64().map(|v| v as usize).ok_or_else(|| self.wrong(format!("`{key}` is {value}"))),
        }
    }

    fn number(&self, key: &str, usual: f64) -> Result<f64> {
        match &self.text[key] {
            Value::Null => Ok(usual),
            value => value.as_f64().ok_or_else(|| self.wrong(format!("`{key}` is {value}"))),
        }
    }

    fn is_true(&self, key: &str) -> bool {
        self.text[key].as_bool().unwrap_or(false)
    }
}

/// Rotation of one kind of layer.
struct Rope {
    base: f64,
    factor: f64,
    factors: Option<Vec<f32>>,
}

impl DecoderConfig {
    /// Reads and checks a `config.json` whose `model_type` is one of [`MODEL_TYPES`]. `untied`: the checkpoint has an
    /// output layer of its own.
    ///
    /// # Errors
    /// A key that is missing or impossible, or a setting that the network does not have; each is named.
    pub fn from_hub(whole: &Value, origin: &Path, untied: bool) -> Result<Self> {
        let model_type = whole["model_type"].as_str().unwrap_or_default();
        let text = if whole["text_config"].is_object() { &whole["text_config"] } else { whole };
        let keys = Keys { text, whole, origin: origin.display().to_string() };
        let (gemma2, gemma3) = (model_type == "gemma2", model_type.starts_with("gemma3"));
        let gemma = gemma2 || gemma3;
        let usual = |value: usize| gemma3.then_some(value);
        let d = keys.integer("hidden_size", usual(2304))?;
        let layers = keys.integer("num_hidden_layers", usual(26))?;
        let heads = keys.integer("num_attention_heads", usual(8))?;
        let per_head = if gemma {
            256
        } else if model_type == "qwen3" {
            128
        } else {
            d / heads.max(1)
        };
        let head_dim = keys.integer(keys.either("head_dim", "attention_head_dim"), Some(per_head))?;
        let full = rope(&keys, "full_attention", head_dim, if gemma3 { 1e6 } else { 1e4 })?;
        let local = if gemma3 { rope(&keys, "sliding_attention", head_dim, 1e4)?.base } else { full.base };
        keys.refuse_what_is_not_there(gemma)?;
        let scale = if gemma { keys.number("query_pre_attn_scalar", 256.0)? } else { head_dim as f64 };
        let softcap = |key: &str, usual: Option<f64>| match &keys.text[key] {
            Value::Null if keys.text.get(key).is_some() => None,
            Value::Null => usual,
            value => value.as_f64(),
        };
        let tied = keys.text["tie_word_embeddings"].as_bool().or(keys.whole["tie_word_embeddings"].as_bool());
        let config = Self {
            architecture: model_type.to_owned(),
            vocab_size: keys.integer("vocab_size", usual(262_208))?,
            d,
            layers,
            heads,
            kv_heads: keys.integer("num_key_value_heads", usual(4).or(Some(heads)))?,
            head_dim,
            ffn: keys.integer("intermediate_size", usual(9216))?,
            eps: keys.number("rms_norm_eps", if model_type.starts_with("hunyuan") { 1e-5 } else { 1e-6 })?,
            activation: if gemma { Activation::GeluTanh } else { Activation::Silu },
            embedding_scale: if gemma { (d as f64).sqrt() } else { 1.0 },
            attention_scale: scale.powf(-0.5),
            rope_base: full.base,
            rope_factor: full.factor,
            rope_base_local: local,
            rope_interleaved: false,
            rope_factors: full.factors,
            window: keys.window(gemma)?,
            local: keys.local_layers(layers, gemma2)?,
            head_norms: gemma3 || model_type == "qwen3" || keys.hunyuan_norms(model_type),
            norms_last: model_type == "hunyuan_v1_dense",
            norm_offset: if gemma { 1.0 } else { 0.0 },
            attention_softcap: softcap("attn_logit_softcapping", gemma2.then_some(50.0)),
            final_softcap: softcap("final_logit_softcapping", gemma2.then_some(30.0)),
            post_norms: gemma,
            qkv_bias: model_type == "qwen2" || keys.is_true("attention_bias"),
            // Where nothing is said, the families' own habit decides: Gemma ties, the others do if the file has no head.
            untied: !tied.unwrap_or(gemma || !untied),
            context: keys.integer("max_position_embeddings", usual(131_072).or(gemma2.then_some(8192)))?,
        };
        config.check(&keys.origin)?;
        Ok(config)
    }
}

impl Keys<'_> {
    /// The first of two names of a key that is there.
    fn either(&self, one: &'static str, other: &'static str) -> &'static str {
        if self.text[one].is_null() { other } else { one }
    }

    fn hunyuan_norms(&self, model_type: &str) -> bool {
        model_type == "hunyuan_v1_dense" && self.text["use_qk_norm"].as_bool() != Some(false)
    }

    /// What the window is, where any layer has one.
    fn window(&self, gemma: bool) -> Result<Option<usize>> {
        let listed = self.text["layer_types"].as_array().into_iter().flatten().any(|kind| kind == "sliding_attention");
        if !gemma && !self.is_true("use_sliding_window") && !listed {
            return Ok(None);
        }
        match &self.text["sliding_window"] {
            Value::Null if gemma && self.text.get("sliding_window").is_none() => Ok(Some(4096)),
            Value::Null => Ok(None),
            _ => self.integer("sliding_window", None).map(Some),
        }
    }

    /// Which layers see only the window: listed, or all but every n-th; Qwen's are those from `max_window_layers` on.
    fn local_layers(&self, layers: usize, gemma2: bool) -> Result<Vec<bool>> {
        if let Some(list) = self.text["layer_types"].as_array() {
            if list.len() != layers {
                return Err(self.wrong(format!("`layer_types` has {} entries for {layers} layers", list.len())));
            }
            let known = |kind: &Value| kind == "sliding_attention" || kind == "full_attention";
            if let Some(other) = list.iter().find(|kind| !known(kind)) {
                return Err(self.wrong(format!("layers of the type {other} are not supported")));
            }
            return Ok(list.iter().map(|kind| kind == "sliding_attention").collect());
        }
        if self.is_true("use_sliding_window") {
            let from = self.integer("max_window_layers", Some(layers))?;
            return Ok((0..layers).map(|layer| layer >= from).collect());
        }
        let usual = if gemma2 { 2 } else { 6 };
        let key = self.either("sliding_window_pattern", "_sliding_window_pattern");
        Ok(every(self.integer(key, Some(usual))?, layers))
    }

    /// Settings that would make another network of it.
    fn refuse_what_is_not_there(&self, gemma: bool) -> Result<()> {
        let activation = self.text["hidden_activation"].as_str().or(self.text["hidden_act"].as_str());
        let known: &[&str] = if gemma { &["gelu_pytorch_tanh"] } else { &["silu", "swish"] };
        if let Some(other) = activation.filter(|name| !known.contains(name)) {
            return Err(self.wrong(format!("the activation `{other}` is not supported for this model type")));
        }
        if self.is_true("use_bidirectional_attention") {
            return Err(self.wrong("looks both ways, as models of embeddings do; it generates no text"));
        }
        if let Some(method) = self.whole["quantization_config"].as_object() {
            let method = method.get("quant_method").and_then(Value::as_str).unwrap_or("some");
            return Err(self.wrong(format!(
                "the weights are quantized by the method `{method}`, which is not supported; use the model in bf16, f16 \
                 or f32, or as GGUF"
            )));
        }
        Ok(())
    }
}

/// The rotation of layers of the kind `layers`, as new files (`rope_parameters`, by kind of layer or for all) and old ones
/// (`rope_theta`, `rope_scaling`, `rope_local_base_freq`) have it.
fn rope(keys: &Keys<'_>, layers: &str, head_dim: usize, usual: f64) -> Result<Rope> {
    let new = &keys.text["rope_parameters"];
    let new = if new[layers].is_object() { &new[layers] } else { new };
    let local = layers == "sliding_attention";
    let nothing = Value::Null;
    let (base, scaling) = match new.is_object() {
        true => (new["rope_theta"].as_f64().or(keys.text["rope_theta"].as_f64()), new),
        false if local => (keys.text["rope_local_base_freq"].as_f64(), &nothing),
        false => (keys.text["rope_theta"].as_f64(), &keys.text["rope_scaling"]),
    };
    let mut rope = Rope { base: base.unwrap_or(usual), factor: 1.0, factors: None };
    let number = |key: &str| scaling[key].as_f64().filter(|v| *v > 0.0);
    let need = |key: &str| number(key).ok_or_else(|| keys.wrong(format!("rotary scaling without a sound `{key}`")));
    match scaling["rope_type"].as_str().or(scaling["type"].as_str()).unwrap_or("default") {
        "default" => {}
        "linear" => rope.factor = need("factor")?,
        // Hunyuan's: a fixed stretch of the base, whatever it is called.
        "dynamic" | "ntk_alpha" if number("alpha").is_some() => {
            rope.base *= need("alpha")?.powf(head_dim as f64 / (head_dim as f64 - 2.0));
        }
        "llama3" => {
            let parts = (need("factor")?, need("low_freq_factor")?, need("high_freq_factor")?);
            let trained = need("original_max_position_embeddings")?;
            rope.factors = Some(llama3(rope.base, head_dim, parts, trained));
        }
        other => return Err(keys.wrong(format!("rotary scaling of the kind `{other}` is not supported"))),
    }
    Ok(rope)
}

/// What each frequency is divided by: those slower than the trained context by `factor`, fast ones by nothing, those
/// between by something between.
fn llama3(base: f64, head_dim: usize, (factor, low, high): (f64, f64, f64), trained: f64) -> Vec<f32> {
    let divisor = |i: usize| {
        let wavelength = 2.0 * std::f64::consts::PI * base.powf(2.0 * i as f64 / head_dim as f64);
        if wavelength < trained / high {
            return 1.0;
        }
        if wavelength > trained / low {
            return factor as f32;
        }
        let smooth = (trained / wavelength - low) / (high - low);
        (1.0 / ((1.0 - smooth) / factor + smooth)) as f32
    };
    (0..head_dim / 2).map(divisor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &Value) -> Result<DecoderConfig> {
        DecoderConfig::from_hub(value, Path::new("config.json"), true)
    }

    fn llama() -> Value {
        json!({ "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
            "num_key_value_heads": 2, "intermediate_size": 128, "vocab_size": 300, "max_position_embeddings": 512 })
    }

    #[test]
    fn old_and_new_keys_say_the_same() {
        let mut old = llama();
        old["rope_theta"] = json!(5e5);
        let scaling = json!({ "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192 });
        old["rope_scaling"] = scaling.clone();
        let mut new = llama();
        new["rope_parameters"] = scaling;
        new["rope_parameters"]["rope_theta"] = json!(5e5);
        assert_eq!(read(&old).unwrap(), read(&new).unwrap());
        let factors = read(&new).unwrap().rope_factors.unwrap();
        assert_eq!((factors[0], factors[7]), (1.0, 8.0), "fast ones stay, slow ones are stretched");
        assert_eq!(read(&llama()).unwrap().head_dim, 16);
    }

    #[test]
    fn the_text_part_of_a_multimodal_model_leaves_out_what_is_usual() {
        let whole = json!({ "model_type": "gemma3", "text_config": { "model_type": "gemma3_text", "hidden_size": 2560,
            "intermediate_size": 10240, "num_hidden_layers": 34, "sliding_window": 1024,
            "rope_scaling": { "factor": 8.0, "rope_type": "linear" } }, "vision_config": {} });
        let c = read(&whole).unwrap();
        assert_eq!((c.heads, c.kv_heads, c.head_dim, c.vocab_size), (8, 4, 256, 262_208));
        assert_eq!((c.rope_base, c.rope_base_local, c.rope_factor), (1e6, 1e4, 8.0));
        assert!(c.is_local(0) && !c.is_local(5) && !c.untied && c.norm_offset == 1.0);
    }

    #[test]
    fn what_would_be_another_network_is_refused_by_name() {
        let edited = |key: &str, value: Value| {
            let mut config = llama();
            config[key] = value;
            read(&config).unwrap_err().to_string()
        };
        for (key, value, word) in [
            ("rope_scaling", json!({ "type": "yarn", "factor": 4.0 }), "`yarn`"),
            ("hidden_act", json!("relu"), "`relu`"),
            ("quantization_config", json!({ "quant_method": "gptq" }), "`gptq`"),
            ("layer_types", json!(["full_attention"]), "1 entries for 2 layers"),
            ("layer_types", json!(["full_attention", "linear_attention"]), "linear_attention"),
            ("hidden_size", Value::Null, "`hidden_size` is missing"),
            ("num_attention_heads", json!(3), "3 query heads"),
            ("head_dim", json!("x"), "`head_dim`"),
        ] {
            let error = edited(key, value);
            assert!(error.contains(word) && error.contains("config.json"), "{key}: {error}");
        }
    }
}
