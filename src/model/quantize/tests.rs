use super::*;
use crate::model::weights::gguf::Gguf;
use std::collections::BTreeMap;

/// Tensors in memory, as floats.
struct Fixture(BTreeMap<String, (Vec<usize>, Encoding, Vec<u8>)>);

impl TensorSource for Fixture {
    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    fn find(&self, name: &str) -> Result<Option<TensorView<'_>>> {
        let view = |(shape, encoding, bytes): &(Vec<usize>, Encoding, Vec<u8>)| TensorView {
            shape: shape.clone(),
            encoding: *encoding,
            bytes: Cow::Owned(bytes.clone()),
        };
        Ok(self.0.get(name).map(view))
    }
}

fn floats(count: usize, seed: u32) -> Vec<f32> {
    let noise = |i: usize| (i as u32 ^ seed).wrapping_mul(2_654_435_761) as f32 / u32::MAX as f32 - 0.5;
    (0..count).map(noise).collect()
}

fn fixture(shapes: &[(&str, &[usize])]) -> Fixture {
    let tensor = |(i, (name, shape)): (usize, &(&str, &[usize]))| {
        let bytes = floats(shape.iter().product(), i as u32).iter().flat_map(|v| v.to_le_bytes()).collect();
        (name.to_string(), (shape.to_vec(), Encoding::F32, bytes))
    };
    Fixture(shapes.iter().enumerate().map(tensor).collect())
}

fn small_net() -> Fixture {
    fixture(&[
        ("shared.weight", &[100, 256]),
        ("layer.0.fc1.weight", &[64, 256]),
        ("layer.0.q_proj.weight", &[32, 96]),
        ("layer.0.odd.weight", &[8, 40]),
        ("layer.0.q_proj.bias", &[32]),
        ("layer.0.norm.weight", &[256]),
        ("final_logits_bias", &[1, 100]),
        ("embed_positions.weight", &[64, 256]),
    ])
}

fn run(source: &Fixture, target: Target, limit: Option<u64>) -> (tempfile::TempDir, Report) {
    let folder = tempfile::tempdir().unwrap();
    let metadata = vec![
        ("general.architecture".to_owned(), Value::String("toy".into())),
        ("toy.block_count".to_owned(), Value::U32(1)),
        ("toy.list".to_owned(), Value::Array(vec![Value::F32(0.5), Value::F32(-1.0)])),
    ];
    let output = folder.path().join("toy.gguf");
    let report = quantize(source, metadata, target, &output, limit, &mut |_| {}).unwrap();
    (folder, report)
}

/// Largest error relative to the largest weight of the tensor.
fn worst(source: &Fixture, written: &dyn TensorSource, name: &str) -> f32 {
    let want = source.find(name).unwrap().unwrap().to_f32().unwrap();
    let have = written.find(name).unwrap().unwrap();
    assert_eq!(have.shape, source.0[name].0, "{name}");
    let scale = want.iter().fold(0f32, |m, v| m.max(v.abs()));
    want.iter().zip(have.to_f32().unwrap()).map(|(a, b)| (a - b).abs() / scale).fold(0.0, f32::max)
}

#[test]
fn every_type_is_as_close_as_its_bits_allow() {
    let source = small_net();
    for (target, bound) in [
        (Target::Q8_0, 0.006),
        (Target::Int8, 0.006),
        (Target::Q5_0, 0.07),
        (Target::Q4_0, 0.14),
        (Target::Q6K, 0.05),
        (Target::Q4K, 0.14),
        (Target::Mixed, 0.05),
    ] {
        let (_folder, report) = run(&source, target, None);
        let written = Gguf::open(&report.files[0]).unwrap();
        for name in source.names() {
            let error = worst(&source, &written, &name);
            assert!(error <= bound, "{target:?} {name}: {error}");
        }
        for exact in ["layer.0.q_proj.bias", "layer.0.norm.weight", "final_logits_bias", "embed_positions.weight"] {
            assert_eq!(worst(&source, &written, exact), 0.0, "{exact}");
        }
        assert!(report.bytes_after < report.bytes_before);
        assert_eq!(written.integer("toy.block_count").unwrap(), 1);
    }
}

