//! A model's second task, before anything of it is in memory: its own network, or the same weights with the adapter that
//! the manifest names.
use super::decoder_folder::Decoder;
use super::embedded;
use crate::decode::{DecodeOptions, Generator};
use crate::engine::{EngineOptions, ModelIdentity, Prompt, Translator};
use crate::hub::resolve::{ModelKind, ResolvedModel};
use crate::manifest::Frame;
use crate::model::decoder_only::{DecoderConfig, DecoderOnly, Naming};
use crate::model::folder::in_folder;
use crate::model::layers::Placement;
use crate::model::weights::gguf::Gguf;
use crate::model::weights::{Adapted, TensorSource};
use crate::tokenizer::Tokenizer;
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What shortening sentences takes; the network is loaded by [`Shortening::engine`].
pub(crate) struct Shortening {
    pub(super) network: Network,
    pub(crate) tokenizer: Arc<dyn Tokenizer>,
    /// Tokens that end a sentence.
    pub(crate) ends: Vec<u32>,
    pub(crate) identity: ModelIdentity,
    pub(super) prompt: Prompt,
    pub(super) options: EngineOptions,
}

impl Shortening {
    /// An engine that asks for a shorter sentence. With an adapter this loads the weights once more: it costs their size
    /// in memory, and more than a second.
    ///
    /// # Errors
    /// Weights that are damaged, options that contradict one another.
    pub(crate) fn engine(&self) -> Result<Translator> {
        let generator = match &self.network {
            Network::Own(generator) => generator.clone(),
            Network::Adapted(parts, source) => parts.load(source.clone())?,
        };
        let (tokenizer, identity, prompt) = (self.tokenizer.clone(), self.identity.clone(), self.prompt.clone());
        Translator::new(generator, tokenizer, identity, prompt, DecodeOptions::default(), self.options.clone())
    }
}

/// What computes.
pub(super) enum Network {
    /// The network that translates.
    Own(Arc<dyn Generator>),
    /// One still to be loaded, from weights with the adapter laid over them.
    Adapted(Arc<AdaptedNetwork>, Arc<dyn TensorSource>),
}

/// Where an adapter lies.
enum AdapterFile {
    /// Beside the default model.
    Embedded(String),
    File(PathBuf),
}

/// What it takes to load a model once more with an adapter.
pub(super) struct AdaptedNetwork {
    adapter: AdapterFile,
    source: Arc<dyn TensorSource>,
    naming: Naming,
    config: DecoderConfig,
    keep: Option<Vec<u32>>,
    ends: Vec<u32>,
    place: Placement,
    /// The model's file, for errors.
    name: String,
}

impl AdaptedNetwork {
    /// For the adapter that `frame` names, on a model's parts; `None` where it names none or the model's tensors have
    /// names other than the adapter's.
    pub(super) fn new(
        resolved: &ResolvedModel,
        frame: &Frame,
        parts: &Decoder,
        keep: Option<&[u32]>,
        place: &Placement,
    ) -> Option<Self> {
        let name = frame.adapter.as_ref().filter(|_| parts.naming == Naming::Gguf)?;
        let adapter = match resolved.kind {
            ModelKind::Embedded => AdapterFile::Embedded(name.clone()),
            ModelKind::Gguf => AdapterFile::File(resolved.path.with_file_name(name)),
            ModelKind::Folder => AdapterFile::File(resolved.path.join(name)),
        };
        Some(Self {
            adapter,
            source: parts.source.clone(),
            naming: parts.naming.clone(),
            config: parts.config.clone(),
            keep: keep.map(<[u32]>::to_vec),
            ends: parts.ends.clone(),
            place: place.clone(),
            name: name.clone(),
        })
    }

    /// The weights with the adapter laid over them, none of them read yet; `None` where the adapter is not there.
    ///
    /// # Errors
    /// An adapter that is damaged or of another model.
    pub(super) fn weights(&self) -> Result<Option<Arc<dyn TensorSource>>> {
        let adapter = match &self.adapter {
            AdapterFile::Embedded(name) => embedded::companion(name)?,
            AdapterFile::File(path) => match Gguf::open(path) {
                Ok(gguf) => Some(gguf),
                Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            },
        };
        let Some(adapter) = adapter else { return Ok(None) };
        Ok(Some(Arc::new(Adapted::new(self.source.clone(), adapter)?)))
    }

    fn load(&self, source: Arc<dyn TensorSource>) -> Result<Arc<dyn Generator>> {
        let (config, keep, ends) = (self.config.clone(), self.keep.clone(), self.ends.clone());
        let network = DecoderOnly::load_named(source, &self.naming, config, keep, ends, self.place.clone());
        Ok(Arc::new(network.map_err(|e| in_folder(Path::new(&self.name), e))?))
    }
}
