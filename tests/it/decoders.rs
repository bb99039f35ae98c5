//! Decoder-only checkpoints in Hub layout against transformers: scripts/golden/decoders.py wrote both.
//!
//! The committed ones are tests/fixtures/decoders/*.tar.zst. `ANUBAD_FIXTURES=FOLDER cargo test decoders` takes those in
//! FOLDER instead, packed or not, of any architecture, seed and size.
use super::fixtures::{self, Logits, Run, RunOptions};
use anubad::assembly::{Model, ModelOptions};
use anubad::decode::{DecodeOptions, Generator, StepBatch, generate};
use anubad::hub::{ModelKind, ResolvedModel};
use anubad::model::layers::Compute;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// As for the encoder–decoder models, in f32.
const TOLERANCE: f32 = 1e-4;

#[derive(Deserialize)]
struct Golden {
    arch: String,
    lines: Vec<String>,
    /// Ids of each line alone, and in a turn of the chat template.
    plain: Vec<Vec<u32>>,
    prompts: Vec<Vec<u32>>,
    ends: Vec<u32>,
    batch: Vec<Row>,
    sources: Vec<Vec<u32>>,
    generate: Vec<Run>,
}

#[derive(Deserialize)]
struct Row {
    ids: Vec<u32>,
    logits: Vec<Logits>,
}

type Fixture = fixtures::Fixture<Golden>;

fn fixtures() -> &'static [Fixture] {
    static FIXTURES: OnceLock<(tempfile::TempDir, Vec<Fixture>)> = OnceLock::new();
    &FIXTURES.get_or_init(|| fixtures::load("decoders", "golden-decoder.json", "decoders.py")).1
}

fn open(folder: &Path, compute: Compute) -> Model {
    try_open(folder, compute).unwrap()
}

fn try_open(folder: &Path, compute: Compute) -> anubad::Result<Model> {
    open_as(folder, ModelKind::Folder, compute)
}

fn open_as(path: &Path, kind: ModelKind, compute: Compute) -> anubad::Result<Model> {
    let resolved = ResolvedModel {
        id: "fixture".into(),
        manifest: None,
        path: path.to_path_buf(),
        kind,
        revision: None,
        notes: Vec::new(),
    };
    Model::open(&resolved, &ModelOptions { compute, whole_vocabulary: true, ..ModelOptions::default() })
}

/// transformers takes `<bos>` in a text for the token; here text never becomes a special token.
fn spells_special(line: &str) -> bool {
    ["<|", "<bos>", "<eos>", "<unk>", "<pad>", "_of_turn>", "<｜", "<0x"].iter().any(|piece| line.contains(piece))
}

#[test]
fn lines_and_chat_prompts_have_the_ids_of_transformers() {
    for Fixture { folder, golden } in fixtures() {
        let model = open(folder, Compute::F32);
        assert_eq!(model.generator.spec().eos, golden.ends, "{}", golden.arch);
        assert!(golden.lines.len() > 250, "{}: too few lines", golden.arch);
        for (i, line) in golden.lines.iter().enumerate().filter(|(_, line)| !spells_special(line)) {
            assert_eq!(model.tokenizer.encode(line).unwrap(), golden.plain[i], "{}: {line:?}", golden.arch);
            // Control characters become spaces, and templates trim: the engine's sentences have none at their ends.
            if !line.contains(char::is_control) && line.trim() == line && !line.is_empty() {
                let prompt = model.prompt.encode(&*model.tokenizer, line).unwrap();
                assert_eq!(prompt, golden.prompts[i], "{}: turn with {line:?}", golden.arch);
            }
        }
    }
}

/// Logits at every place that is asked for, all rows in one step.
fn logits(generator: &dyn Generator, batch: &[Row]) -> Vec<Vec<f32>> {
    let total = batch.iter().map(|row| row.ids.len()).sum();
    let mut cache = generator.new_cache(total, 0).unwrap();
    let mut step = StepBatch::default();
    for row in batch {
        let (start, length) = (step.tokens.len() as u32, row.ids.len() as u32);
        step.tokens.extend(&row.ids);
        step.positions.extend(0..length);
        step.rows.extend(start..start + length);
        step.tables.extend(start..start + length);
        step.spans.extend((1..=length).map(|n| (start, n)));
        step.outputs.extend(row.logits.iter().map(|l| start + l.at as u32));
    }
    generator.step(&mut cache, &step).unwrap().to_vec2().unwrap()
}

