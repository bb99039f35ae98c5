//! The GPU's path, layers composed of candle's own operations, on the CPU, in whole networks.
use anubad::decode::{DecodeOptions, Generator, StepBatch, generate};
use anubad::kernels::{Level, rows};
use anubad::model::decoder_only::{DecoderConfig, DecoderOnly};
use anubad::model::layers::{Compute, Placement};
use anubad::model::weights::gguf::Gguf;
use anubad::model::{LoadOptions, load_folder};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn in_tree(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// One network of each family with a layer of its own, beams included.
#[test]
fn encoder_decoders_translate_as_with_the_kernels() {
    for name in ["marian", "mbart50", "t5", "rotary-indictrans2"] {
        let unpacked = tempfile::tempdir().unwrap();
        let bytes = std::fs::read(in_tree(&format!("tests/fixtures/parity/{name}.tar.zst"))).unwrap();
        tar::Archive::new(zstd::Decoder::new(&bytes[..]).unwrap()).unpack(unpacked.path()).unwrap();
        let folder = std::fs::read_dir(unpacked.path()).unwrap().next().unwrap().unwrap().path();
        let golden: serde_json::Value =
            serde_json::from_slice(&std::fs::read(folder.join("golden.json")).unwrap()).unwrap();
        let sources: Vec<Vec<u32>> = serde_json::from_value(golden["sources"].clone()).unwrap();
        let translate = |level, beams| {
            let options = LoadOptions { compute: Compute::F32, level, ..LoadOptions::default() };
            let loaded = load_folder(&folder, &options).unwrap();
            let decode = DecodeOptions { beams, max_new_tokens: Some(12), ..loaded.decode.clone() };
            let outputs = generate(&loaded.generator(), &sources, &decode, 3).unwrap();
            outputs.into_iter().flat_map(Result::unwrap).map(|h| h.tokens).collect::<Vec<_>>()
        };
        for beams in [1, 3] {
            let (kernels, candle) = (translate(Level::detect(), beams), translate(Level::CANDLE, beams));
            assert!(!kernels.is_empty() && kernels == candle, "{name}, {beams} beams: {kernels:?} but {candle:?}");
        }
    }
}

/// Quantized weights, a gathered output layer, both kinds of attention window and rotary base.
#[test]
fn the_default_model_goes_on_as_in_transformers() {
    let first = in_tree("models/anubad-270m-bn-en/anubad-270m-bn-en.q8_0-00001-of-00002.gguf");
    let gguf = Arc::new(Gguf::open(&first).unwrap());
    let config = DecoderConfig::from_gguf(&gguf).unwrap();
    let golden: serde_json::Value =
        serde_json::from_slice(&std::fs::read(in_tree("tests/golden/default_model.json")).unwrap()).unwrap();
    let prompt: Vec<u32> = serde_json::from_value(golden["logits"][3]["ids"].clone()).unwrap();
    let n = prompt.len() as u32;
    let batch = StepBatch {
        tokens: prompt,
        positions: (0..n).collect(),
        rows: (0..n).collect(),
        tables: (0..n).collect(),
        spans: (0..n).map(|i| (0, i + 1)).collect(),
        memory: Vec::new(),
        outputs: vec![n - 1],
    };
    let place = Placement { level: Level::CANDLE, ..Placement::cpu(Compute::Int8) };
    let keep = Some((0..config.vocab_size as u32).collect());
    let network = DecoderOnly::load(gguf.clone(), config, keep, vec![1], place).unwrap();
    let mut cache = network.new_cache(n as usize, 0).unwrap();
    let logits = network.step(&mut cache, &batch).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    // Only the best token: candle rounds activations in blocks of 256 where it can, further from floats than the kernels.
    assert_eq!(rows::argmax(Level::detect(), &logits) as u64, golden["logits"][3]["top"][0][0].as_u64().unwrap());
}
