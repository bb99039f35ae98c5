//! A model ready for use: network, tokenizer, prompt and defaults, from whatever the user named.
mod asking;
pub(crate) mod choice;
mod decoder_folder;
pub mod embedded;
mod shortening;

use self::decoder_folder::Decoder;
pub(crate) use self::shortening::Shortening;
use self::shortening::{AdaptedNetwork, Network};
use crate::decode::{DecodeOptions, Generator};
use crate::engine::{EngineOptions, ModelIdentity, Prompt, Translator};
use crate::error::ModelError;
use crate::hints::SourceStep;
use crate::hub::resolve::{ModelKind, ResolvedModel};
use crate::kernels::Level;
use crate::manifest::Registry;
use crate::manifest::{Manifest, Task};
use crate::model::decoder_only::{DecoderConfig, DecoderOnly, Naming, vocabulary};
use crate::model::encoder_decoder::marian_native::{MarianFiles, holds_marian};
use crate::model::folder::{gguf_config, holds_encoder_decoder, in_folder, load_gguf};
use crate::model::layers::{Compute, Placement};
use crate::model::weights::gguf::Gguf;
use crate::model::{LoadOptions, Loaded, load_folder};
use crate::tokenizer::normalize::Normalization;
use crate::tokenizer::{FolderOptions, GgufTokenizer, Tokenizer, from_folder_with, shortlist};
use crate::{Error, Result};
use candle_core::Device;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;

/// How a model is opened.
#[derive(Debug, Clone)]
pub struct ModelOptions {
    /// Where it computes.
    pub device: Device,
    /// With what numbers.
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
    /// The network.
    pub generator: Arc<dyn Generator>,
    /// Text to token ids and back.
    pub tokenizer: Arc<dyn Tokenizer>,
    /// Its name and the digest of its weights.
    pub identity: ModelIdentity,
    /// What stands around a sentence.
    pub prompt: Prompt,
    /// Decoding defaults of the model and its manifest.
    pub decode: DecodeOptions,
    /// What is known of it beforehand; absent for files that nobody described.
    pub manifest: Option<Manifest>,
    /// Why this model was taken, where the user left the choice open.
    pub chosen: Option<String>,
    /// Longest source that is translated whole, in tokens.
    pub max_sentence_tokens: Option<usize>,
    /// What the manifest wants done to a sentence before the model sees it.
    pub source_steps: Vec<SourceStep>,
    /// The weights with the adapter of the second task, where that task has one.
    adapted: Option<Arc<AdaptedNetwork>>,
}

impl Model {
    /// Opens what [`crate::hub::resolve()`] found.
    pub fn open(resolved: &ResolvedModel, options: &ModelOptions) -> Result<Self> {
        Level::from_environment()?;
        match resolved.kind {
            ModelKind::Embedded => Self::from_gguf(resolved, embedded::open()?, options),
            ModelKind::Gguf => {
                let gguf = Gguf::open(&resolved.path)?;
                if holds_encoder_decoder(&gguf) {
                    // Said before the tokenizer is looked for, which needs it as well.
                    gguf_config(&gguf, &resolved.path)?;
                    let folder = resolved.path.parent().unwrap_or(Path::new(""));
                    let digest = digest(&gguf);
                    return Self::from_folder(resolved, folder, digest, options, |load| {
                        load_gguf(gguf, &resolved.path, load)
                    });
                }
                Self::from_gguf(resolved, gguf, options)
            }
            ModelKind::Folder if holds_marian(&resolved.path) => Self::from_marian(resolved, options),
            ModelKind::Folder => {
                let folder = &resolved.path;
                let digest = resolved.revision.clone().map_or_else(|| folder_digest(folder), Ok)?;
                if let Some(parts) = decoder_folder::open(folder)? {
                    return Self::from_decoder(resolved, parts, digest, options);
                }
                Self::from_folder(resolved, folder, digest, options, |load| load_folder(folder, load))
            }
        }
    }

