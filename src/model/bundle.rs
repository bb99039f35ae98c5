//! A model ready for use: network, tokenizer, prompt and defaults, from whatever the user named.
use super::decoder_only::{DecoderConfig, DecoderOnly, vocabulary};
use super::embedded;
use super::layers::{Compute, Placement};
use super::weights::gguf::Gguf;
use crate::decode::{DecodeOptions, Generator};
use crate::engine::{EngineOptions, ModelIdentity, Prompt, Translator};
use crate::hub::manifest::{Manifest, Task};
use crate::hub::resolve::{ModelKind, ResolvedModel};
use crate::kernels::Level;
use crate::tokenizer::{GgufTokenizer, Tokenizer, shortlist};
use crate::{Error, Result};
use candle_core::Device;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// How a model is opened.
#[derive(Debug, Clone)]
pub struct ModelOptions {
    pub device: Device,
    pub compute: Compute,
    /// Generate any piece of the vocabulary, not only those that English needs.
    pub whole_vocabulary: bool,
}

impl Default for ModelOptions {
    fn default() -> Self {
        Self { device: Device::Cpu, compute: Compute::Int8, whole_vocabulary: false }
    }
}

/// Everything that translating with a model takes.
pub struct Model {
    pub generator: Arc<dyn Generator>,
    pub tokenizer: Arc<dyn Tokenizer>,
    pub identity: ModelIdentity,
    pub prompt: Prompt,
    /// Decoding defaults of the model and its manifest.
    pub decode: DecodeOptions,
    pub manifest: Option<Manifest>,
    /// Longest source that is translated whole, in tokens.
    pub max_sentence_tokens: Option<usize>,
}

impl Model {
    /// Opens what [`crate::hub::resolve::resolve`] found.
    pub fn open(resolved: &ResolvedModel, options: &ModelOptions) -> Result<Self> {
        match resolved.kind {
            ModelKind::Embedded => Self::from_gguf(resolved, embedded::open()?, options),
            ModelKind::Gguf => Self::from_gguf(resolved, Gguf::open(&resolved.path)?, options),
            ModelKind::Folder => Err(Error::Model(format!("{}: folders are not wired in yet", resolved.path.display()))),
        }
    }

    fn from_gguf(resolved: &ResolvedModel, gguf: Gguf, options: &ModelOptions) -> Result<Self> {
        let config = DecoderConfig::from_gguf(&gguf)?;
        let vocabulary = vocabulary::read(&gguf)?;
        let (bos, eos) = (vocabulary.bos.filter(|_| vocabulary.add_bos != Some(false)), vocabulary.eos);
        let ends = end_tokens(&gguf, eos);
        if ends.is_empty() {
            return Err(Error::Model(format!("{}: names no end-of-sequence token; convert the model again", gguf.name)));
        }
        let tokenizer = Arc::new(GgufTokenizer::new(vocabulary)?);
        let manifest = resolved.manifest.clone();
        let translates = manifest.as_ref().is_none_or(|m| m.task.covers(Task::Translate));
        let keep = if options.whole_vocabulary || !translates { None } else { shortlist::english(&*tokenizer, &ends) };
        let identity = ModelIdentity {
            id: resolved.id.clone(),
            digest: digest(&gguf),
            architecture: config.architecture.clone(),
            compute: options.compute.name().into(),
        };
        let place = Placement { device: options.device.clone(), compute: options.compute, level: Level::detect() };
        let prompt = manifest.as_ref().map(|m| m.prompt.clone()).unwrap_or_default();
        let network = DecoderOnly::load(Arc::new(gguf), config, keep, ends, place)?;
        let mut decode = DecodeOptions::default();
        if let Some(manifest) = &manifest {
            manifest.decoding.apply(&mut decode);
        }
        Ok(Self {
            generator: Arc::new(network),
            tokenizer,
            identity,
            prompt: Prompt::Text { bos, prefix: prompt.prefix, suffix: prompt.suffix },
            decode,
            max_sentence_tokens: manifest.as_ref().and_then(|m| m.limits.input_tokens),
            manifest,
        })
    }

    /// A translator on this model.
    pub fn translator(&self, decode: DecodeOptions, engine: EngineOptions) -> Result<Translator> {
        let (generator, tokenizer) = (self.generator.clone(), self.tokenizer.clone());
        Translator::new(generator, tokenizer, self.identity.clone(), self.prompt.clone(), decode, engine)
    }
}

/// Tokens that end a sequence: the end of text, and the end of a turn in chat models.
fn end_tokens(gguf: &Gguf, eos: Option<u32>) -> Vec<u32> {
    let mut ends: Vec<u32> = eos.into_iter().collect();
    for key in ["tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"] {
        if let Ok(id) = gguf.integer(key) {
            ends.push(id as u32);
        }
    }
    ends.sort_unstable();
    ends.dedup();
    ends
}

/// SHA-256 over the sizes of the files, their first megabyte and 4 kB out of every megabyte after it: it tells two models
/// apart in milliseconds. `anubad model verify` reads every byte.
fn digest(gguf: &Gguf) -> String {
    const MEGABYTE: usize = 1 << 20;
    let mut hash = Sha256::new();
    for shard in gguf.shards() {
        hash.update((shard.len() as u64).to_le_bytes());
        hash.update(&shard[..shard.len().min(MEGABYTE)]);
        for block in shard.chunks(MEGABYTE).skip(1) {
            hash.update(&block[..block.len().min(4096)]);
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
