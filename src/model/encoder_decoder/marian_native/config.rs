//! What `special:model.yml` says of the network.
use super::yaml::{self, Value};
use crate::error::ModelError;
use crate::kernels::rows::Activation;
use crate::model::weights::marian::MarianFile;
use crate::{Error, Result};
use std::collections::BTreeMap;

/// Sizes beyond these are damage.
const MOST_LAYERS: usize = 256;
const MOST_WIDTH: usize = 1 << 16;

/// How the decoder remembers what it has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecoderKind {
    /// A recurrent cell (SSRU).
    Ssru,
    /// Attention to what was written before.
    SelfAttention,
}

/// A transformer as Marian describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct MarianConfig {
    /// Width of the residual stream.
    pub d: usize,
    /// Heads of a layer.
    pub heads: usize,
    /// Width of the encoder's feed-forward layer.
    pub ffn: usize,
    /// Width of the decoder's.
    pub decoder_ffn: usize,
    /// Layers of the encoder.
    pub encoder_layers: usize,
    /// Layers of the decoder.
    pub decoder_layers: usize,
    /// Pieces of the source's vocabulary.
    pub source_vocabulary: usize,
    /// Pieces of the target's.
    pub target_vocabulary: usize,
    /// How the decoder remembers.
    pub decoder: DecoderKind,
    /// Nonlinearity of the feed-forward layers.
    pub activation: Activation,
    /// Source, target and output share one table.
    pub one_table: bool,
}

impl MarianConfig {
    /// Reads the configuration inside a file.
    ///
    /// # Errors
    /// It is missing, or names something that is not supported; the error says what, and where.
    pub fn of(file: &MarianFile) -> Result<Self> {
        Self::parse(file.config()?, file.name())
    }

    /// Reads the text of a configuration; `name` is the file's, for error texts.
    ///
    /// # Errors
    /// As [`MarianConfig::of`].
    pub fn parse(text: &str, name: &str) -> Result<Self> {
        let damaged = |what: String| {
            Error::Model(ModelError::damaged(format!(
                "{name}: the configuration in it: {what}; convert the model again"
            )))
        };
        let keys = Keys { map: yaml::parse(text).map_err(damaged)?, name };
        keys.want("type", "transformer", &["transformer"])?;
        keys.want("transformer-preprocess", "", &[""])?;
        keys.want("transformer-postprocess", "dan", &["dan", "an"])?;
        keys.want("transformer-postprocess-emb", "d", &["d", ""])?;
        keys.want("transformer-postprocess-top", "", &[""])?;
        keys.want("transformer-ffn-depth", "2", &["2"])?;
        keys.want("transformer-decoder-ffn-depth", "0", &["0", "2"])?;
        for flag in [
            "transformer-train-position-embeddings",
            "transformer-no-projection",
            "transformer-no-bias",
            "transformer-no-affine",
            "transformer-rnn-projection",
            "transformer-tied-layers",
            "output-omit-bias",
            "ulr",
            "lemma-dim-emb",
        ] {
            keys.want(flag, "false", &["false", "0", "[]", ""])?;
        }
        let autoreg = keys.text("transformer-decoder-autoreg", "self-attention")?;
        let cell = keys.text("dec-cell", "gru")?;
        let decoder = match (autoreg.as_str(), cell.as_str()) {
            ("self-attention", _) => DecoderKind::SelfAttention,
            ("rnn", "ssru") => DecoderKind::Ssru,
            ("rnn", cell) => return Err(keys.refuse("dec-cell", cell, "ssru")),
            (other, _) => return Err(keys.refuse("transformer-decoder-autoreg", other, "rnn or self-attention")),
        };
        let activation = match keys.text("transformer-ffn-activation", "swish")?.as_str() {
            "relu" => Activation::Relu,
            "swish" => Activation::Silu,
            other => return Err(keys.refuse("transformer-ffn-activation", other, "relu or swish")),
        };
        let ffn = keys.number("transformer-dim-ffn", MOST_WIDTH)?;
        let (source_vocabulary, target_vocabulary) = keys.vocabularies()?;
        let config = Self {
            d: keys.number("dim-emb", MOST_WIDTH)?,
            heads: keys.number("transformer-heads", MOST_WIDTH)?,
            ffn,
            decoder_ffn: keys.number("transformer-decoder-dim-ffn", MOST_WIDTH).unwrap_or(ffn),
            encoder_layers: keys.number("enc-depth", MOST_LAYERS)?,
            decoder_layers: keys.number("dec-depth", MOST_LAYERS)?,
            source_vocabulary,
            target_vocabulary,
            decoder,
            activation,
            one_table: keys.text("tied-embeddings-all", "false")? == "true",
        };
        if !config.d.is_multiple_of(config.heads) || !config.d.is_multiple_of(2) {
            return Err(damaged(format!("{} heads don't divide dim-emb {}", config.heads, config.d)));
        }
        Ok(config)
    }
}

