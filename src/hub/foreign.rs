//! Folders that are nearly a model: what they are, and what to give instead.
use crate::error::ModelError;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Weights that can be read; where one of them is, the folder is left to those who read it.
const WEIGHTS: [&str; 4] =
    ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"];

/// Refuses a folder that holds something else than a model's weights.
///
/// # Errors
/// One line that names what the folder is and the remedy.
pub fn refuse(folder: &Path) -> Result<()> {
    let names: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
        .unwrap_or_default();
    let has = |name: &str| names.iter().any(|n| n == name);
    let ends = |ending: &str| names.iter().find(|n| n.to_ascii_lowercase().ends_with(ending));
    let fail = |what: String| Err(Error::Model(ModelError::damaged(format!("{}: {what}", folder.display()))));
    if names.iter().any(|name| WEIGHTS.contains(&name.as_str()) || name.ends_with(".gguf")) {
        return Ok(());
    }
    if has("adapter_config.json") || ends("adapter_model.safetensors").is_some() {
        let base = base_of(&folder.join("adapter_config.json")).map_or_else(String::new, |base| format!(" ({base})"));
        return fail(format!(
            "is a LoRA adapter, not a whole model; merge it into its base model{base}, with peft's merge_and_unload, and \
             give the folder that is saved then"
        ));
    }
    let vocabulary = names.iter().any(|name| name.contains("vocabulary") || name == "shared_vocabulary.json");
    if has("model.bin") && (vocabulary || !has("pytorch_model.bin")) {
        return fail(
            "is a CTranslate2 model; give the checkpoint that it was converted from (model.safetensors or \
             pytorch_model.bin)"
                .into(),
        );
    }
    let kinds = [
        (".onnx", "an ONNX model"),
        ("tf_model.h5", "a TensorFlow checkpoint"),
        (".h5", "a TensorFlow checkpoint"),
        ("saved_model.pb", "a TensorFlow checkpoint"),
        (".msgpack", "a Flax checkpoint"),
        (".tflite", "a TensorFlow Lite model"),
        (".mlmodel", "a Core ML model"),
        (".pth", "a raw PyTorch checkpoint"),
        (".pt", "a raw PyTorch checkpoint"),
    ];
    let kind = kinds.iter().find_map(|(ending, kind)| ends(ending).map(|name| (name.clone(), *kind)));
    let onnx = folder.join("onnx").is_dir().then(|| ("onnx".to_owned(), "an ONNX model"));
    match kind.or(onnx) {
        Some((name, kind)) => {
            fail(format!("{name} is {kind}; get the same model with model.safetensors or pytorch_model.bin"))
        }
        None => Ok(()),
    }
}

/// The base model that an adapter names.
fn base_of(config: &Path) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(config).ok()?).ok()?;
    json["base_model_name_or_path"].as_str().map(str::to_owned)
}

/// The snapshot in a folder of the Hub's cache (`models--org--name`): the one that `refs/main` names, or the only one.
///
/// # Errors
/// It has several and none is marked.
pub fn snapshot_in(folder: &Path) -> Result<Option<PathBuf>> {
    let snapshots = folder.join("snapshots");
    let Ok(entries) = std::fs::read_dir(&snapshots) else { return Ok(None) };
    let mut found: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect();
    let marked = std::fs::read_to_string(folder.join("refs/main")).ok().map(|commit| snapshots.join(commit.trim()));
    if let Some(marked) = marked.filter(|path| found.contains(path)) {
        return Ok(Some(marked));
    }
    match found.len() {
        0 => Err(Error::Model(ModelError::damaged(format!(
            "{}: a folder of the Hub's cache without a snapshot; pull the model again",
            folder.display()
        )))),
        1 => Ok(found.pop()),
        n => Err(Error::Model(ModelError::damaged(format!(
            "{}: a folder of the Hub's cache with {n} snapshots; give one of the folders in snapshots",
            folder.display()
        )))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_named_with_its_remedy() {
        for (file, words) in [
            ("adapter_config.json", "LoRA adapter"),
            ("model.bin", "CTranslate2"),
            ("encoder_model.onnx", "ONNX"),
            ("tf_model.h5", "TensorFlow"),
            ("flax_model.msgpack", "Flax"),
            ("consolidated.00.pth", "PyTorch"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("config.json"), "{}").unwrap();
            assert!(refuse(folder.path()).is_ok());
            std::fs::write(folder.path().join(file), r#"{"base_model_name_or_path": "org/base"}"#).unwrap();
            let error = refuse(folder.path()).unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains('\n'), "{file}: {error}");
            assert!(file != "adapter_config.json" || error.contains("org/base"), "{error}");
            std::fs::write(folder.path().join("model.safetensors"), "").unwrap();
            assert!(refuse(folder.path()).is_ok(), "{file} beside weights does no harm");
        }
    }

    #[test]
    fn a_folder_of_the_cache_stands_for_its_snapshot() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(snapshot_in(folder.path()).unwrap(), None);
        let add = |name: &str| std::fs::create_dir_all(folder.path().join("snapshots").join(name)).unwrap();
        add("aaa");
        assert!(snapshot_in(folder.path()).unwrap().unwrap().ends_with("aaa"));
        add("bbb");
        assert!(snapshot_in(folder.path()).unwrap_err().to_string().contains("2 snapshots"));
        std::fs::create_dir(folder.path().join("refs")).unwrap();
        std::fs::write(folder.path().join("refs/main"), "bbb\n").unwrap();
        assert!(snapshot_in(folder.path()).unwrap().unwrap().ends_with("bbb"));
    }
}