/// The last layer leaves out what nobody asks for; what is asked for is the same to the last bit.
#[test]
fn logits_do_not_depend_on_which_others_are_asked_for() {
    for Fixture { folder, golden } in fixtures() {
        let model = open(folder, Compute::Int8);
        let asking = |every: usize| -> Vec<Row> {
            let places = |ids: &[u32]| (0..ids.len()).filter(|at| at % every == 0);
            let row = |row: &Row| Row {
                ids: row.ids.clone(),
                logits: places(&row.ids).map(|at| Logits { at, values: Vec::new() }).collect(),
            };
            golden.batch.iter().map(row).collect()
        };
        let (all, some) = (asking(1), asking(3));
        let chosen = all.iter().flat_map(|row| &row.logits).map(|l| l.at % 3 == 0);
        let wanted =
            logits(&*model.generator, &all).into_iter().zip(chosen).filter_map(|(l, chosen)| chosen.then_some(l));
        assert_eq!(logits(&*model.generator, &some), wanted.collect::<Vec<_>>(), "{}", golden.arch);
        let mut none = asking(1);
        none.iter_mut().for_each(|row| row.logits.clear());
        assert!(logits(&*model.generator, &none).is_empty(), "{}", golden.arch);
    }
}

#[test]
fn decoder_logits_equal_transformers() {
    for Fixture { folder, golden } in fixtures() {
        let model = open(folder, Compute::F32);
        let wanted = golden.batch.iter().flat_map(|row| &row.logits);
        for (want, got) in wanted.zip(logits(&*model.generator, &golden.batch)) {
            assert_eq!(want.values.len(), got.len(), "{}", golden.arch);
            let difference = want.values.iter().zip(&got).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(difference < TOLERANCE, "{}: logits at {} differ by {difference}", golden.arch, want.at);
        }
    }
}

#[test]
fn rounded_decoder_weights_stay_close_to_transformers() {
    for Fixture { folder, golden } in fixtures() {
        for compute in [Compute::Int8, Compute::Bf16] {
            let model = open(folder, compute);
            let (mut error, mut norm) = (0f64, 0f64);
            let wanted = golden.batch.iter().flat_map(|row| &row.logits);
            for (want, got) in wanted.zip(logits(&*model.generator, &golden.batch)) {
                error += want.values.iter().zip(&got).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
                norm += want.values.iter().map(|a| f64::from(*a).powi(2)).sum::<f64>();
            }
            let relative = (error / norm).sqrt();
            println!("{}, {}: {relative:.3}", golden.arch, compute.name());
            assert!(relative < 0.5, "{}: {} logits are off by {relative}", golden.arch, compute.name());
        }
    }
}

/// (tokens, score) of each source, `together` hypotheses at a time; without the loop guard, which transformers has not.
fn decode(model: &Model, sources: &[Vec<u32>], run: &RunOptions, together: usize) -> Vec<(Vec<u32>, f32)> {
    let options = DecodeOptions {
        beams: run.num_beams,
        max_new_tokens: Some(run.max_new_tokens),
        length_penalty: run.length_penalty.unwrap_or(1.0),
        loop_guard: false,
        ..model.decode.clone()
    };
    let results = generate(&model.generator, sources, &options, together).unwrap();
    let read = |result: anubad::Result<Vec<anubad::decode::Hypothesis>>| {
        let best = result.unwrap().swap_remove(0);
        (best.tokens, if run.num_beams == 1 { best.log_prob } else { best.score })
    };
    results.into_iter().map(read).collect()
}

#[test]
fn decoders_generate_what_transformers_generates() {
    for Fixture { folder, golden } in fixtures() {
        let model = open(folder, Compute::F32);
        for run in &golden.generate {
            let outputs = decode(&model, &golden.sources, &run.options, 16);
            for (i, (tokens, score)) in outputs.into_iter().enumerate() {
                let place = format!("{}, {}, source {i}", golden.arch, run.name);
                assert_eq!(tokens, run.sequences[i], "{place}");
                let length = if run.options.num_beams == 1 { tokens.len() as f32 } else { 1.0 };
                let difference = (score - run.scores[i]).abs() / length;
                assert!(difference < TOLERANCE, "{place}: score {score}, reference {}", run.scores[i]);
            }
        }
    }
}

#[test]
fn a_batch_of_a_decoder_equals_its_singles() {
    for Fixture { folder, golden } in fixtures() {
        for compute in [Compute::F32, Compute::Int8] {
            let model = open(folder, compute);
            for run in &golden.generate {
                let together = decode(&model, &golden.sources, &run.options, 64);
                let alone = |source| decode(&model, std::slice::from_ref(source), &run.options, 1);
                let singles: Vec<_> = golden.sources.iter().flat_map(alone).collect();
                let ids = |all: &[(Vec<u32>, f32)]| all.iter().map(|(ids, _)| ids.clone()).collect::<Vec<_>>();
                assert_eq!(ids(&together), ids(&singles), "{}, {}, {}", golden.arch, run.name, compute.name());
            }
        }
    }
}

/// GGUF files of the same weights, which scripts/golden/decoder_gguf.py wrote: beside the checkpoint as ARCH.gguf, or
/// committed as ARCH.gguf.zst.
fn gguf_of(fixture: &Fixture, folder: &Path) -> Option<PathBuf> {
    let name = format!("{}.gguf", fixture.golden.arch);
    if fixture.folder.join(&name).is_file() {
        return Some(fixture.folder.join(&name));
    }
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/decoders").join(format!("{name}.zst"));
    let own = std::env::var_os("ANUBAD_FIXTURES").is_some();
    let bytes = std::fs::read(packed).ok().filter(|_| !own)?;
    std::fs::write(folder.join(&name), zstd::decode_all(&bytes[..]).unwrap()).unwrap();
    Some(folder.join(name))
}