struct Keys<'a> {
    map: BTreeMap<String, Value>,
    name: &'a str,
}

impl Keys<'_> {
    fn text(&self, key: &str, default: &str) -> Result<String> {
        match self.map.get(key) {
            None => Ok(default.to_owned()),
            Some(Value::Scalar(text)) if text == "~" || text == "null" => Ok(default.to_owned()),
            Some(Value::Scalar(text)) => Ok(text.clone()),
            Some(Value::List(list)) if list.is_empty() => Ok(String::new()),
            Some(Value::List(list)) => Ok(format!("[{}]", list.join(", "))),
        }
    }

    /// An error where the key has another value than those that are supported.
    fn want(&self, key: &str, default: &str, supported: &[&str]) -> Result<()> {
        let value = self.text(key, default)?;
        if supported.contains(&value.as_str()) {
            return Ok(());
        }
        Err(self.refuse(key, &value, &supported.iter().map(|s| format!("{s:?}")).collect::<Vec<_>>().join(" or ")))
    }

    fn refuse(&self, key: &str, value: &str, supported: &str) -> Error {
        Error::Model(ModelError::Unsupported(format!(
            "{}: its network has {key} {value:?}, supported is {supported}; use another model, or Marian itself",
            self.name
        )))
    }

    /// A whole number from 1 to `most`.
    fn number(&self, key: &str, most: usize) -> Result<usize> {
        let text = self.text(key, "")?;
        self.whole(key, &text, most)
    }

    fn whole(&self, key: &str, text: &str, most: usize) -> Result<usize> {
        text.parse().ok().filter(|n| (1..=most).contains(n)).ok_or_else(|| {
            Error::Model(ModelError::damaged(format!(
                "{}: its configuration gives {key} as {text:?}, which should be a number from 1 to {most}; convert the model \
                 again",
                self.name
            )))
        })
    }

    /// Pieces of the source's and of the target's vocabulary.
    fn vocabularies(&self) -> Result<(usize, usize)> {
        const KEY: &str = "dim-vocabs";
        let list = match self.map.get(KEY) {
            Some(Value::List(list)) => list.clone(),
            _ => Vec::new(),
        };
        let size = |text: &str| self.whole(KEY, text, 1 << 24);
        match &list[..] {
            [both] => Ok((size(both)?, size(both)?)),
            [source, target] => Ok((size(source)?, size(target)?)),
            other => Err(self.refuse(KEY, &format!("[{}]", other.join(", ")), "one source and one target")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TINY: &str = "type: transformer\ndim-emb: 256\ndim-vocabs:\n  - 32000\n  - 32000\nenc-depth: 6\ndec-depth: 2\n\
        dec-cell: ssru\ntransformer-decoder-autoreg: rnn\ntransformer-decoder-dim-ffn: 0\ntransformer-dim-ffn: 1536\n\
        transformer-ffn-activation: relu\ntransformer-heads: 8\ntransformer-preprocess: \"\"\ntransformer-postprocess: dan\n\
        tied-embeddings-all: true\n";

    #[test]
    fn mozillas_tiny_model_is_read() {
        let config = MarianConfig::parse(TINY, "m.bin").unwrap();
        assert_eq!((config.d, config.heads, config.ffn, config.decoder_ffn), (256, 8, 1536, 1536));
        assert_eq!((config.encoder_layers, config.decoder_layers), (6, 2));
        assert_eq!(config.decoder, DecoderKind::Ssru);
        assert!(config.one_table && config.activation == Activation::Relu);
    }

    #[test]
    fn what_is_not_supported_is_named() {
        for (from, to, named) in [
            ("dec-cell: ssru", "dec-cell: gru", "dec-cell \"gru\""),
            ("autoreg: rnn", "autoreg: average-attention", "average-attention"),
            ("activation: relu", "activation: gelu", "gelu"),
            ("postprocess: dan", "postprocess: da", "transformer-postprocess"),
            ("preprocess: \"\"", "preprocess: n", "transformer-preprocess"),
            ("type: transformer", "type: s2s", "s2s"),
            ("dim-emb: 256", "dim-emb: -1", "dim-emb"),
            ("dim-emb: 256", "dim-emb: 99999999999999999999", "dim-emb"),
            ("heads: 8", "heads: 7", "heads"),
            ("  - 32000\n  - 32000", "  - 1\n  - 2\n  - 3", "dim-vocabs"),
            ("tied-embeddings-all", "transformer-train-position-embeddings", "position"),
        ] {
            let text = TINY.replace(from, to);
            assert_ne!(text, TINY);
            let error = MarianConfig::parse(&text, "m.bin").unwrap_err().to_string();
            assert!(error.starts_with("m.bin:") && error.contains(named) && !error.contains('\n'), "{error}");
        }
    }
}