#[test]
fn rows_that_dont_fit_take_a_larger_type_and_are_reported() {
    let (_folder, report) = run(&small_net(), Target::Q4K, None);
    assert_eq!(
        report.fallbacks,
        [
            "layer.0.odd.weight: F16 for Q4K, rows of 40 don't divide by 256",
            "layer.0.q_proj.weight: Q5_0 for Q4K, rows of 96 don't divide by 256",
        ]
    );
    let types: Vec<&str> = report.types.iter().map(|(name, ..)| name.as_str()).collect();
    assert!(types.contains(&"Q4K") && types.contains(&"Q5_0") && types.contains(&"F16"), "{types:?}");
}

#[test]
fn shards_hold_together_what_one_file_holds() {
    let source = small_net();
    let (_one, whole) = run(&source, Target::Q8_0, None);
    let (_many, split) = run(&source, Target::Q8_0, Some(80_000));
    assert!(split.files.len() > 1);
    let (whole, parts) = (Gguf::open(&whole.files[0]).unwrap(), Gguf::open(&split.files[0]).unwrap());
    assert_eq!(parts.names(), whole.names());
    for name in whole.names() {
        assert_eq!(parts.find(&name).unwrap().unwrap().bytes, whole.find(&name).unwrap().unwrap().bytes, "{name}");
    }
    assert_eq!(parts.integer("split.tensors.count").unwrap(), whole.names().len());
    // candle's own reader agrees with ours.
    let mut file = std::fs::File::open(&split.files[0]).unwrap();
    let content = candle_core::quantized::gguf_file::Content::read(&mut file).unwrap();
    assert_eq!(content.metadata["split.count"].to_u16().unwrap() as usize, split.files.len());
    assert_eq!(content.metadata["toy.list"].to_vec().unwrap()[1].to_f32().unwrap(), -1.0);
}

#[test]
fn quantizing_again_to_the_same_type_changes_no_byte() {
    let source = small_net();
    let (_a, first) = run(&source, Target::Q8_0, None);
    let again = Gguf::open(&first.files[0]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("again.gguf");
    quantize(&again, Vec::new(), Target::Q8_0, &output, None, &mut |_| {}).unwrap();
    let second = Gguf::open(&output).unwrap();
    for name in again.names() {
        assert_eq!(second.find(&name).unwrap().unwrap().bytes, again.find(&name).unwrap().unwrap().bytes, "{name}");
    }
}

#[test]
fn copies_and_integers_are_left_out() {
    let mut source = small_net();
    let table = source.0["shared.weight"].clone();
    source.0.insert("decoder.embed_tokens.weight".into(), table.clone());
    source.0.insert("lm_head.weight".into(), table);
    source.0.insert("encoder.embed_tokens.weight".into(), (vec![100, 256], Encoding::F32, vec![0; 100 * 256 * 4]));
    source.0.insert("position_ids".into(), (vec![4], Encoding::I64, vec![0; 32]));
    let (_folder, report) = run(&source, Target::Q8_0, None);
    let names = Gguf::open(&report.files[0]).unwrap().names();
    assert!(names.contains(&"shared.weight".into()) && names.contains(&"encoder.embed_tokens.weight".into()));
    assert!(!names.contains(&"lm_head.weight".into()) && !names.contains(&"position_ids".into()));
    assert_eq!(report.dropped.len(), 3, "{:?}", report.dropped);
}

#[test]
fn a_nan_is_refused_by_name() {
    let mut source = small_net();
    source.0.get_mut("layer.0.fc1.weight").unwrap().2[4 * 300..4 * 301].copy_from_slice(&f32::NAN.to_le_bytes());
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("x.gguf");
    let error = quantize(&source, Vec::new(), Target::Q8_0, &output, None, &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("layer.0.fc1.weight") && error.contains("row 1"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing half-written is left");
}
