//! A decoder-only model in Hub layout: config.json, safetensors or another kind of weights, tokenizer.json.
use crate::error::ModelError;
use crate::manifest::Manifest;
use crate::model::decoder_only::{DecoderConfig, MODEL_TYPES, Naming};
use crate::model::folder::read_json;
use crate::model::weights::{Checkpoint, TensorSource};
use crate::tokenizer::{FolderOptions, Tokenizer, from_folder_with};
use crate::{Error, Result};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// All that a decoder-only model is made of, before its weights are read.
pub struct Decoder {
    pub source: Arc<dyn TensorSource>,
    pub naming: Naming,
    pub config: DecoderConfig,
    pub tokenizer: Arc<dyn Tokenizer>,
    /// Tokens that end a generation.
    pub ends: Vec<u32>,
    /// What the files themselves say that they are.
    pub manifest: Option<Manifest>,
    /// The file or folder, for errors.
    pub name: String,
}

/// The parts of the model in `folder`; `None` where its configuration is not that of a decoder-only network.
///
/// # Errors
/// A file that is missing or damaged, a setting that the network does not have.
pub fn open(folder: &Path) -> Result<Option<Decoder>> {
    let path = folder.join("config.json");
    let Some(json) = read_json(&path)? else { return Ok(None) };
    if !json["model_type"].as_str().is_some_and(|kind| MODEL_TYPES.contains(&kind)) {
        return Ok(None);
    }
    let checkpoint = Checkpoint::open(folder)?;
    let names = checkpoint.names();
    let post_norms = json["model_type"].as_str().is_some_and(|kind| kind.starts_with("gemma"));
    let naming = Naming::of_hub(&names, post_norms).ok_or_else(|| {
        Error::Model(ModelError::damaged(format!(
            "{}: no tensor …embed_tokens.weight among the weights; get the whole model",
            folder.display()
        )))
    })?;
    let config = DecoderConfig::from_hub(&json, &path, names.iter().any(|name| name == naming.head()))?;
    if !folder.join("tokenizer.json").is_file() {
        return Err(Error::Model(ModelError::damaged(format!(
            "{}: no tokenizer.json here, which a {} model needs; copy it from where the model comes from",
            folder.display(),
            config.architecture
        ))));
    }
    let tokenizer = from_folder_with(folder, &FolderOptions::default())?;
    if tokenizer.vocab_size() > config.vocab_size {
        return Err(Error::Model(ModelError::Mismatch(format!(
            "{}: the tokenizer has {} pieces and the network {}; they do not belong together",
            folder.display(),
            tokenizer.vocab_size(),
            config.vocab_size
        ))));
    }
    let ends = ends(folder, &json, &*tokenizer)?;
    let name = folder.display().to_string();
    Ok(Some(Decoder { source: Arc::new(checkpoint), naming, config, tokenizer, ends, manifest: None, name }))
}

/// Spellings of the end of a text, which ends no turn: where the configuration says what ends a generation, it is the
/// configuration's to name.
const TEXT_ENDS: [&str; 6] =
    ["<|endoftext|>", "</s>", "<|end_of_text|>", "<eos>", "<|eos|>", "<\u{ff5c}end\u{2581}of\u{2581}sentence\u{ff5c}>"];

/// Tokens that end a generation: what the two configurations name, one or several, and what is spelled like the end of a
/// turn; where they name nothing, of a text, too.
fn ends(folder: &Path, config: &Value, tokenizer: &dyn Tokenizer) -> Result<Vec<u32>> {
    let generation = read_json(&folder.join("generation_config.json"))?.unwrap_or_default();
    let named = [&generation["eos_token_id"], &config["eos_token_id"], &config["text_config"]["eos_token_id"]];
    let ids = named.into_iter().flat_map(|value| match value {
        Value::Array(list) => list.iter().filter_map(Value::as_u64).collect(),
        one => one.as_u64().into_iter().collect::<Vec<_>>(),
    });
    let size = tokenizer.vocab_size() as u64;
    let mut ends: Vec<u32> = ids.filter(|id| *id < size).map(|id| id as u32).collect();
    let named = !ends.is_empty();
    let of_text = |id: &u32| tokenizer.piece(*id).is_some_and(|piece| TEXT_ENDS.contains(&piece.as_str()));
    ends.extend(tokenizer.ends().into_iter().filter(|id| !named || !of_text(id)));
    ends.sort_unstable();
    ends.dedup();
    Ok(ends)
}
