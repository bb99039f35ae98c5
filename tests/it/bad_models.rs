//! Model folders that are incomplete, damaged, hostile or contradict themselves: one clear error each.
use anubad::model::layers::Compute;
use anubad::model::{LoadOptions, load_folder};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::Path;
use tempfile::TempDir;

/// The committed Marian checkpoint, unpacked.
fn model() -> TempDir {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/parity/marian.tar.zst");
    let bytes = std::fs::read(archive).unwrap();
    let folder = tempfile::tempdir().unwrap();
    tar::Archive::new(zstd::Decoder::new(&bytes[..]).unwrap()).unpack(folder.path()).unwrap();
    folder
}

/// The error of loading the model in its only sub-folder, with 8-bit and with f32 weights.
fn error(folder: &TempDir) -> String {
    let errors: Vec<String> = [Compute::Int8, Compute::F32]
        .into_iter()
        .map(|compute| match load_folder(&at(folder, ""), &LoadOptions { compute, ..LoadOptions::default() }) {
            Ok(_) => panic!("a bad model was loaded"),
            Err(error) => error.to_string(),
        })
        .collect();
    assert_eq!(errors[0], errors[1]);
    assert!(!errors[0].contains('\n'), "{}", errors[0]);
    errors[0].clone()
}

fn at(folder: &TempDir, name: &str) -> std::path::PathBuf {
    folder.path().join("marian").join(name)
}

fn contains(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
}

fn edit_config(folder: &TempDir, edit: impl FnOnce(&mut Value)) {
    let path = at(folder, "config.json");
    let mut json = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    edit(&mut json);
    std::fs::write(path, serde_json::to_vec(&json).unwrap()).unwrap();
}

type Tensors = BTreeMap<String, (Vec<usize>, Vec<u8>)>;

/// Rewrites the safetensors file, all of whose tensors are f32.
fn edit_weights(folder: &TempDir, edit: impl FnOnce(&mut Tensors)) {
    let path = at(folder, "model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors: Tensors =
        file.tensors().into_iter().map(|(name, t)| (name, (t.shape().to_vec(), t.data().to_vec()))).collect();
    edit(&mut tensors);
    let views = tensors
        .iter()
        .map(|(name, (shape, data))| (name.clone(), TensorView::new(Dtype::F32, shape.clone(), data).unwrap()));
    std::fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
}

#[test]
fn the_model_itself_is_good() {
    load_folder(&at(&model(), ""), &LoadOptions::default()).unwrap();
}

#[test]
fn an_unknown_architecture_lists_the_known_ones() {
    let folder = model();
    edit_config(&folder, |c| c["model_type"] = json!("whisper"));
    contains(&error(&folder), &["config.json", "`whisper`", "marian", "m2m_100", "umt5", "IndicTrans"]);
}

#[test]
fn a_missing_tensor_is_named() {
    let folder = model();
    let name = "model.decoder.layers.1.encoder_attn.v_proj.weight";
    edit_weights(&folder, |t| drop(t.remove(name)));
    contains(&error(&folder), &["marian", name, "missing"]);
}

#[test]
fn a_tensor_of_another_shape_is_named_with_both_shapes() {
    let folder = model();
    edit_config(&folder, |c| c["encoder_ffn_dim"] = json!(96));
    contains(&error(&folder), &["model.encoder.layers.0.fc1.weight", "[64, 32]", "[96, 32]"]);
}

#[test]
fn weights_with_more_layers_than_the_configuration_are_refused() {
    let folder = model();
    edit_config(&folder, |c| c["decoder_layers"] = json!(1));
    contains(&error(&folder), &["model.decoder.layers.1.", "only 1 decoder layers"]);
}

#[test]
fn a_number_that_is_none_is_found_wherever_it_is() {
    for name in ["model.shared.weight", "model.encoder.layers.0.fc2.weight", "model.decoder.layers.0.fc1.bias"] {
        for value in [f32::NAN, f32::INFINITY] {
            let folder = model();
            edit_weights(&folder, |t| {
                let bytes = &mut t.get_mut(name).unwrap().1;
                let last = bytes.len() - 4;
                bytes[last..].copy_from_slice(&value.to_le_bytes());
            });
            contains(&error(&folder), &[name, "damaged"]);
        }
    }
}

#[test]
fn files_that_are_cut_off_or_lacking_are_named() {
    let folder = model();
    let path = at(&folder, "model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    for cut in [0, 4, 100, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        contains(&error(&folder), &["model.safetensors", "download it again"]);
    }
    std::fs::remove_file(&path).unwrap();
    contains(&error(&folder), &["no weights here", "model.safetensors.index.json", "pytorch_model.bin"]);
    std::fs::write(at(&folder, "config.json"), "{").unwrap();
    contains(&error(&folder), &["config.json", "not JSON"]);
    std::fs::remove_file(at(&folder, "config.json")).unwrap();
    contains(&error(&folder), &["no config.json here"]);
}

/// Puts one of the other formats in the place of the safetensors file.
fn take_format(folder: &TempDir, format: &str) {
    std::fs::remove_file(at(folder, "model.safetensors")).unwrap();
    for entry in std::fs::read_dir(at(folder, format)).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, at(folder, path.file_name().unwrap().to_str().unwrap())).unwrap();
    }
}

