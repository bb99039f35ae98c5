//! IndicTrans2's placeholders all the way: out of the source, through the network, back into the translation, checked.
use anubad::assembly::{Model, ModelOptions};
use anubad::check::{CheckOptions, check_segment};
use anubad::decode::{Cache, Generator, GeneratorSpec, StepBatch};
use anubad::engine::{EngineOptions, Translate};
use anubad::hub::{ResolveOptions, resolve};
use anubad::text::FindingKind;
use candle_core::{Device, Tensor};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

const SOURCE: &str = "লিখুন news@example.com ঠিকানায়, দেখুন https://example.com/a, সময় ১২:৩০:১৫।";

/// The committed checkpoint, with pieces in its target dictionary that random weights would never string together.
/// Returns the ids of `pieces`, too.
fn model_folder(pieces: &[&str]) -> (TempDir, Vec<u32>) {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/parity/indictrans2.tar.zst");
    let bytes = std::fs::read(archive).unwrap();
    let folder = tempfile::tempdir().unwrap();
    tar::Archive::new(zstd::Decoder::new(&bytes[..]).unwrap()).unpack(folder.path()).unwrap();
    let path = folder.path().join("indictrans2/dict.TGT.json");
    let mut dictionary: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let mut ids = Vec::new();
    for piece in pieces {
        let next = dictionary.len() as u64;
        let id = dictionary.entry(*piece).or_insert(next.into()).as_u64().unwrap();
        ids.push(id as u32);
    }
    std::fs::write(path, serde_json::to_vec(&dictionary).unwrap()).unwrap();
    (folder, ids)
}

/// A network that says what it is told to.
struct Scripted {
    inner: Arc<dyn Generator>,
    spec: GeneratorSpec,
    script: Vec<u32>,
}

impl Generator for Scripted {
    fn spec(&self) -> &GeneratorSpec {
        &self.spec
    }

    fn output_ids(&self) -> Option<&[u32]> {
        None
    }

    fn new_cache(&self, rows: usize, memory_rows: usize) -> anubad::Result<Cache> {
        self.inner.new_cache(rows, memory_rows)
    }

    fn encode(&self, cache: &mut Cache, sources: &[&[u32]], first_rows: &[u32]) -> anubad::Result<()> {
        self.inner.encode(cache, sources, first_rows)
    }

    fn step(&self, _: &mut Cache, batch: &StepBatch) -> anubad::Result<Tensor> {
        let columns = self.spec.vocab_size;
        let mut logits = vec![0f32; batch.outputs.len() * columns];
        for (row, &token) in logits.chunks_exact_mut(columns).zip(&batch.outputs) {
            let at = batch.positions[token as usize] as usize;
            row[*self.script.get(at).unwrap_or(&self.spec.eos[0]) as usize] = 20.0;
        }
        Ok(Tensor::from_vec(logits, (batch.outputs.len(), columns), &Device::Cpu)?)
    }
}

/// The translation of [`SOURCE`] when the network writes these pieces.
fn translation(pieces: &[&str]) -> String {
    let (folder, script) = model_folder(pieces);
    let resolved = resolve(folder.path().join("indictrans2").to_str().unwrap(), &ResolveOptions::default()).unwrap();
    let options = ModelOptions { whole_vocabulary: true, ..ModelOptions::default() };
    let mut model = Model::open(&resolved, &options).unwrap();
    let spec = GeneratorSpec { vocab_size: 4096, ..model.generator.spec().clone() };
    model.generator = Arc::new(Scripted { inner: model.generator.clone(), spec, script });
    let engine = EngineOptions { workers: 1, threads: 1, ..EngineOptions::default() };
    let translator = model.translator(model.decode.clone(), engine).unwrap();
    translator.translate_all(&[SOURCE.to_owned()]).unwrap().remove(0).unwrap().text
}

#[test]
fn mangled_placeholders_become_what_they_stood_for() {
    let pieces = ["▁Write", "▁to", "▁<", "▁ID1", "▁]", "▁,", "▁see", "▁[ID", "2]", "▁,", "▁at", "▁<id", "▁3>", "▁."];
    assert_eq!(translation(&pieces), "Write to news@example.com, see https://example.com/a, at 12:30:15.");
}

#[test]
fn placeholders_that_the_model_dropped_are_found_by_the_checks() {
    let text = translation(&["▁Write", "▁to", "▁us", "▁at", "▁<ID3>", "▁."]);
    assert_eq!(text, "Write to us at 12:30:15.");
    let missing: Vec<String> = check_segment(SOURCE, &text, &CheckOptions::default())
        .into_iter()
        .filter(|f| f.kind == FindingKind::Omission)
        .map(|f| f.message)
        .collect();
    for address in ["news@example.com", "https://example.com/a"] {
        assert!(missing.iter().any(|message| message.contains(address)), "{address}: {missing:?}");
    }
}
