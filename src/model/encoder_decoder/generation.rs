//! `generation_config.json` (or the same keys in an older `config.json`) → how the model is decoded.
use crate::decode::{DecodeOptions, EarlyStopping, Sampling};
use crate::error::ModelError;
use crate::{Error, Result};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// What a model says of its own decoding.
#[derive(Debug, Clone, PartialEq)]
pub struct Generation {
    /// Beams, penalties, limits and forced tokens.
    pub options: DecodeOptions,
    /// The token that decoding starts from.
    pub decoder_start: Option<u32>,
    /// Tokens that end a text.
    pub eos: Vec<u32>,
    /// The token that pads.
    pub pad: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Raw {
    num_beams: Option<usize>,
    length_penalty: Option<f32>,
    early_stopping: Option<EarlyStopping>,
    no_repeat_ngram_size: Option<usize>,
    repetition_penalty: Option<f32>,
    min_length: Option<usize>,
    min_new_tokens: Option<usize>,
    max_length: Option<usize>,
    max_new_tokens: Option<usize>,
    forced_bos_token_id: Option<u32>,
    forced_eos_token_id: Option<OneOrMore>,
    bad_words_ids: Option<Vec<Vec<u32>>>,
    do_sample: Option<bool>,
    temperature: Option<f64>,
    top_k: Option<usize>,
    top_p: Option<f64>,
    decoder_start_token_id: Option<u32>,
    eos_token_id: Option<OneOrMore>,
    pad_token_id: Option<u32>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(u32),
    More(Vec<u32>),
}

impl OneOrMore {
    fn into_vec(self) -> Vec<u32> {
        match self {
            Self::One(id) => vec![id],
            Self::More(ids) => ids,
        }
    }
}

impl Generation {
    /// Reads `generation`, and from `config` what it leaves out: all of it when there is no `generation`, else only
    /// the special tokens. `path` is named in errors.
    pub fn from_json(generation: Option<&Value>, config: &Value, path: &Path) -> Result<Self> {
        let read = |json: &Value| -> Result<Raw> {
            serde_json::from_value(json.clone()).map_err(|e| {
                Error::Model(ModelError::damaged_by(
                    format!("{}: not a generation configuration ({e})", path.display()),
                    e,
                ))
            })
        };
        let base = read(config)?;
        let raw = match generation {
            Some(json) => read(json)?,
            None => read(config)?,
        };
        let eos = raw.eos_token_id.or(base.eos_token_id).map(OneOrMore::into_vec).unwrap_or_default();
        if eos.is_empty() {
            return Err(Error::Model(ModelError::Missing(format!(
                "{}: names no eos_token_id; add it",
                path.display()
            ))));
        }
        // transformers counts the decoder start token in max_length and min_length.
        let options = DecodeOptions {
            beams: raw.num_beams.unwrap_or(1).max(1),
            length_penalty: raw.length_penalty.unwrap_or(1.0),
            early_stopping: raw.early_stopping.unwrap_or_default(),
            no_repeat_ngram: raw.no_repeat_ngram_size.unwrap_or(0),
            repetition_penalty: raw.repetition_penalty.unwrap_or(1.0),
            min_new_tokens: raw.min_new_tokens.or(raw.min_length.map(|n| n.saturating_sub(1))).unwrap_or(0),
            max_new_tokens: raw.max_new_tokens.or(raw.max_length.map(|n| n.saturating_sub(1))).filter(|&n| n > 0),
            forced_bos: raw.forced_bos_token_id,
            forced_eos: raw.forced_eos_token_id.and_then(|ids| ids.into_vec().first().copied()),
            bad_words: raw.bad_words_ids.unwrap_or_default(),
            sampling: raw.do_sample.unwrap_or(false).then(|| Sampling {
                temperature: raw.temperature.unwrap_or(1.0),
                top_k: raw.top_k.filter(|&k| k > 0),
                top_p: raw.top_p.filter(|&p| p < 1.0),
                seed: 0,
            }),
            ..DecodeOptions::default()
        };
        options
            .check()
            .map_err(|what| Error::Model(ModelError::damaged(format!("{}: {what}; correct it", path.display()))))?;
        Ok(Self {
            options,
            decoder_start: raw.decoder_start_token_id.or(base.decoder_start_token_id),
            eos,
            pad: raw.pad_token_id.or(base.pad_token_id),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(generation: Option<Value>, config: Value) -> Result<Generation> {
        Generation::from_json(generation.as_ref(), &config, Path::new("m/generation_config.json"))
    }

    #[test]
    fn the_generation_config_takes_the_place_of_the_config() {
        let config = json!({"eos_token_id": 2, "num_beams": 5, "decoder_start_token_id": 2, "max_length": 200});
        let old = read(None, config.clone()).unwrap();
        assert_eq!((old.options.beams, old.options.max_new_tokens, old.decoder_start), (5, Some(199), Some(2)));
        let new = json!({"early_stopping": "never", "bad_words_ids": [[7]], "forced_bos_token_id": 9, "eos_token_id": [2, 4],
            "forced_eos_token_id": 2, "min_length": 12, "length_penalty": 2.0, "early_stopping": true});
        let new = read(Some(new), config).unwrap();
        assert_eq!(new.options.beams, 1);
        assert_eq!(new.options.bad_words, [[7]]);
        assert_eq!((new.options.forced_bos, new.options.forced_eos), (Some(9), Some(2)));
        assert_eq!(new.options.min_new_tokens, 11);
        assert_eq!(new.options.early_stopping, EarlyStopping::Enough);
        assert_eq!((new.eos, new.decoder_start), (vec![2, 4], Some(2)));
    }

    #[test]
    fn searches_beyond_all_memory_are_refused() {
        for key in ["num_beams", "no_repeat_ngram_size", "max_length", "max_new_tokens", "min_length"] {
            let text = read(None, json!({"eos_token_id": 2, key: 4_000_000_000u64})).unwrap_err().to_string();
            assert!(text.contains("4000000000") || text.contains("3999999999"), "{key}: {text}");
        }
    }

    #[test]
    fn wrong_types_and_no_end_token_are_errors() {
        let text = read(Some(json!({"num_beams": "four"})), json!({})).unwrap_err().to_string();
        assert!(text.contains("m/generation_config.json"), "{text}");
        assert!(read(None, json!({})).unwrap_err().to_string().contains("eos_token_id"));
    }
}