/// Ends are found by their spelling (the files name only the end of a text), prompts and words are those of the
/// checkpoint, scaled rotation comes from rope_freqs.weight, Hunyuan's from the stretched base.
#[test]
fn a_gguf_file_computes_what_its_checkpoint_does() {
    let unpacked = tempfile::tempdir().unwrap();
    let mut compared = 0;
    for fixture in fixtures() {
        let Some(path) = gguf_of(fixture, unpacked.path()) else { continue };
        let (golden, arch) = (&fixture.golden, &fixture.golden.arch);
        let model = open_as(&path, ModelKind::Gguf, Compute::F32).unwrap();
        // The end of a text, which the file names, is one as well.
        let ends = &model.generator.spec().eos;
        assert!(golden.ends.iter().all(|end| ends.contains(end)), "{arch}: {ends:?}");
        let wanted = golden.batch.iter().flat_map(|row| &row.logits);
        for (want, got) in wanted.zip(logits(&*model.generator, &golden.batch)) {
            let difference = want.values.iter().zip(&got).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(difference < TOLERANCE, "{arch}: logits at {} differ by {difference}", want.at);
        }
        let greedy = &golden.generate[0];
        let ids: Vec<Vec<u32>> =
            decode(&model, &golden.sources, &greedy.options, 16).into_iter().map(|(ids, _)| ids).collect();
        assert_eq!(ids, greedy.sequences, "{arch}");
        let plain = golden.lines.iter().enumerate().filter(|(_, line)| !spells_special(line));
        let same = |(i, line): &(usize, &String)| model.tokenizer.encode(line).unwrap() == golden.plain[*i];
        let (all, equal) = (plain.clone().count(), plain.clone().filter(same).count());
        // GGUF orders the merges of Gemma's vocabulary by piece, not by pair, and cannot tell two ways to one piece apart.
        let enough = if arch.starts_with("gemma") { all * 9 / 10 } else { all };
        assert!(equal >= enough, "{arch}: {equal} of {all} lines have the checkpoint's ids");
        compared += 1;
    }
    assert!(compared > 0 || std::env::var_os("ANUBAD_FIXTURES").is_some(), "no GGUF file among the fixtures");
}

/// The Llama fixture: one file of weights, the template in a file of its own.
fn llama() -> &'static Fixture {
    fixtures().iter().find(|fixture| fixture.golden.arch == "llama").unwrap_or(&fixtures()[0])
}

/// A copy of that fixture whose file `name` was changed.
fn edited(name: &str, edit: impl FnOnce(String) -> String) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(&llama().folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let path = copy.path().join(name);
    let text = edit(std::fs::read_to_string(&path).unwrap_or_default());
    std::fs::write(path, text).unwrap();
    copy
}

fn error(folder: &tempfile::TempDir) -> String {
    let error = try_open(folder.path(), Compute::Int8).err().expect("refused").to_string();
    assert!(!error.contains('\n'), "{error}");
    error
}

#[test]
fn folders_that_contradict_themselves_are_refused_by_name() {
    let config = |from: &str, to: &str| edited("config.json", |text| text.replace(from, to));
    let layers = |n: usize| format!("\"num_hidden_layers\": {n}");
    let folder = config(&layers(3), &layers(2));
    assert!(error(&folder).contains("layers.2."), "{}", error(&folder));
    let folder = config(&layers(3), &layers(4));
    assert!(error(&folder).contains("layers.3."), "{}", error(&folder));
    let folder = config("\"vocab_size\": ", "\"vocab_size\": 1");
    assert!(error(&folder).contains("embed_tokens.weight"), "{}", error(&folder));
    let folder = config("\"intermediate_size\": 96", "\"intermediate_size\": 64");
    assert!(error(&folder).contains("mlp."), "{}", error(&folder));
    let folder = edited("config.json", |text| text);
    std::fs::remove_file(folder.path().join("tokenizer.json")).unwrap();
    assert!(error(&folder).contains("tokenizer.json"), "{}", error(&folder));
}

#[test]
fn the_template_is_found_wherever_it_lies() {
    let template = std::fs::read_to_string(llama().folder.join("chat_template.jinja")).unwrap();
    let want = open(&llama().folder, Compute::Int8).prompt;
    let json = serde_json::json!({ "chat_template": template });
    let list =
        serde_json::json!([{ "name": "tool_use", "template": "x" }, { "name": "default", "template": template }]);
    let beside = edited("chat_template.json", |_| json.to_string());
    let inside = edited("tokenizer_config.json", |text| {
        let mut config: serde_json::Value = serde_json::from_str(&text).unwrap();
        config["chat_template"] = list;
        config.to_string()
    });
    for folder in [beside, inside] {
        std::fs::remove_file(folder.path().join("chat_template.jinja")).unwrap();
        assert_eq!(open(folder.path(), Compute::Int8).prompt, want);
    }
}
