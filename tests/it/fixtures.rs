//! Checkpoints with the answers of transformers, which scripts/golden wrote: packed in tests/fixtures, or lying in the folder
//! that `ANUBAD_FIXTURES` names, of any architecture, seed and size.
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// A checkpoint and what a peer makes of it.
pub struct Fixture<G> {
    pub folder: PathBuf,
    pub golden: G,
}

/// Logits at one place.
#[derive(Deserialize)]
pub struct Logits {
    pub at: usize,
    pub values: Vec<f32>,
}

/// What a search found with some options.
#[derive(Deserialize)]
pub struct Run {
    pub name: String,
    pub options: RunOptions,
    pub sequences: Vec<Vec<u32>>,
    pub scores: Vec<f32>,
}

#[derive(Deserialize)]
pub struct RunOptions {
    pub num_beams: usize,
    pub max_new_tokens: usize,
    pub length_penalty: Option<f32>,
    pub no_repeat_ngram_size: Option<usize>,
    pub min_new_tokens: Option<usize>,
    pub early_stopping: Option<anubad::decode::EarlyStopping>,
    pub forced_bos_token_id: Option<u32>,
}

/// Those of `tests/fixtures/KIND` whose answers are in a file `golden`, unpacked into a folder that lives as long as the
/// first part.
pub fn load<G: DeserializeOwned>(kind: &str, golden: &str, script: &str) -> (tempfile::TempDir, Vec<Fixture<G>>) {
    let own = std::env::var_os("ANUBAD_FIXTURES").map(PathBuf::from);
    let root = own.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(kind));
    let unpacked = tempfile::tempdir().unwrap();
    let mut folders = vec![root.clone()];
    for entry in std::fs::read_dir(&root).unwrap_or_else(|e| panic!("{}: {e}", root.display())) {
        let path = entry.unwrap().path();
        if path.to_string_lossy().ends_with(".tar.zst") {
            let bytes = std::fs::read(&path).unwrap();
            tar::Archive::new(zstd::Decoder::new(&bytes[..]).unwrap()).unpack(unpacked.path()).unwrap();
        } else {
            folders.push(path);
        }
    }
    folders.extend(std::fs::read_dir(unpacked.path()).unwrap().map(|entry| entry.unwrap().path()));
    folders.sort();
    folders.retain(|folder| folder.join(golden).is_file());
    let read = |folder: PathBuf| {
        let json = std::fs::read(folder.join(golden)).unwrap();
        Fixture { golden: serde_json::from_slice(&json).unwrap(), folder }
    };
    let fixtures: Vec<Fixture<G>> = folders.into_iter().map(read).collect();
    assert!(!fixtures.is_empty(), "{}: nothing that scripts/golden/{script} wrote", root.display());
    (unpacked, fixtures)
}