#[test]
fn pickles_that_are_cut_off_are_errors() {
    for format in ["pickle", "pickle-old"] {
        let folder = model();
        take_format(&folder, format);
        let path = at(&folder, "pytorch_model.bin");
        let bytes = std::fs::read(&path).unwrap();
        for cut in [0, 3, 20, 2000, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            contains(&error(&folder), &["pytorch_model.bin", "download"]);
        }
    }
}

#[test]
fn shards_that_are_lacking_or_elsewhere_are_named() {
    let folder = model();
    take_format(&folder, "sharded");
    let shard = "model-00002-of-00002.safetensors";
    std::fs::remove_file(at(&folder, shard)).unwrap();
    contains(&error(&folder), &[shard, "no such file"]);
    let index = at(&folder, "model.safetensors.index.json");
    std::fs::write(&index, r#"{"weight_map": {"lm_head.weight": "../../etc/passwd"}}"#).unwrap();
    contains(&error(&folder), &["index.json", "not a plain file name"]);
    let wrong = r#"{"weight_map": {"lm_head.weight": "model-00001-of-00002.safetensors"}}"#;
    std::fs::write(&index, wrong).unwrap();
    contains(&error(&folder), &["lm_head.weight", "it is not"]);
}

/// A zip archive in torch's layout with this pickle.
fn archive(pickle: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.start_file("archive/data.pkl", stored).unwrap();
    zip.write_all(pickle).unwrap();
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_pickle_that_could_run_code_is_refused() {
    let hostile: [(&[u8], &str); 6] = [
        // os.system("true"), by each of the ways that pickle knows to call something.
        (b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.", "os.system"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.", "os.system"),
        (b"\x80\x02(S'true'\nios\nsystem\n.", "opcode 0x53"),
        (b"\x80\x02(X\x04\x00\x00\x00trueios\nsystem\n.", "opcode 0x69"),
        (b"\x80\x02cbuiltins\neval\nX\x01\x00\x00\x001\x85R.", "builtins.eval"),
        (b"\x80\x02ccollections\nOrderedDict\n)\x81.", "opcode 0x81"),
    ];
    for (pickle, word) in hostile {
        let folder = model();
        std::fs::remove_file(at(&folder, "model.safetensors")).unwrap();
        std::fs::write(at(&folder, "pytorch_model.bin"), archive(pickle)).unwrap();
        contains(&error(&folder), &["pytorch_model.bin", word, "refused", "safetensors"]);
    }
    // Harmless, but no weights.
    let folder = model();
    std::fs::remove_file(at(&folder, "model.safetensors")).unwrap();
    std::fs::write(at(&folder, "pytorch_model.bin"), archive(b"\x80\x02}.")).unwrap();
    contains(&error(&folder), &["no dictionary of tensors"]);
    // A pickle without the archive is no file of torch's, whatever it does.
    std::fs::write(at(&folder, "pytorch_model.bin"), b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.").unwrap();
    contains(&error(&folder), &["torch.save"]);
}