    /// An encoder–decoder model: its tokenizer from `folder`, its network from `load`.
    fn from_folder(
        resolved: &ResolvedModel,
        folder: &Path,
        digest: String,
        options: &ModelOptions,
        load: impl FnOnce(&LoadOptions) -> Result<Loaded>,
    ) -> Result<Self> {
        let manifest = resolved.manifest.clone();
        let prompt = manifest.as_ref().map(|m| m.prompt.clone()).unwrap_or_default();
        let normalize = prompt.normalize.iter().filter_map(|name| Normalization::named(name)).collect();
        let tokenizer =
            from_folder_with(folder, &FolderOptions { prefix: prompt.prefix, normalize, ..FolderOptions::default() })?;
        let mut wanted =
            LoadOptions { compute: options.compute, device: options.device.clone(), ..LoadOptions::default() };
        let translates = manifest.as_ref().is_none_or(|m| m.task.covers(Task::Translate));
        if !options.whole_vocabulary && translates {
            let pieces = SPECIAL_PIECES.iter().filter_map(|piece| tokenizer.id(piece));
            let always: Vec<u32> = pieces.chain(tokenizer.ends()).chain(tokenizer.forced_bos()).collect();
            wanted.keep = shortlist::english(&*tokenizer, &always);
        }
        let loaded = load(&wanted)?;
        let mut decode = loaded.decode.clone();
        // The tokenizer knows the token of the language that was asked for; the model's files may say another, or that of
        // the direction it was trained in last.
        decode.forced_bos = tokenizer.forced_bos().or(decode.forced_bos);
        if let Some(manifest) = &manifest {
            manifest.decoding.apply(&mut decode);
        }
        let identity = ModelIdentity {
            id: resolved.id.clone(),
            digest,
            architecture: loaded.config.model_type().into(),
            compute: options.compute.name().into(),
        };
        Ok(Self {
            generator: loaded.generator(),
            tokenizer,
            identity,
            prompt: Prompt::Source,
            decode,
            max_sentence_tokens: manifest.as_ref().and_then(|m| m.limits.input_tokens),
            source_steps: source_steps(manifest.as_ref()),
            chosen: None,
            adapted: None,
            manifest,
        })
    }

    /// A model of Marian's own, such as Firefox's.
    fn from_marian(resolved: &ResolvedModel, options: &ModelOptions) -> Result<Self> {
        let files = MarianFiles::find(&resolved.path)?;
        let tokenizer = files.tokenizer()?;
        let place = Placement { device: options.device.clone(), compute: options.compute, level: Level::detect() };
        let network = files.load(&tokenizer, options.whole_vocabulary, place)?;
        let manifest = resolved.manifest.clone();
        let mut decode = DecodeOptions {
            beams: files.beams.unwrap_or(1),
            length_penalty: files.length_penalty.unwrap_or(1.0),
            // Marian has none, and the text is to be Marian's; its own bound on the length keeps loops short.
            loop_guard: false,
            ..DecodeOptions::default()
        };
        if let Some(manifest) = &manifest {
            manifest.decoding.apply(&mut decode);
        }
        let identity = ModelIdentity {
            id: resolved.id.clone(),
            digest: resolved.revision.clone().map_or_else(|| folder_digest(&resolved.path), Ok)?,
            architecture: "marian-native".into(),
            compute: options.compute.name().into(),
        };
        Ok(Self {
            generator: Arc::new(network),
            tokenizer: Arc::new(tokenizer),
            identity,
            prompt: Prompt::Source,
            decode,
            max_sentence_tokens: manifest.as_ref().and_then(|m| m.limits.input_tokens),
            source_steps: source_steps(manifest.as_ref()),
            chosen: None,
            adapted: None,
            manifest,
        })
    }

    fn from_gguf(resolved: &ResolvedModel, gguf: Gguf, options: &ModelOptions) -> Result<Self> {
        let config = DecoderConfig::from_gguf(&gguf)?;
        let tokenizer = Arc::new(GgufTokenizer::new(vocabulary::read(&gguf)?)?);
        let ends = end_tokens(&gguf, &*tokenizer);
        let manifest = match &resolved.manifest {
            Some(manifest) => Some(manifest.clone()),
            None => Registry::load()?.described(gguf.text(MANIFEST_KEY), gguf.text("general.name")).cloned(),
        };
        let (name, digest) = (gguf.name.clone(), digest(&gguf));
        let file = Arc::new(gguf);
        let source = file.clone();
        let parts = Decoder { source, naming: Naming::Gguf, config, tokenizer, ends, manifest, name };
        let model = Self::from_decoder(resolved, parts, digest, options)?;
        file.check_length()?;
        Ok(model)
    }

    /// A decoder-only model from its parts.
    fn from_decoder(resolved: &ResolvedModel, parts: Decoder, digest: String, options: &ModelOptions) -> Result<Self> {
        let manifest = parts.manifest.clone().or_else(|| resolved.manifest.clone());
        if parts.ends.is_empty() {
            let name = &parts.name;
            let text = format!("{name}: names no end-of-sequence token; convert the model again");
            return Err(ModelError::Missing(text).into());
        }
        let translates = manifest.as_ref().is_none_or(|m| m.task.covers(Task::Translate));
        let keep = if options.whole_vocabulary || !translates {
            None
        } else {
            shortlist::english(&*parts.tokenizer, &parts.ends)
        };
        let identity = ModelIdentity {
            id: resolved.id.clone(),
            digest,
            architecture: parts.config.architecture.clone(),
            compute: options.compute.name().into(),
        };
        let place = Placement { device: options.device.clone(), compute: options.compute, level: Level::detect() };
        let prompt = asking::prompt(&*parts.tokenizer, manifest.as_ref(), &parts.name)?;
        let frame = manifest.as_ref().and_then(|m| m.shorten.as_ref());
        let adapted = frame.and_then(|frame| AdaptedNetwork::new(resolved, frame, &parts, keep.as_deref(), &place));
        let adapted = adapted.map(Arc::new);
        let Decoder { source, naming, config, tokenizer, ends, name, .. } = parts;
        let network = DecoderOnly::load_named(source, &naming, config, keep, ends, place)
            .map_err(|e| in_folder(Path::new(&name), e))?;
        let mut decode = DecodeOptions::default();
        if let Some(manifest) = &manifest {
            manifest.decoding.apply(&mut decode);
        }
        Ok(Self {
            generator: Arc::new(network),
            tokenizer,
            identity,
            prompt,
            decode,
            max_sentence_tokens: manifest.as_ref().and_then(|m| m.limits.input_tokens),
            source_steps: source_steps(manifest.as_ref()),
            chosen: None,
            adapted,
            manifest,
        })
    }

