//! The default model's weights: inside a release binary, or in a `models` folder nearby.
use crate::manifest::DEFAULT_MODEL;
use crate::model::weights::gguf::Gguf;
use crate::{Error, Result};
use std::path::PathBuf;
use std::sync::OnceLock;

/// The first shard's place below a `models` folder.
const FIRST_SHARD: &str = "anubad-270m-bn-en/anubad-270m-bn-en.q8_0-00001-of-00002.gguf";

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
    let beside = |folder: PathBuf| folder.join(FIRST_SHARD).with_file_name(name);
    if let Some(path) = folders().into_iter().map(beside).find(|path| path.is_file()) {
        return Gguf::open(&path).map(Some);
    }
    let inside = COMPANIONS.get().and_then(|files| files.iter().find(|file| file.0 == name));
    inside.map(|&(name, bytes)| Gguf::from_static(name, &[bytes])).transpose()
}

/// Opens the default model.
///
/// # Errors
/// When it is neither in the program nor in a folder; the text names the folders.
pub fn open() -> Result<Gguf> {
    let folders = folders();
    if let Some(path) = folders.iter().map(|f| f.join(FIRST_SHARD)).find(|path| path.is_file()) {
        return Gguf::open(&path);
    }
    if let Some(shards) = SHARDS.get() {
        return Gguf::from_static(DEFAULT_MODEL, shards);
    }
    let tried: Vec<_> = folders.iter().map(|f| f.display().to_string()).collect();
    Err(Error::Model(format!(
        "the default model's weights are not in this build and not in {}; copy the project's `models` folder to one of these or set ANUBAD_MODELS",
        tried.join(" or ")
    )))
}

/// Where weights may lie: `ANUBAD_MODELS` alone if it is set; otherwise beside the program, and (for builds without
/// the weights inside) in the source tree.
fn folders() -> Vec<PathBuf> {
    if let Some(folder) = std::env::var_os("ANUBAD_MODELS") {
        return vec![folder.into()];
    }
    if SHARDS.get().is_some() {
        return Vec::new();
    }
    let mut folders = Vec::new();
    if let Some(bin) = std::env::current_exe().ok().as_deref().and_then(|exe| exe.parent()) {
        folders.push(bin.join("models"));
        folders.push(bin.join("../share/anubad/models"));
    }
    folders.push(PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/models")));
    folders
}
