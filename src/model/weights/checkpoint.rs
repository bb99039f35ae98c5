//! The weights of a model folder in Hub layout: one file or several, of whatever kind.
use super::gguf::Gguf;
use super::{SafetensorsFile, TensorSource, TensorView, TorchFile};
use crate::error::ModelError;
use crate::{Error, Result};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// File names in the order in which they are looked for. An index names the shards.
const SINGLE: [&str; 2] = ["model.safetensors", "pytorch_model.bin"];
const INDEXED: [&str; 2] = ["model.safetensors.index.json", "pytorch_model.bin.index.json"];

/// Every tensor of a model folder.
pub struct Checkpoint {
    files: Vec<(String, Box<dyn TensorSource>)>,
    /// Which file has a tensor.
    places: BTreeMap<String, usize>,
    /// What stands before every name in the files and says nothing of the network.
    wrapper: String,
}

/// Left by torch.compile, by DataParallel and its kin, and by both.
const WRAPPERS: [&str; 2] = ["_orig_mod.", "module."];

/// `*.index.json`.
#[derive(Deserialize)]
struct Index {
    weight_map: HashMap<String, String>,
}

impl Checkpoint {
    /// Opens the weights of a folder: `model.safetensors`, a sharded one through its index, `pytorch_model.bin`
    /// likewise, or the only GGUF file (with the checkpoint's own tensor names, as candle's tensor-tools and
    /// `anubad model quantize` write it); the first of these wins. Nothing is read yet but the headers.
    ///
    /// # Errors
    /// No weights, a missing shard, an index that names what a shard has not, a damaged or hostile file.
    pub fn open(folder: &Path) -> Result<Self> {
        Self::as_it_lies(folder).map(Self::unwrapped)
    }

    fn as_it_lies(folder: &Path) -> Result<Self> {
        for (single, indexed) in SINGLE.iter().zip(INDEXED) {
            if folder.join(single).is_file() {
                return Self::from_files(folder, &[single.to_string()]);
            }
            let index = folder.join(indexed);
            if index.is_file() {
                return Self::sharded(folder, &index);
            }
        }
        if let Some(name) = only_gguf(folder)? {
            return Self::from_files(folder, &[name]);
        }
        Err(Error::Model(ModelError::Missing(format!(
            "{}: no weights here; looked for {}, {}, {}, {} and a single *.gguf",
            folder.display(),
            SINGLE[0],
            INDEXED[0],
            SINGLE[1],
            INDEXED[1]
        ))))
    }

    fn from_files(folder: &Path, names: &[String]) -> Result<Self> {
        let mut files = Vec::new();
        let mut places = BTreeMap::new();
        for name in names {
            let path = folder.join(name);
            let file: Box<dyn TensorSource> = if name.ends_with(".safetensors") {
                Box::new(SafetensorsFile::open(&path)?)
            } else if name.ends_with(".gguf") {
                Box::new(Gguf::open(&path)?)
            } else {
                Box::new(TorchFile::open(&path)?)
            };
            places.extend(file.names().into_iter().map(|tensor| (tensor, files.len())));
            files.push((path.display().to_string(), file));
        }
        Ok(Self { files, places, wrapper: String::new() })
    }

    /// Takes away what training tools put before every name.
    fn unwrapped(mut self) -> Self {
        while let Some(wrapper) =
            WRAPPERS.iter().find(|w| !self.places.is_empty() && self.places.keys().all(|name| name.starts_with(**w)))
        {
            self.wrapper.push_str(wrapper);
            self.places = self.places.into_iter().map(|(name, at)| (name[wrapper.len()..].to_owned(), at)).collect();
        }
        self
    }

    fn sharded(folder: &Path, index_path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(index_path).map_err(|e| Error::io(index_path, e))?;
        let index: Index = serde_json::from_str(&text).map_err(|e| {
            Error::Model(ModelError::damaged_by(
                format!("{}: not an index of shards ({e}); download it again", index_path.display()),
                e,
            ))
        })?;
        let mut names: Vec<String> = index.weight_map.values().cloned().collect();
        names.sort();
        names.dedup();
        if let Some(odd) = names.iter().find(|name| Path::new(name).file_name().is_none_or(|f| f != name.as_str())) {
            return Err(Error::Model(ModelError::damaged(format!(
                "{}: names the shard {odd:?}, which is not a plain file name; download the model again",
                index_path.display()
            ))));
        }
        let checkpoint = Self::from_files(folder, &names)?;
        let lost = index.weight_map.iter().find(|(tensor, file)| {
            checkpoint.places.get(*tensor).is_none_or(|&i| !checkpoint.files[i].0.ends_with(file.as_str()))
        });
        match lost {
            None => Ok(checkpoint),
            Some((tensor, file)) => Err(Error::Model(ModelError::damaged(format!(
                "{}: says that tensor {tensor} is in {file}, but it is not; download both again",
                index_path.display()
            )))),
        }
    }
}

impl TensorSource for Checkpoint {
    fn names(&self) -> Vec<String> {
        self.places.keys().cloned().collect()
    }

    fn find(&self, name: &str) -> Result<Option<TensorView<'_>>> {
        match self.places.get(name) {
            Some(&place) => self.files[place].1.find(&format!("{}{name}", self.wrapper)),
            None => Ok(None),
        }
    }

    fn release(&self, name: &str) {
        if let Some(&place) = self.places.get(name) {
            self.files[place].1.release(&format!("{}{name}", self.wrapper));
        }
    }
}

/// The name of the folder's GGUF file: the only one, or the first of several shards.
fn only_gguf(folder: &Path) -> Result<Option<String>> {
    let entries = std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".gguf") && (!name.contains("-of-") || name.contains("-00001-of-")))
        .collect();
    if names.len() > 1 {
        names.sort();
        return Err(Error::Model(ModelError::Ambiguous(format!(
            "{}: several GGUF files ({}); leave the one that is meant",
            folder.display(),
            names.join(", ")
        ))));
    }
    Ok(names.pop())
}