    /// A translator on this model. Sentences that are too long for it are cut, whatever `engine` allows.
    pub fn translator(&self, decode: DecodeOptions, mut engine: EngineOptions) -> Result<Translator> {
        if let Some(limit) = self.max_sentence_tokens {
            engine.max_sentence_tokens = engine.max_sentence_tokens.min(limit);
        }
        let (generator, tokenizer) = (self.generator.clone(), self.tokenizer.clone());
        let translator =
            Translator::new(generator, tokenizer, self.identity.clone(), self.prompt.clone(), decode, engine)?;
        Ok(translator.with_source_steps(self.source_steps.clone()))
    }

    /// Shortening sentences on the same weights, with the task's adapter where the manifest names one; `None` for models
    /// that have not learned to, and where the adapter is not there. Nothing is loaded yet.
    ///
    /// # Errors
    /// An adapter that is damaged or of another model.
    pub(crate) fn shortening(&self, options: EngineOptions) -> Result<Option<Shortening>> {
        let Some(frame) = self.manifest.as_ref().and_then(|m| m.shorten.clone()) else { return Ok(None) };
        let prompt = match &self.prompt {
            Prompt::Text { bos, .. } => Prompt::Text { bos: *bos, prefix: frame.prefix, suffix: frame.suffix },
            _ => return Ok(None),
        };
        let network = match (&self.adapted, frame.adapter) {
            (Some(parts), _) => parts.weights()?.map(|source| Network::Adapted(parts.clone(), source)),
            (None, Some(_)) => None,
            (None, None) => Some(Network::Own(self.generator.clone())),
        };
        let (tokenizer, identity) = (self.tokenizer.clone(), self.identity.clone());
        let ends = self.generator.spec().eos.clone();
        Ok(network.map(|network| Shortening { network, tokenizer, ends, identity, prompt, options }))
    }
}

/// Those of the manifest's normalizations that are steps before the prompt; the others are the tokenizer's.
fn source_steps(manifest: Option<&Manifest>) -> Vec<SourceStep> {
    manifest.iter().flat_map(|m| &m.prompt.normalize).filter_map(|name| SourceStep::named(name)).collect()
}

/// Tokens that end a sequence: the end of text, and the end of a turn in chat models. Files of chat models exist that
/// name only the former; the latter is found by its spelling then.
fn end_tokens(gguf: &Gguf, tokenizer: &dyn Tokenizer) -> Vec<u32> {
    let mut ends = tokenizer.ends();
    for key in ["tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"] {
        if let Ok(id) = gguf.integer(key) {
            ends.push(id as u32);
        }
    }
    ends.sort_unstable();
    ends.dedup();
    ends
}

/// Key of a GGUF file's metadata with the id of the manifest that it goes by, whatever the file is called: a model
/// without its prompt translates nothing.
pub const MANIFEST_KEY: &str = "anubad.model";

/// Pieces that a shortlist must keep, whatever they look like; the target language's token is kept besides.
const SPECIAL_PIECES: [&str; 4] = ["</s>", "<s>", "<pad>", "<unk>"];

/// What tells a folder's content apart: names, sizes and the first megabyte of its files.
fn folder_digest(folder: &Path) -> Result<String> {
    use std::io::Read;
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))? {
        let entry = entry.map_err(|e| Error::io(folder, e))?;
        if entry.path().is_file() {
            names.push(entry.path());
        }
    }
    names.sort();
    let mut hash = Sha256::new();
    for path in names {
        let file = std::fs::File::open(&path).map_err(|e| Error::io(&path, e))?;
        let size = file.metadata().map_err(|e| Error::io(&path, e))?.len();
        let mut start = Vec::new();
        file.take(1 << 20).read_to_end(&mut start).map_err(|e| Error::io(&path, e))?;
        hash.update(path.file_name().map(|n| n.as_encoded_bytes()).unwrap_or_default());
        hash.update(size.to_le_bytes());
        hash.update(&start);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
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
