//! The network behind a model's second task: its own, or the same weights with the adapter that the manifest names.
use super::decoder_folder::Decoder;
use super::embedded;
use crate::decode::Generator;
use crate::hub::resolve::{ModelKind, ResolvedModel};
use crate::manifest::Frame;
use crate::model::decoder_only::{DecoderConfig, DecoderOnly, Naming};
use crate::model::folder::in_folder;
use crate::model::layers::Placement;
use crate::model::weights::gguf::Gguf;
use crate::model::weights::{Adapted, TensorSource};
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Where an adapter lies.
enum Place {
    /// Beside the default model.
    Embedded(String),
    File(PathBuf),
}

/// What it takes to load a model once more with an adapter, done when the task is first wanted: it costs the weights' size
/// in memory and a moment.
pub(super) struct AdaptedNetwork {
    adapter: Place,
    source: Arc<dyn TensorSource>,
    naming: Naming,
    config: DecoderConfig,
    keep: Option<Vec<u32>>,
    ends: Vec<u32>,
    place: Placement,
    loaded: OnceLock<Arc<dyn Generator>>,
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
            ModelKind::Embedded => Place::Embedded(name.clone()),
            ModelKind::Gguf => Place::File(resolved.path.with_file_name(name)),
            ModelKind::Folder => Place::File(resolved.path.join(name)),
        };
        Some(Self {
            adapter,
            source: parts.source.clone(),
            naming: parts.naming.clone(),
            config: parts.config.clone(),
            keep: keep.map(<[u32]>::to_vec),
            ends: parts.ends.clone(),
            place: place.clone(),
            loaded: OnceLock::new(),
        })
    }

    /// The network, loaded at the first call; `None` where the adapter is not there.
    ///
    /// # Errors
    /// An adapter that is damaged or of another model.
    pub(super) fn generator(&self) -> Result<Option<Arc<dyn Generator>>> {
        if let Some(generator) = self.loaded.get() {
            return Ok(Some(generator.clone()));
        }
        let Some(adapter) = self.open()? else { return Ok(None) };
        let name = adapter.name.clone();
        let source: Arc<dyn TensorSource> = Arc::new(Adapted::new(self.source.clone(), adapter)?);
        let (config, keep, ends) = (self.config.clone(), self.keep.clone(), self.ends.clone());
        let network = DecoderOnly::load_named(source, &self.naming, config, keep, ends, self.place.clone())
            .map_err(|e| in_folder(Path::new(&name), e))?;
        Ok(Some(self.loaded.get_or_init(|| Arc::new(network)).clone()))
    }

    fn open(&self) -> Result<Option<Gguf>> {
        match &self.adapter {
            Place::Embedded(name) => embedded::companion(name),
            Place::File(path) => match Gguf::open(path) {
                Ok(gguf) => Ok(Some(gguf)),
                Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            },
        }
    }
}
