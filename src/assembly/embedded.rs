//! The default model's weights: inside a release binary, or in a `models` folder nearby.
use crate::error::ModelError;
use crate::manifest::DEFAULT_MODEL;
use crate::model::weights::gguf::Gguf;
use crate::{Error, Result};
use etcetera::BaseStrategy;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The first shard's place below a `models` folder.
const FIRST_SHARD: &str = "anubad-270m-bn-en/anubad-270m-bn-en.q8_0-00001-of-00002.gguf";

/// A folder of models that a package brought.
static PACKAGED: OnceLock<PathBuf> = OnceLock::new();
static SHARDS: OnceLock<&'static [&'static [u8]]> = OnceLock::new();
static COMPANIONS: OnceLock<&'static [(&'static str, &'static [u8])]> = OnceLock::new();

/// Hands over the shards that were compiled into the program, and the model's smaller files by name; `main` does so first.
pub fn provide(shards: &'static [&'static [u8]], companions: &'static [(&'static str, &'static [u8])]) {
    let _ = SHARDS.set(shards); // a second call would bring the same bytes
    let _ = COMPANIONS.set(companions);
}

/// Opens a GGUF file that belongs to the default model, such as an adapter; `None` where it is not there.
///
/// # Errors
/// A file that is damaged.
pub(super) fn companion(name: &str) -> Result<Option<Gguf>> {
    if let Some(path) = in_folders(&Path::new(FIRST_SHARD).with_file_name(name)) {
        return Gguf::open(&path).map(Some);
    }
    let inside = COMPANIONS.get().and_then(|files| files.iter().find(|file| file.0 == name));
    inside.map(|&(name, bytes)| Gguf::from_static(name, &[bytes])).transpose()
}

/// Where the default model's weights are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the program.
    Inside,
    /// In files, of which this is the first.
    File(PathBuf),
}

/// Looks for the default model's weights in `folder`, too: a folder like the project's `models`, which a package brings.
pub fn look_in(folder: PathBuf) {
    let _ = PACKAGED.set(folder); // the first one named is kept
}

/// Opens the default model.
///
/// # Errors
/// As for [`place`], and those of reading the files.
pub fn open() -> Result<Gguf> {
    match (place()?, SHARDS.get()) {
        (Place::File(path), _) => Gguf::open(&path),
        (Place::Inside, shards) => Gguf::from_static(DEFAULT_MODEL, shards.copied().unwrap_or_default()),
    }
}

/// Finds the default model's weights.
///
/// # Errors
/// When they are neither in the program nor in a folder; the text names the folders.
pub fn place() -> Result<Place> {
    if let Some(path) = in_folders(Path::new(FIRST_SHARD)) {
        return Ok(Place::File(path));
    }
    if SHARDS.get().is_some() {
        return Ok(Place::Inside);
    }
    let tried: Vec<_> = folders().iter().map(|f| f.display().to_string()).collect();
    Err(Error::Model(ModelError::Missing(format!(
        "the default model's weights are not in this build and not in {}; copy the project's `models` folder to one of these or set ANUBAD_MODELS",
        tried.join(" or ")
    ))))
}

/// The first of the folders' files at this place.
fn in_folders(file: &Path) -> Option<PathBuf> {
    folders().into_iter().map(|folder| folder.join(file)).find(|path| path.is_file())
}

/// Where weights may lie: `ANUBAD_MODELS` alone if it is set; otherwise, for builds without the weights inside, where a
/// package put them, beside the program, in the user's data folder and in the source tree.
fn folders() -> Vec<PathBuf> {
    if let Some(folder) = std::env::var_os("ANUBAD_MODELS") {
        return vec![folder.into()];
    }
    if SHARDS.get().is_some() {
        return Vec::new();
    }
    let mut folders: Vec<PathBuf> = PACKAGED.get().cloned().into_iter().collect();
    if let Some(bin) = std::env::current_exe().ok().as_deref().and_then(|exe| exe.parent()) {
        folders.push(bin.join("models"));
        folders.push(bin.join("../share/anubad/models"));
    }
    if let Ok(base) = etcetera::choose_base_strategy() {
        folders.push(base.data_dir().join("anubad").join("models"));
    }
    folders.push(PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/models")));
    folders
}
