//! A model folder in Hub layout → a network that generates, and how the model wants to be decoded.
use super::encoder_decoder::{Config, EncoderDecoder, Generation};
use super::layers::{Compute, Placement};
use super::weights::gguf::Gguf;
use super::weights::{Checkpoint, TensorSource, stand_in};
use crate::decode::{DecodeOptions, Generator};
use crate::error::ModelError;
use crate::kernels::Level;
use crate::{Error, Result};
use candle_core::Device;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// How a folder is loaded.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// With what numbers it computes.
    pub compute: Compute,
    /// Where it computes.
    pub device: Device,
    /// Kernels of the CPU path.
    pub level: Level,
    /// Restricts the output to these token ids, ascending (`None`: the whole vocabulary).
    pub keep: Option<Vec<u32>>,
}

impl Default for LoadOptions {
    /// 8-bit weights on this machine's CPU, the whole vocabulary.
    fn default() -> Self {
        let Placement { device, compute, level } = Placement::cpu(Compute::Int8);
        Self { compute, device, level, keep: None }
    }
}

/// A loaded encoder–decoder model without its tokenizer ([`crate::tokenizer`] reads that from the same folder).
pub struct Loaded {
    /// The network.
    pub network: Arc<EncoderDecoder>,
    /// What `generation_config.json` says: start, end and forced tokens, beams, penalties, limits.
    pub decode: DecodeOptions,
    /// Its shape.
    pub config: Config,
}

impl Loaded {
    /// The network as the decoder sees it.
    pub fn generator(&self) -> Arc<dyn Generator> {
        self.network.clone()
    }
}

/// Loads the model in `folder`: `config.json`, `generation_config.json` where there is one, and the weights as
/// safetensors, PyTorch pickle (neither executes anything) or GGUF, single or sharded.
///
/// # Errors
/// Each names the file or tensor: a missing or damaged file, an unsupported architecture (the supported ones are
/// listed), weights that do not belong to the configuration, NaN weights, a pickle that could run code.
pub fn load_folder(folder: &Path, options: &LoadOptions) -> Result<Loaded> {
    let path = folder.join("config.json");
    let config = read_json(&path)?.ok_or_else(|| {
        Error::Model(ModelError::Missing(format!(
            "{}: no config.json here; a model folder in Hub layout has one",
            folder.display()
        )))
    })?;
    load(folder, &config, &path, || Ok(Arc::new(Checkpoint::open(folder)?)), options)
}

/// Loads an encoder–decoder model from one GGUF file ([`holds_encoder_decoder`]).
///
/// # Errors
/// As [`load_folder`] and [`gguf_config`].
pub fn load_gguf(gguf: Gguf, file: &Path, options: &LoadOptions) -> Result<Loaded> {
    let config = gguf_config(&gguf, file)?;
    let folder = file.parent().unwrap_or(Path::new(""));
    load(folder, &config, &folder.join("config.json"), || Ok(Arc::new(gguf)), options)
}

/// The configuration that lies beside an encoder–decoder's GGUF file, or, in files of `anubad model quantize`, inside.
///
/// # Errors
/// There is none, or it is not JSON.
pub fn gguf_config(gguf: &Gguf, file: &Path) -> Result<Value> {
    let path = file.with_file_name("config.json");
    let inside = || gguf.text("anubad.config").and_then(|text| serde_json::from_str(text).ok());
    read_json(&path)?.or_else(inside).ok_or_else(|| {
        Error::Model(ModelError::Missing(format!(
            "{}: holds the weights of an encoder–decoder model without its configuration; put config.json and the \
             tokenizer's files beside it",
            file.display()
        )))
    })
}

/// Whether a GGUF file has the tensors of an encoder–decoder under the checkpoint's own names, as candle's tensor-tools
/// and `anubad model quantize` write them.
pub fn holds_encoder_decoder(gguf: &Gguf) -> bool {
    gguf.names().iter().any(|name| name.starts_with("encoder.") || name.starts_with("model.encoder."))
}

fn load(
    folder: &Path,
    config_json: &Value,
    config_path: &Path,
    source: impl FnOnce() -> Result<Arc<dyn TensorSource>>,
    options: &LoadOptions,
) -> Result<Loaded> {
    let config = Config::from_json(config_json, config_path)?;
    let path = folder.join("generation_config.json");
    let generation = Generation::from_json(read_json(&path)?.as_ref(), config_json, &path)?;
    let place = Placement { device: options.device.clone(), compute: options.compute, level: options.level };
    let network = EncoderDecoder::load(source()?, config.clone(), &generation, options.keep.clone(), place)
        .map_err(|error| in_folder(folder, error))?;
    Ok(Loaded { network: Arc::new(network), decode: generation.options, config })
}

/// Errors about tensors do not know which model they are of.
pub(crate) fn in_folder(folder: &Path, error: Error) -> Error {
    match error {
        Error::Model(error) => error.at(&folder.display().to_string()).into(),
        other => other,
    }
}

/// A JSON file of a model's folder; `None` where there is none.
pub(crate) fn read_json(path: &Path) -> Result<Option<Value>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(path, error)),
    };
    if let Some(what) = stand_in(&bytes) {
        return Err(Error::Model(ModelError::damaged(format!("{}: {what}", path.display()))));
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|e| {
        Error::Model(ModelError::damaged_by(format!("{}: not JSON ({e}); download it again", path.display()), e))
    })
}
